"""What callers of versions before 2022-08-01 may say of a session, in today's words.

Until then ``mode`` was needed only with prices, and plans were bought through ``subscription_data[items]``.
"""

from __future__ import annotations

from tollkey.wire import Call, Params, invalid

_MODE_NEEDED_SINCE = "2022-08-01"


def modern(call: Call, params: Params) -> Params:
    """The parameters with ``mode``, ``line_items`` and ``discounts`` in place of what older callers wrote.

    Raises ApiError when ``mode`` is missing where prices are used.
    """
    if call.version >= _MODE_NEEDED_SINCE:
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
