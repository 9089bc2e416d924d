"""Which capability a connected account needs to accept each type of payment method.

merchant of record          types that it accepts (``charges/splitting.py`` finds the merchant)
platform                    all
connected account, acting   those whose capability is active (``klarna_payments`` for klarna), and those without one of
or in ``on_behalf_of``      their own, such as cards: ``card_payments`` is asked for when the charge is made

Sources: "Account capabilities" and the Connect sections of each payment method in Stripe's documentation; for the
refusal, which names the first type that is not active, antiwork/gumroad pull request 5792.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from tollkey.payments.methods.method_types import TYPES, not_activated
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


@cache
def needed_for(currency: str | None) -> Mapping[str, tuple[str, ...]]:
    """Return the capabilities of each type that needs one of its own, as ``capabilities_of`` does."""
    return {kind: names for kind in TYPES if (names := capabilities_of(kind, currency))}


def check_accepted(named: Iterable[str], refused: frozenset[str], param: str = "payment_method_types") -> None:
    """Raise ApiError 400 for the first of the named types that is refused."""
    for name in named:
        if name in refused:
            raise not_activated(name, param)
