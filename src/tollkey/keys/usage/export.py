"""Reports as JSON and as CSV (RFC 4180)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tollkey.keys.usage.reporting import UsageRow

_TIMES = ("minute", "hour", "day")


def as_json(row: UsageRow, by: Sequence[str]) -> dict[str, str | int | None]:
    """Return a row as JSON: its dimensions, ``requests`` and ``cost``. Times are UTC epoch seconds."""
    shown: dict[str, str | int | None] = {name: _value(row, name) for name in by}
    return {**shown, "requests": row.requests, "cost": row.cost}


def as_csv(rows: Iterable[UsageRow], by: Sequence[str]) -> str:
    """Return rows as CSV with a head line. Times are written as ISO 8601 in UTC.

    A text that a spreadsheet would read as a formula gets an apostrophe in front of it.
    """
    import csv  # here, so that ``import tollkey.keys`` stays fast

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*by, "requests", "cost"])
    for row in rows:
        cells = [_cell(_value(row, name), name) for name in by]
        writer.writerow([*cells, row.requests, row.cost])
    return out.getvalue()


def _value(row: UsageRow, name: str) -> str | int | None:
    if name in _TIMES:
        return row.at
    if name == "mode":
        return "live" if row.livemode else "test"
    texts = {"key": row.key, "account": row.account, "route": row.route, "outcome": row.outcome}
    return {**texts, "permission": row.permission}[name]


def _cell(value: str | int | None, name: str) -> str:
    if isinstance(value, int):
        moment = datetime.fromtimestamp(value, UTC)
        return moment.strftime("%Y-%m-%d" if name == "day" else "%Y-%m-%dT%H:%M:%SZ")
    text = value or ""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
