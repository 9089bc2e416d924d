"""Who may charge: the platform itself, and connected accounts whose capability is active.

direct charge                  the acting account has ``card_payments``
charge with ``on_behalf_of``   that account has ``card_payments``, whatever the payment method

Accounts are the platform's business until a charge is attempted: an intent is created without these checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.payments.shared import fields
from tollkey.wire import ApiError, Call, invalid

_DISABLED = "Your account cannot currently make charges."
_DIRECT = "You cannot create a charge on a connected account without the `card_payments` capability enabled."
_BEHALF = (
    "You cannot create a charge with the `on_behalf_of` parameter set to a connected account with `transfers` but"
    " without the `card_payments` capability enabled."
)
_CHARGING = ("card_payments", "legacy_payments")


def check(call: Call, on_behalf_of: str | None) -> None:
    """Raise ApiError 400 if the acting account, or the one that a charge is made on behalf of, may not charge."""
    refused = refusal(call, on_behalf_of)
    if refused is not None:
        raise refused


def refusal(call: Call, on_behalf_of: str | None) -> ApiError | None:
    """Return the error of a charge that the accounts concerned may not make, else None.

    Sources of the texts: Subscribie issue 408, stripe-node pull request 737.
    """
    if call.account != call.platform:
        refused = _refusal(call, fields.acting_account(call) or {}, _DIRECT)
        if refused is not None:
            return refused
    if on_behalf_of is not None and on_behalf_of not in (call.account, call.platform):
        account = call.within(call.platform).objects.find_read_only(fields.ACCOUNT, on_behalf_of)
        return _refusal(call, account or {}, _BEHALF)
    return None


def _refusal(call: Call, account: Mapping[str, Any], without: str) -> ApiError | None:
    """Return the error of an account that may not charge. without: its text when ``card_payments`` alone is missing."""
    if account and fields.has_capability(call, account, _CHARGING) and not _blocked(account):
        return None
    enabled = account.get("charges_enabled") and not _blocked(account)
    return invalid(without if enabled else _DISABLED, None, retry=False)


def _blocked(account: Mapping[str, Any]) -> bool:
    """Return whether charges of an account were stopped: it was rejected, or a test card asked for a document."""
    return bool(account.get("_rejected")) or (account.get("_asked") or {}).get("blocks") == "charges"
