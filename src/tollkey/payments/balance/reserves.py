"""What a platform reserves for connected accounts whose available balance is negative and whose losses it bears.

available of the account below zero ──▶ that much moves from the platform's balance to its ``connect_reserved``
available of the account rises      ──▶ it moves back, as far as the account no longer owes it

The platform's own balance may become negative by that, as recorded (in production its bank account is debited then).
Sources: "Connect account balances" in Stripe's documentation, its Connect reserves FAQ, and a recorded balance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey import ledger
from tollkey.ledger import Money
from tollkey.payments.shared import fields
from tollkey.wire import Call
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import AccountReserves


def change(call: Call, currency: str) -> Money | None:
    """Return by how much the platform's reserve for a connected account has to grow, and keep that it did.

    call: in the connected account. The amount is negative when a part of the reserve is given back; None when nothing
    changes, and for accounts that answer for their own losses.
    """
    home = call.within(call.owner)
    seen = home.objects.find_read_only(fields.ACCOUNT, call.account)
    if seen is None or not _bears_losses(seen):
        return None
    found = ledger.balance(call.tx, call.scope, call.now).get(currency)
    owed = max(0, -found.available) if found is not None else 0
    reserved = cast("AccountReserves", seen).get("_reserved") or {}
    held = reserved.get(currency, 0)
    if owed == held:
        return None
    account = home.objects.get(fields.ACCOUNT, call.account)
    cast("AccountReserves", account)["_reserved"] = {**reserved, currency: owed}
    home.objects.save(account)
    return Money(owed - held, currency)


def currencies(call: Call) -> list[str]:
    """Return the currencies in which the platform reserves something for the call's account."""
    account = cast("AccountReserves", fields.acting_account(call) or {})
    return [currency for currency, amount in (account.get("_reserved") or {}).items() if amount]


def _bears_losses(account: Mapping[str, Any]) -> bool:
    """Return whether the platform is liable for an account's negative balance, as for Custom and Express accounts."""
    liable = value_at(account, "controller.losses.payments")
    return bool(liable == "application" if liable else account["type"] in ("custom", "express"))
