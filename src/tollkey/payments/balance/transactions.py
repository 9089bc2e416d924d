"""Balance transactions: one wire object (``txn_…``) for each ledger transaction that moves a merchant's balance."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tollkey import ledger
from tollkey.ledger import BALANCE, FEES, Posting
from tollkey.payments.shared import fields
from tollkey.wire import Call, Json, blank

#: Working days until a charge's money is available, by the account's country (recorded: US 2, FR 3).
_DELAY = {"US": 2, "AU": 2, "JP": 4}
_OTHER_DELAY = 3
_SATURDAY = 5
_DAY = 86_400  # seconds


def available_on(call: Call) -> int:
    """When money taken now becomes available: midnight UTC, some working days on. UTC epoch seconds."""
    return _working_days_later(call.now // _DAY, _DELAY.get(fields.account_country(call), _OTHER_DELAY)) * _DAY


@lru_cache(maxsize=1_000)
def _working_days_later(day: int, left: int) -> int:
    """day: days since the epoch, which began on a Thursday."""
    while left:
        day += 1
        if (day + 3) % 7 < _SATURDAY:
            left -= 1
    return day


def book(
    call: Call,
    *,
    type: str,
    category: str,
    source: str,
    amount: int,
    currency: str,
    against: str,
    fee: int = 0,
    fee_details: list[Json] | None = None,
    description: str | None = None,
    available: int | None = None,
    source_type: str = "card",
    postings: tuple[Posting, ...] = (),
) -> Json:
    """Move a merchant's balance by ``amount - fee`` and store the balance transaction that says so.

    type, category: ``balance_transaction.type`` and ``reporting_category``. source: the object that caused it.
    against: the book on the other side. fee: minor units; what of it is not covered by ``postings`` goes to FEES.
    available: UTC epoch seconds; None means at once. postings: further sides, already counted in ``fee`` (an
        application fee).
    """
    txn = call.ids.new("txn")
    elsewhere = sum(posting.amount for posting in postings)
    sides = (
        Posting(BALANCE, currency, amount - fee, source_type),
        Posting(FEES, currency, fee - elsewhere, source_type),
        Posting(against, currency, -amount, source_type),
        *postings,
    )
    if any(side.amount for side in sides):
        due = available if available is not None and available > call.now else None
        ledger.post(call.tx, call.scope, call.now, sides, source, due, txn=txn)
        if amount - fee > 0:
            call.schedule.once(due or call.now, "balance.available", str(due or call.now))
    value = blank(
        "balance_transaction",
        id=txn,
        amount=amount,
        available_on=available if available is not None else call.now,
        balance_type="payments",
        created=call.now,
        currency=currency,
        description=description,
        fee=fee,
        fee_details=fee_details or [],
        net=amount - fee,
        reporting_category=category,
        source=source,
        status="pending" if available is not None and available > call.now else "available",
        type=type,
    )
    return call.objects.insert(value)


def stripe_fee(amount: int, currency: str, description: str) -> Json:
    """One line of ``fee_details``."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


def current(call: Call, value: Json) -> Json:
    """A balance transaction as it stands at ``call.now``."""
    value["status"] = "pending" if value["available_on"] > call.now else "available"
    return value


def embed(call: Call, ids: list[str]) -> list[dict[str, Any]]:
    """Whole balance transactions by id, for objects that carry them inside."""
    return [current(call, call.objects.copy(call.objects.get("balance_transaction", id))) for id in ids]
