"""The issuing balance: money set aside for cards, in its own book of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey import ledger
from tollkey.ledger import ISSUING, NETWORK, TOPUPS, Posting
from tollkey.wire import Call, new_object
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.wire import api

_BALANCE_TRANSACTION: Kind[api.BalanceTransaction] = Kind("balance_transaction")


def available(call: Call, currency: str) -> int:
    """What stands in the issuing balance, in minor units."""
    return ledger.book_total(call.tx, call.scope, ISSUING, currency)


def move(call: Call, type: str, amount: int, currency: str, source: str) -> api.BalanceTransaction:
    """Change the issuing balance by an amount and store the balance transaction that says so.

    type: ``issuing_authorization_hold``, ``issuing_authorization_release``, ``issuing_transaction``,
        ``issuing_dispute`` or ``topup``.
    """
    txn = call.ids.new("txn")
    against = TOPUPS if type == "topup" else NETWORK
    sides = [Posting(ISSUING, currency, amount), Posting(against, currency, -amount)]
    if amount:
        ledger.post(call.tx, call.scope, call.now, sides, source, None, txn=txn)
    value = new_object(
        _BALANCE_TRANSACTION,
        id=txn,
        amount=amount,
        available_on=call.now,
        balance_type="issuing",
        created=call.now,
        currency=currency,
        fee=0,
        fee_details=[],
        net=amount,
        reporting_category=type,
        source=source,
        status="available",
        type=type,
    )
    return call.objects.insert(value)
