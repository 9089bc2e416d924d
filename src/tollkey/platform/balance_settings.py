"""Balance settings: how an account's money is held and paid out.

``payments``: a negative balance is debited from its bank; the schedule and the text of payouts, and what each automatic
one leaves in the balance; how many days a payment is held, and when a day begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.platform._connect import held_balance, load_account, save_account
from tollkey.wire import Call, Endpoint, Json, Resource
from tollkey.wire.kinds import Job
from tollkey.wire.live import records

if TYPE_CHECKING:
    from tollkey.wire import operations

PERMISSION = Permission("balance_settings", "Balance settings", "Connect")
_PAYOUT_PLAN = Job("payout.plan")  # done by the room of balances


def retrieve(call: Call, params: operations.GetBalanceSettings) -> Json:
    """Retrieve the balance settings of the account that the key belongs to, or that ``Stripe-Account`` names."""
    return held_balance.shown(load_account(call, call.account).account)


def update(call: Call, params: operations.PostBalanceSettings) -> Json:
    """Change balance settings: what is not named stays."""
    loaded = load_account(call, call.account)
    payments = params.get("payments") or {}
    held_balance.change(loaded.account, payments)
    save_account(loaded)
    if (payments.get("payouts") or {}).get("schedule"):
        loaded.own.schedule.once(call.now, _PAYOUT_PLAN, loaded.account["id"])
    return held_balance.shown(loaded.account)


BALANCE_SETTINGS = Resource(
    object="balance_settings",
    permission=PERMISSION,
    live=records(),
    endpoints=(
        Endpoint("GET", "/v1/balance_settings", retrieve),
        Endpoint("POST", "/v1/balance_settings", update),
    ),
    title="Balance settings",
    stored=False,
)
