"""Which capability a connected account needs to accept each type of payment method.

merchant of record          types that it accepts
platform                    all
connected account, acting   those whose capability is active (``klarna_payments`` for klarna), and those without one of
or in ``on_behalf_of``      their own, such as cards: ``card_payments`` is asked for when the charge is made

Sources: "Account capabilities" and the Connect sections of each payment method in Stripe's documentation; for the
refusal, which names the first type that is not active, antiwork/gumroad pull request 5792.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tollkey.payments.methods.method_types import TYPES, not_activated
from tollkey.payments.shared import fields
from tollkey.wire import Call
from tollkey.wire.shapes import properties

#: Capabilities that are not called after their type.
_NAMES = {
    "nz_bank_account": ("nz_bank_account_becs_debit_payments",),
    "us_bank_account": ("us_bank_account_ach_payments",),
    "ach_debit": ("us_bank_account_ach_payments", "legacy_payments"),
}
#: Currency of a bank transfer -> its capability (the one for all currencies was deprecated on 2024-06-20).
_TRANSFERS = {
    "eur": "sepa_bank_transfer_payments",
    "gbp": "gb_bank_transfer_payments",
    "jpy": "jp_bank_transfer_payments",
    "mxn": "mx_bank_transfer_payments",
    "usd": "us_bank_transfer_payments",
}


@cache
def _known() -> frozenset[str]:
    return frozenset(properties("account_capabilities"))


def capabilities_of(kind: str, currency: str | None = None) -> tuple[str, ...]:
    """Return the capabilities of which one must be active for a type of payment method; none when it needs no own one.

    currency: of the payment, for bank transfers; None for any.
    """
    if kind == "customer_balance":
        one = (_TRANSFERS[currency],) if currency in _TRANSFERS else tuple(_TRANSFERS.values())
        return (*one, "bank_transfer_payments")
    if kind in _NAMES:
        return _NAMES[kind]
    name = f"{kind}_payments"
    return (name,) if kind != "card" and name in _known() else ()


def merchant_of_record(call: Call, on_behalf_of: str | None) -> Mapping[str, Any] | None:
    """Return the connected account that a payment is made for, or None when it is the platform's own."""
    if on_behalf_of not in (None, call.account, call.platform):
        return call.within(call.platform).objects.find_read_only(fields.ACCOUNT, on_behalf_of or "")
    return None if call.account == call.platform else fields.acting_account(call)


def accepts(call: Call, on_behalf_of: str | None, kind: str, currency: str | None = None) -> bool:
    """Return whether the merchant of record may take payments of a type."""
    account = merchant_of_record(call, on_behalf_of)
    needed = capabilities_of(kind, currency)
    return account is None or not needed or fields.has_capability(call, account, needed)


def refused_types(call: Call, on_behalf_of: str | None, currency: str | None = None) -> frozenset[str]:
    """Return the types that the merchant of record cannot accept; none for a platform.

    currency: of the payment; None for a SetupIntent.
    """
    account = merchant_of_record(call, on_behalf_of)
    if account is None:
        return frozenset()
    needed = {kind: capabilities_of(kind, currency) for kind in TYPES}
    return frozenset(
        kind for kind, names in needed.items() if names and not fields.has_capability(call, account, names)
    )


def check_accepted(named: Iterable[str], refused: frozenset[str], param: str = "payment_method_types") -> None:
    """Raise ApiError 400 for the first of the named types that is refused."""
    for name in named:
        if name in refused:
            raise not_activated(name, param)
