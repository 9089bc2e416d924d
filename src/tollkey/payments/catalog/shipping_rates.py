"""Shipping rates: delivery options of a checkout.

active ──update active=false──▶ archived ──update active=true──▶ active
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tollkey.keys import Permission
from tollkey.payments.catalog import kinds, tax_code_table
from tollkey.payments.shared import currency, fields
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.objects import value_at
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("shipping_rate", "Shipping Rates", "Core")


def create_shipping_rate(
    call: Call, params: operations.PostShippingRates | operations.ShippingRateData, prefix: str = ""
) -> api.ShippingRate:
    """Store a shipping rate.

    prefix: the parameter that contains its settings (``shipping_options[0][shipping_rate_data]``), for error messages.
    """
    fixed = params.get("fixed_amount")
    if fixed is None:
        raise missing_param(f"{prefix}[fixed_amount]" if prefix else "fixed_amount")
    tax_code_table.check(params.get("tax_code"), f"{prefix}[tax_code]" if prefix else "tax_code")
    amount: api.ShippingRateFixedAmount = {
        "amount": fixed["amount"],
        "currency": currency.check_currency(fixed["currency"], "fixed_amount[currency]"),
    }
    if fixed.get("currency_options"):
        amount["currency_options"] = {
            currency.check_currency(code, f"fixed_amount[currency_options][{code}]"): {
                "amount": option["amount"],
                "tax_behavior": option.get("tax_behavior", "unspecified"),
            }
            for code, option in fixed["currency_options"].items()
        }
    estimate = params.get("delivery_estimate")
    rate = new_object(
        kinds.SHIPPING_RATE,
        id=call.ids.new("shr"),
        active=True,
        created=call.now,
        livemode=call.livemode,
        display_name=params["display_name"],
        fixed_amount=amount,
        delivery_estimate=None
        if estimate is None
        else {"maximum": estimate.get("maximum"), "minimum": estimate.get("minimum")},
        tax_behavior=params.get("tax_behavior") or "unspecified",
        tax_code=params.get("tax_code"),
        metadata=fields.new_metadata(params),
    )
    return call.objects.insert(rate)


def rate_in_use(call: Call, id: str, param: str) -> api.ShippingRate:
    """Return a shipping rate for a new purchase. param: how errors name it.

    Raises ApiError 400 for one that is unknown or archived (``active`` in Stripe's specification; the text is ours).
    """
    rate = call.objects.get(kinds.SHIPPING_RATE, id, param)
    if not rate["active"]:
        raise invalid(f"The shipping rate `{id}` is inactive and can't be used for new purchases.", param)
    return rate


def amount_in(rate: api.ShippingRate, code: str, param: str) -> int:
    """Return the amount of a shipping rate in a currency (lower-case code), in minor units.

    Raises ApiError 400 if it has none (inferred: ``currency_options`` are what a rate costs in further currencies).
    """
    fixed = rate["fixed_amount"]
    amount: int | None = (
        fixed["amount"] if fixed["currency"] == code else value_at(fixed, f"currency_options.{code}.amount")
    )
    if amount is None:
        raise invalid(f"The shipping rate has no amount in the currency `{code}`.", param)
    return amount


def create(call: Call, params: operations.PostShippingRates) -> api.ShippingRate:
    """Create a shipping rate."""
    return create_shipping_rate(call, params)


def update(call: Call, params: operations.PostShippingRatesShippingRateToken) -> api.ShippingRate:
    """Change ``active``, the metadata or the tax behavior of a shipping rate."""
    rate = call.objects.get(kinds.SHIPPING_RATE, call.path["shipping_rate_token"])
    fields.assign(rate, params, ("active", "tax_behavior"))
    for name, option in ((params.get("fixed_amount") or {}).get("currency_options") or {}).items():
        code = currency.check_currency(name, f"fixed_amount[currency_options][{name}]")
        options = rate["fixed_amount"].setdefault("currency_options", {})
        merged = {"tax_behavior": "unspecified", **options.get(code, {}), **option}
        options[code] = cast("api.ShippingRateCurrencyOption", merged)  # the parameters have the names of its fields
    fields.merge_metadata(rate, params)
    return call.objects.save(rate)


SHIPPING_RATE = Resource(
    object="shipping_rate",
    prefix="shr",
    permission=PERMISSION,
    live=records(),
    label="shipping rate",
    expands={"tax_code": lambda call, rate: tax_code_table.expanded(rate["tax_code"])},
    path_param="shipping_rate_token",
    indexed=("active", "fixed_amount.currency"),
    endpoints=(
        Endpoint("POST", "/v1/shipping_rates", create),
        listing("shipping_rate", "/v1/shipping_rates", currency="fixed_amount.currency"),
        retrieve("shipping_rate", "/v1/shipping_rates/{shipping_rate_token}"),
        Endpoint("POST", "/v1/shipping_rates/{shipping_rate_token}", update),
    ),
    title="Shipping rates",
    columns=("display_name", "active", "id", "created"),
)
