"""Who may receive money of a platform: the connected accounts whose capability and country allow it.

transfer             capability ``transfers``, and a country of the platform's region or the recipient agreement
destination charge   the same; with ``on_behalf_of`` it settles in the account's own country, which any region allows
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid

_RECEIVING = ("transfers", "crypto_transfers", "legacy_payments")
_CAPABILITY = (
    "Your destination account needs to have at least one of the following capabilities enabled: transfers,"
    " crypto_transfers, legacy_payments"
)
_OUTSIDE = (
    "Cannot create a destination charge for connected accounts in {country} because funds would be settled on the"
    " platform and the connected account is outside the platform's region. You may use the `on_behalf_of` parameter to"
    " have the charge settle in the connected account's country. For more information on `on_behalf_of`, see"
    " https://stripe.com/docs/connect/charges-transfers#on-behalf-of. If using capabilities (e.g. `card_payments`,"
    " `transfers`), note that they affect settlement as well. For more information on capabilities, see"
    " https://stripe.com/docs/connect/account-capabilities. If you still need assistance, please contact us via"
    " https://support.stripe.com/contact."
)
#: Between these countries transfers cross borders: the US, Canada, the United Kingdom, the EEA and Switzerland
#: ("Cross-border transfers" in Stripe's documentation).
REGION = frozenset({
    "US", "CA", "GB", "GI", "CH", "LI", "NO", "IS", "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR",
    "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip


def receiver_of(call: Call, destination: str, param: str) -> Call:
    """Return the call in the account that receives the money: a connected account of the platform, or the platform.

    destination: the account's id. param: the parameter that errors name.
    Raises ApiError 400 ``No such destination``.
    """
    owner = call.within(call.platform)
    if destination == call.account or owner.objects.find(fields.ACCOUNT, destination) is None:
        raise invalid(f"No such destination: '{destination}'", param, "resource_missing", retry=False)
    return call.within(destination)


def check_transfer(call: Call, receiver: Call) -> None:
    """Raise ApiError 400 unless an account can receive a transfer: its capability is active, its country is in reach.

    Sources of the texts: artsy/exchange issue 566, NativePHP/nativephp.com pull request 525.
    """
    account = _connected(receiver)
    if account is None:
        return
    _check_capability(receiver, account)
    if not in_reach(call, account):
        message = (
            f"Funds can't be sent to accounts located in {account['country']} when the account is under the `full`"
            " service agreement."
        )
        raise invalid(message, None, retry=False)


def check_destination(call: Call, receiver: Call, on_behalf_of: str | None) -> None:
    """Raise ApiError 400 unless a destination charge can be made for an account.

    on_behalf_of: the account in whose country the charge settles; None for the platform's.
    Source of the text: self-xdsd/self-core issue 1092.
    """
    account = _connected(receiver)
    if account is None:
        return
    _check_capability(receiver, account)
    if on_behalf_of != account["id"] and not in_reach(call, account):
        raise invalid(_OUTSIDE.format(country=account["country"]), None, retry=False)


def in_reach(call: Call, account: Mapping[str, Any]) -> bool:
    """Return whether a platform's money can be settled in a connected account's country, or be sent there.

    account: the connected account. One with the recipient service agreement receives money across any border.
    """
    if (account.get("tos_acceptance") or {}).get("service_agreement") == "recipient":
        return True
    home = fields.account_country(call.within(call.platform))
    return account["country"] == home or {account["country"], home} <= REGION


def _connected(receiver: Call) -> Mapping[str, Any] | None:
    """Return the connected account that receives, or None when the platform itself does."""
    return None if receiver.account == receiver.platform else fields.acting_account(receiver)


def _check_capability(receiver: Call, account: Mapping[str, Any]) -> None:
    asked = any(name in account["capabilities"] for name in _RECEIVING)
    if not receiver.livemode and account["type"] == "standard" and asked:
        return  # in test mode a Standard account receives money before it is onboarded (fixtures of Stripe's CLI)
    if not fields.has_capability(receiver, account, _RECEIVING):
        raise invalid(_CAPABILITY, None, "insufficient_capabilities_for_transfer", retry=False)
