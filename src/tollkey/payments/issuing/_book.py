"""The issuing balance: a ledger book for purchases with issued cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey import ledger
from tollkey.ledger import Money, Posting
from tollkey.ledger.books import ISSUING, NETWORK, TOPUPS
from tollkey.wire import Call, new_object
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.wire import api

_BALANCE_TRANSACTION: Kind[api.BalanceTransaction] = Kind("balance_transaction")


def available(call: Call, currency: str) -> Money:
    """Return the issuing balance in minor units."""
    return Money(ledger.book_total(call.tx, call.scope, ISSUING, currency), currency)


def move(call: Call, type: str, amount: Money, source: str) -> api.BalanceTransaction:
    """Change the issuing balance, and store the balance transaction. amount: minor units.

    type: ``issuing_authorization_hold``, ``issuing_authorization_release``, ``issuing_transaction``,
        ``issuing_dispute`` or ``topup``.
    """
    txn = call.ids.new("txn")
    against = TOPUPS if type == "topup" else NETWORK
    sides = [Posting(side, money.currency, money.amount) for side, money in ((ISSUING, amount), (against, -amount))]
    if not amount.is_zero:
        ledger.post(call.tx, call.scope, call.now, sides, source, None, txn=txn)
    value = new_object(
        _BALANCE_TRANSACTION,
        id=txn,
        amount=amount.amount,
        available_on=call.now,
        balance_type="issuing",
        created=call.now,
        currency=amount.currency,
        fee=0,
        fee_details=[],
        net=amount.amount,
        reporting_category=type,
        source=source,
        status="available",
        type=type,
    )
    return call.objects.insert(value)
