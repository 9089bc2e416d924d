"""Amounts that the customer chooses: ``custom_unit_amount`` of prices.

Sources: the descriptions in Stripe's OpenAPI document ("one of", "at least", "during Checkout Sessions and Payment
Links") and the guide "Let customers decide what to pay", which leaves recurring prices out. The texts are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import invalid
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.wire import api


def check(params: Mapping[str, object], custom: Mapping[str, Any], currency: str) -> None:
    """Raise ApiError 400 for bounds that contradict each other, or parameters that leave no choice.

    params: of the price. custom: its ``custom_unit_amount``. currency: lower-case code.
    """
    for name in ("unit_amount", "unit_amount_decimal"):
        if params.get(name) is not None:
            raise exclusive(name, "custom_unit_amount", param="custom_unit_amount")
    if params.get("recurring"):
        raise invalid("You cannot use `custom_unit_amount` with recurring prices.", "custom_unit_amount")
    least, most, preset = (custom.get(name) for name in ("minimum", "maximum", "preset"))
    smallest = shared_currency.minimum(currency)
    if least is not None and least < smallest:
        raise invalid(
            "The minimum amount must be at least the minimum charge amount of"
            f" {shared_currency.show(smallest, currency)}.",
            "custom_unit_amount[minimum]",
        )
    if most is not None and most < (smallest if least is None else least):
        raise invalid("The maximum amount must not be less than the minimum.", "custom_unit_amount[maximum]")
    if preset is not None and not (least or 0) <= preset <= (preset if most is None else most):
        raise invalid("The preset amount must be between the minimum and the maximum.", "custom_unit_amount[preset]")


def check_known(price: api.Price, param: str) -> None:
    """Raise ApiError 400 for a price whose amount only a customer in Checkout can choose. param: names the price."""
    if price["custom_unit_amount"] is not None:
        raise invalid(
            "Prices with `custom_unit_amount` can only be used with Checkout Sessions and Payment Links.", param
        )
