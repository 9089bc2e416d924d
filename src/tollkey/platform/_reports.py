"""The contents of reports: rows computed from the balance transactions of an interval.

Columns are named as in Stripe's documentation of report types. Amounts are in major units with the currency's decimals,
times are UTC unless the report names a time zone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from tollkey.db.table import Range
from tollkey.wire import Call, Json
from tollkey.wire.decimals import decimals

_ITEM = (
    "balance_transaction_id", "created_utc", "created", "available_on_utc", "available_on", "currency", "gross", "fee",
    "net",
    "reporting_category", "source_id", "description",
)  # fmt: skip
_SUMMARY = ("category", "description", "net_amount", "currency")
_ACTIVITY = ("reporting_category", "currency", "count", "gross", "fee", "net")

#: id -> (name, version) of the supported types, which are based on balance transactions. Stripe has more.
REPORT_TYPES: dict[str, tuple[str, int]] = {
    "balance.summary.1": ("Balance summary", 1),
    "balance_change_from_activity.itemized.1": ("Balance change from activity itemized", 1),
    "balance_change_from_activity.itemized.2": ("Balance change from activity itemized", 2),
    "balance_change_from_activity.itemized.3": ("Balance change from activity itemized", 3),
    "balance_change_from_activity.summary.1": ("Balance change from activity summary", 1),
    "payouts.itemized.1": ("Payouts itemized", 1),
    "payouts.itemized.2": ("Payouts itemized", 2),
    "payouts.itemized.3": ("Payouts itemized", 3),
    "payouts.summary.1": ("Payouts summary", 1),
}
COLUMNS = {
    id: _SUMMARY if id == "balance.summary.1" else _ACTIVITY if id.endswith("summary.1") else _ITEM
    for id in REPORT_TYPES
}


def _major(amount: int, currency: str) -> str:
    """Format an amount of minor units in major units."""
    places = decimals(currency)
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _day(seconds: int, zone: tzinfo = UTC) -> str:
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def is_itemized(kind: str) -> bool:
    """Return whether a report has a row for each balance transaction. kind: id of the report type."""
    return ".itemized." in kind


def _transactions(call: Call, since: int | None, until: int | None, currency: str | None) -> Iterator[Json]:
    """Balance transactions created in ``[since, until)``, oldest first."""
    if "balance_transaction" not in call.setup.tables.of:
        return
    ranges = [Range("created", ">=", since)] if since is not None else []
    if until is not None:
        ranges.append(Range("created", "<", until))
    last = None
    while True:
        records = call.objects.table("balance_transaction").page(call.tx, call.scope, 500, None, ranges, after=last)
        for record in records:
            found = call.objects.find("balance_transaction", record.id)
            if found is not None and (currency is None or found["currency"] == currency):
                yield found
        if len(records) < 500:
            return
        last = records[-1]


def make_csv(call: Call, kind: str, parameters: Json) -> str:
    """Create the CSV text of a report.

    kind: id of the report type.
    parameters: ``interval_start`` (inclusive) and ``interval_end`` (exclusive), UTC epoch seconds; ``currency``;
        ``columns``; of itemized reports ``reporting_category``, and ``timezone`` for the columns that are not in UTC.
    """
    since, until, currency = (parameters.get(name) for name in ("interval_start", "interval_end", "currency"))
    columns = parameters.get("columns") or COLUMNS[kind]
    if kind == "balance.summary.1":
        rows = _balance_summary(call, since, until, currency)
    else:
        wanted = [
            t
            for t in _transactions(call, since, until, currency)
            if (t["type"] == "payout") == kind.startswith("payouts")
            and parameters.get("reporting_category") in (None, t["reporting_category"])
        ]
        zone = ZoneInfo(parameters.get("timezone") or "UTC")
        rows = [_itemised(t, zone) for t in wanted] if is_itemized(kind) else _activity_summary(wanted)
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _itemised(t: Json, zone: ZoneInfo) -> Json:
    currency = t["currency"]
    return {
        "balance_transaction_id": t["id"], "created_utc": _day(t["created"]), "created": _day(t["created"], zone),
        "available_on_utc": _day(t["available_on"]), "available_on": _day(t["available_on"], zone),
        "currency": currency,
        "gross": _major(t["amount"], currency), "fee": _major(t["fee"], currency), "net": _major(t["net"], currency),
        "reporting_category": t["reporting_category"], "source_id": t["source"], "description": t["description"],
    }  # fmt: skip


def _activity_summary(transactions: list[Json]) -> list[Json]:
    sums: dict[tuple[str, str], list[int]] = {}
    for t in transactions:
        row = sums.setdefault((t["reporting_category"], t["currency"]), [0, 0, 0, 0])
        for at, value in enumerate((1, t["amount"], t["fee"], t["net"])):
            row[at] += value
    return [
        {"reporting_category": category, "currency": currency, "count": row[0], "gross": _major(row[1], currency),
         "fee": _major(row[2], currency), "net": _major(row[3], currency)}
        for (category, currency), row in sorted(sums.items())
    ]  # fmt: skip


def _balance_summary(call: Call, since: int | None, until: int | None, currency: str | None) -> list[Json]:
    """Starting balance, activity, payouts and ending balance of each currency."""
    sums: dict[str, list[int]] = {}
    for t in _transactions(call, None, until, currency):
        row = sums.setdefault(t["currency"], [0, 0, 0])
        row[0 if since is not None and t["created"] < since else 2 if t["type"] == "payout" else 1] += t["net"]
    rows = []
    for code, (start, activity, payouts) in sorted(sums.items()):
        for category, text, amount in (
            ("starting_balance", "Starting balance", start),
            ("activity", "Account activity before fees, less fees", activity),
            ("payouts", "Total payouts", payouts),
            ("ending_balance", "Ending balance", start + activity + payouts),
        ):
            rows.append(
                {"category": category, "description": text, "net_amount": _major(amount, code), "currency": code}
            )
    return rows
