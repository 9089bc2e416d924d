"""Parameters of a session in versions before 2022-08-01, translated to present ones.

In those versions ``mode`` was required only with prices, and plans were in ``subscription_data[items]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.wire import Call, invalid

_MODE_NEEDED_SINCE = "2022-08-01"


#: What a line said of itself before it had a price.
_BEFORE_PRICES = ("amount", "currency", "name", "description", "images")
_USE_PRICES = (
    "You cannot use `line_items.amount`, `line_items.currency`, `line_items.name`, `line_items.description`, or"
    " `line_items.images` in this API version. Please use `line_items.price` or `line_items.price_data`."
    " Please see https://stripe.com/docs/payments/checkout/migrating-prices for more information."
)


def _check_prices(params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for lines without prices. Source of the text: django-ambassador issue 3."""
    for line in params.get("line_items") or ():
        if any(line.get(name) is not None for name in _BEFORE_PRICES):
            raise invalid(_USE_PRICES)


def modern(call: Call, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters with ``mode``, ``line_items`` and ``discounts`` in place of older ones.

    Raises ApiError 400 if prices are used without ``mode``, and for lines without prices since 2022-08-01.
    """
    if call.version >= _MODE_NEEDED_SINCE:
        if params.get("mode"):
            _check_prices(params)
        return params
    made = dict(params)
    data = dict(params.get("subscription_data") or {})
    plans, coupon = data.pop("items", None), data.pop("coupon", None)
    if plans:
        lines = [
            {"price": one.get("plan"), "quantity": one.get("quantity") or 1, "tax_rates": one.get("tax_rates")}
            for one in plans
        ]
        made.update({"line_items": [*lines, *(params.get("line_items") or [])], "subscription_data": data})
        made.setdefault("mode", "subscription")
    if coupon:
        made.update({"discounts": [{"coupon": coupon}], "subscription_data": data})
    if made.get("mode") is None and params.get("line_items"):
        if any(line.get("price") or line.get("price_data") for line in params["line_items"]):
            raise invalid("You must provide `mode` when using prices.", "mode")
        made["mode"] = "payment"
    return made
