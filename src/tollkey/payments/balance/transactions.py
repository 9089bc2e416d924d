"""Balance transactions: one wire object (``txn_…``) for each ledger transaction that moves a merchant's balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tollkey import ledger
from tollkey.ledger import Money, Posting
from tollkey.ledger.books import BALANCE, CONNECT_RESERVED, CONNECTED, FEES, PLATFORM
from tollkey.payments.balance import jobs, kinds, reserves
from tollkey.payments.balance.payout_schedule import payouts_of
from tollkey.payments.shared import fields
from tollkey.wire import Call, new_object

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import StoredBalanceTransaction
    from tollkey.wire import api

#: Business days until a charge is available, by the account's country (recorded: US 2, FR 3).
_DELAY = {"US": 2, "AU": 2, "JP": 4}
_OTHER_DELAY = 3
_SATURDAY = 5
_COLLECTION = "connect_collection_transfer"
_DAY = 86_400  # seconds


def available_on(call: Call) -> int:
    """Return when a charge made now becomes available: midnight after some business days, UTC epoch seconds.

    Their number is the account's own (``delay_days_override`` of its balance settings), or its country's.
    """
    days = payouts_of(fields.acting_account(call)).get("_delay_days")
    if days is None:
        days = _DELAY.get(fields.account_country(call), _OTHER_DELAY)
    return _working_days_later(call.now // _DAY, days) * _DAY


@lru_cache(maxsize=1_000)
def _working_days_later(day: int, left: int) -> int:
    """Return the day that is ``left`` business days later. day: days since the epoch, which was a Thursday."""
    while left:
        day += 1
        if (day + 3) % 7 < _SATURDAY:
            left -= 1
    return day


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A change of an account's balance by ``amount - fee``, to be stored as a balance transaction.

    type, category: ``balance_transaction.type`` and ``reporting_category``. source: id of the object that caused it;
        None for a reserve, which has no object of its own here.
    against: the ledger book of the opposite entry. fee: in the currency of the amount, None for no fee; the part of it
        that is not in ``postings`` is posted to FEES. available: UTC epoch seconds; None means at once. postings:
        further entries that are part of ``fee`` (an application fee).
    """

    type: str
    category: str
    source: str | None
    amount: Money
    against: str
    fee: Money | None = None
    fee_details: Sequence[api.Fee] = ()
    description: str | None = None
    available: int | None = None
    source_type: str = "card"
    postings: tuple[Posting, ...] = ()


def book(call: Call, booking: Booking) -> StoredBalanceTransaction:
    """Post a booking to the ledger and store its balance transaction, and let the platform's reserve follow.

    Returns the balance transaction. Raises CurrencyMismatch when the fee or a further posting is in another currency
    than the amount.
    """
    txn, amount, available = call.ids.new("txn"), booking.amount, booking.available
    fee = booking.fee if booking.fee is not None else amount.with_amount(0)
    net, own_fee = amount - fee, fee
    for further in booking.postings:
        own_fee -= Money(further.amount, further.currency)
    sides = (
        posting(BALANCE, net, booking.source_type),
        posting(FEES, own_fee, booking.source_type),
        posting(booking.against, -amount, booking.source_type),
        *booking.postings,
    )
    pending = available is not None and available > call.now
    if any(side.amount for side in sides):
        due = available if pending else None
        ledger.post(call.tx, call.scope, call.now, sides, booking.source or txn, due, txn=txn)
        if net.is_positive:
            call.schedule.once(due or call.now, jobs.BALANCE_AVAILABLE, str(due or call.now))
    value = new_object(
        kinds.BALANCE_TRANSACTION,
        id=txn,
        amount=amount.amount,
        available_on=available if available is not None else call.now,
        balance_type="payments",
        created=call.now,
        currency=amount.currency,
        description=booking.description,
        fee=fee.amount,
        fee_details=list(booking.fee_details),
        net=net.amount,
        reporting_category=booking.category,
        source=booking.source,
        status="pending" if pending else "available",
        type=booking.type,
    )
    call.objects.insert(value)
    if call.account != call.owner and not net.is_zero:
        cover_debt(call, net.currency)
    return value


def cover_debt(call: Call, currency: str) -> None:
    """Move what a connected account owes now between the platform's balance and its reserve.

    call: in the connected account, whose available balance has changed.
    """
    more = reserves.change(call, currency)
    if more is not None:
        _reserve(call.within(call.owner), call.account, more)


def _reserve(call: Call, account: str, more: Money) -> None:
    """Reserve more of a platform's balance for a connected account (its id), or give a negative amount back."""
    book(
        call,
        Booking(
            type="reserve_transaction",
            category="connect_reserved_funds",
            source=None,
            amount=-more,
            against=CONNECT_RESERVED,
            description=f"Reserve for the negative balance of {account}",
        ),
    )


def write_off(call: Call, id: str) -> None:
    """Run the job ``balance.write_off``: pay what a deleted account owed out of the reserve for it.

    call: in its platform. id: of the account. The balances of both have a ``connect_collection_transfer``.
    """
    deleted = call.within(id)
    for currency, found in ledger.balance(deleted.tx, deleted.scope, deleted.now).items():
        owed = Money(max(0, -found.available), currency)
        if owed.is_positive:
            _reserve(call, id, -owed)
            for scope, amount, against in ((call, -owed, CONNECTED), (deleted, owed, PLATFORM)):
                book(
                    scope, Booking(type=_COLLECTION, category=_COLLECTION, source=None, amount=amount, against=against)
                )


def transaction_of(call: Call, id: str | None) -> StoredBalanceTransaction:
    """Return the balance transaction of a booked object: one whose ``balance_transaction`` is not null."""
    assert id is not None, "what has been booked has a balance transaction"
    return call.objects.get(kinds.BALANCE_TRANSACTION, id)


def posting(book: str, amount: Money, source_type: str = "card") -> Posting:
    """Return one posting of a ledger transaction. book: one of ``ledger.books.BOOKS``."""
    return Posting(book, amount.currency, amount.amount, source_type)


def stripe_fee(fee: Money, description: str) -> api.Fee:
    """Return one entry of ``fee_details``."""
    return {
        "amount": fee.amount,
        "application": None,
        "currency": fee.currency,
        "description": description,
        "type": "stripe_fee",
    }


def current(call: Call, value: StoredBalanceTransaction) -> StoredBalanceTransaction:
    """Return a balance transaction with its status as of ``call.now``."""
    value["status"] = "pending" if value["available_on"] > call.now else "available"
    return value


def embed(call: Call, ids: list[str]) -> list[StoredBalanceTransaction]:
    """Return balance transactions by id, for objects that contain them."""
    return [current(call, call.objects.copy(call.objects.get(kinds.BALANCE_TRANSACTION, id))) for id in ids]
