"""Functions on prices: create one, find the one that parameters refer to, and convert one to a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from tollkey.db import Duplicate
from tollkey.payments.catalog import custom_amounts, kinds
from tollkey.payments.catalog.arithmetic import LONGEST
from tollkey.payments.catalog.product_rules import new_product
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields as shared_fields
from tollkey.wire import ApiError, Call, Params, invalid, new_object
from tollkey.wire.errors import exclusive, missing_object, missing_param
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice, StoredRecurring
    from tollkey.wire import api
    from tollkey.wire.api import EventType

#: From this API version on a metered price needs a meter.
METER_NEEDED_SINCE = "2025-03-31"


_OPTION_AMOUNTS = ("custom_unit_amount", "tiers", "unit_amount", "unit_amount_decimal")
_METER: Kind[api.BillingMeter] = Kind("billing.meter")


def create_price(call: Call, params: Mapping[str, Any], *, inline: bool = False, plan: bool = False) -> StoredPrice:
    """Store a price, with its events.

    params: those of ``POST /v1/prices``; ``product`` is set. inline: it was given as ``price_data`` and cannot be
        reused.
    plan: it was created as a plan: the caller may choose its id, and the plan's event comes first.
    Raises ApiError for inconsistent amounts, tiers or intervals, and for a lookup key in use.
    """
    currency = shared_currency.check_currency(params["currency"])
    _check_meter(call, params.get("recurring") or {})
    price = new_object(
        kinds.PRICE,
        id=params.get("id") or call.ids.new("plan" if plan else "price"),
        active=shared_fields.given(params, "active", not inline),
        billing_scheme=shared_fields.given(params, "billing_scheme", "per_unit"),
        created=call.now,
        currency=currency,
        livemode=call.livemode,
        lookup_key=params.get("lookup_key"),
        nickname=params.get("nickname"),
        product=params["product"],
        recurring=recurring_of(params["recurring"]) if params.get("recurring") else None,
        tax_behavior=shared_fields.given(params, "tax_behavior", "unspecified"),
        tiers_mode=params.get("tiers_mode"),
        transform_quantity=params.get("transform_quantity"),
        type="recurring" if params.get("recurring") else "one_time",
    )
    price["metadata"] = shared_fields.new_metadata(params)
    _amounts(price, params)
    if params.get("currency_options") is not None:
        check_currencies(params["currency_options"])
        check_amounts(params["currency_options"])
        price["_currency_options"] = {
            code.lower(): currency_option(option) for code, option in params["currency_options"].items()
        }
    if params.get("_aggregate_usage"):
        price["_aggregate_usage"] = params["_aggregate_usage"]
    if price["lookup_key"] is not None:
        free_lookup_key(call, price["lookup_key"], bool(params.get("transfer_lookup_key")))
    try:
        call.objects.insert(price, chosen_id=True)
    except Duplicate:
        raise invalid("Plan already exists.", None, "resource_already_exists", retry=False) from None
    events: list[tuple[EventType, Mapping[str, Any]]] = [("price.created", price)]
    if price["recurring"]:
        events.insert(0 if plan else 1, ("plan.created", plan_of(price)))
    for type, value in events:
        call.emit(type, value)
    return price


def _check_meter(call: Call, recurring: Mapping[str, Any]) -> None:
    """Refuse a metered price without a meter, since 2025-03-31, a meter that counts no more, and one of another price.

    The text about other prices is ours; ``meter`` tracks "the usage of a metered price" (Stripe's OpenAPI document).
    """
    if recurring.get("meter") and recurring.get("usage_type") != "metered":
        raise invalid("You can only set a `meter` for prices with `usage_type=metered`.", "recurring[meter]")
    metered = recurring.get("usage_type") == "metered" and not recurring.get("meter")
    if metered and call.version >= METER_NEEDED_SINCE:
        raise invalid("Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.")
    meter = call.objects.get(_METER, recurring["meter"], "recurring[meter]") if recurring.get("meter") else None
    if meter is not None and meter["status"] == "inactive":
        raise invalid(f"The meter `{meter['id']}` is inactive. Prices can only use active meters.", "recurring[meter]")


def recurring_of(given_recurring: Mapping[str, Any]) -> StoredRecurring:
    """Return the ``recurring`` hash of a price. Raises ApiError for an interval of more than three years."""
    interval, count = given_recurring["interval"], shared_fields.given(given_recurring, "interval_count", 1)
    if count < 1:
        raise invalid("Invalid positive integer", "recurring[interval_count]", "parameter_invalid_integer")
    if count > LONGEST[interval]:
        raise invalid(
            f"Invalid interval_count: must be less than or equal to {LONGEST[interval]} for interval {interval}.",
            "recurring[interval_count]",
        )
    return {
        "interval": interval,
        "interval_count": count,
        "meter": given_recurring.get("meter"),
        "trial_period_days": given_recurring.get("trial_period_days"),
        "usage_type": shared_fields.given(given_recurring, "usage_type", "licensed"),
    }


def _amounts(price: StoredPrice, params: Mapping[str, Any]) -> None:
    if price["billing_scheme"] == "tiered":
        if price["recurring"] is None:
            raise invalid("Prices with `type=one_time` are not supported with tiered billing.", "interval")
        if not params.get("tiers"):
            raise invalid(
                "You must specify `tiers` when `billing_scheme` is set to `tiered`.", "tiers", "parameter_missing"
            )
        if params.get("tiers_mode") is None:
            raise invalid(
                "You must specify `tiers_mode` when `billing_scheme` is set to `tiered`.",
                "tiers_mode",
                "parameter_missing",
            )
        for name in ("transform_quantity", "unit_amount", "unit_amount_decimal"):
            if params.get(name) is not None:
                raise invalid(f"You may not specify `{name}` with `tiers`.", name)
        price["_tiers"] = tiers_of(params["tiers"])
        return
    if params.get("tiers"):
        raise invalid("You may only specify `tiers` when `billing_scheme` is set to `tiered`.", "tiers")
    custom = params.get("custom_unit_amount")
    if custom and custom.get("enabled"):
        custom_amounts.check(params, custom, price["currency"])
        price["custom_unit_amount"] = _custom_amount(custom)
        return
    price["unit_amount"], price["unit_amount_decimal"] = both_forms(params, "unit_amount")
    if price["unit_amount_decimal"] is None:
        raise invalid("Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.", retry=False)


def _custom_amount(custom: Mapping[str, Any]) -> api.CustomUnitAmount:
    return {"maximum": custom.get("maximum"), "minimum": custom.get("minimum"), "preset": custom.get("preset")}


def both_forms(params: Mapping[str, Any], name: str) -> tuple[int | None, str | None]:
    """Return an amount in minor units as an integer (None if it has a fraction) and as a decimal string.

    name: the parameter; ``_decimal`` is appended for the decimal form. Both are None if neither was given.
    Raises ApiError if both were given.
    """
    whole, text = params.get(name), params.get(name + "_decimal")
    if whole is not None and text is not None:
        raise exclusive(name, f"{name}_decimal", param=name)
    if text is not None:
        return forms_of(Decimal(str(text)))
    return whole, None if whole is None else str(whole)


def forms_of(number: Decimal) -> tuple[int | None, str]:
    """Return an amount as an integer (None if it has a fraction) and as a decimal string. number: minor units."""
    return int(number) if number == number.to_integral_value() else None, decimal_text(number)


def decimal_text(number: Decimal) -> str:
    """Return a decimal as a string without trailing zeros or exponent."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def tiers_of(given_tiers: Sequence[Mapping[str, Any]]) -> list[api.PriceTier]:
    """Return the tiers of a price as the API shows them; ``inf`` becomes null.

    Raises ApiError if they are not in ascending order.
    """
    made: list[api.PriceTier] = []
    last = 0
    for place, tier in enumerate(given_tiers):
        limit = tier.get("up_to")
        if limit is None:
            raise missing_param(f"tiers[{place}][up_to]")
        final = place == len(given_tiers) - 1
        if (limit == "inf") != final:
            raise invalid(
                "The last tier must have `up_to` set to `inf`, and only the last one.", f"tiers[{place}][up_to]"
            )
        if not final and limit <= last:
            raise invalid("Tiers must be in ascending order of `up_to`.", f"tiers[{place}][up_to]")
        last = last if final else limit
        (flat, flat_text), (unit, unit_text) = both_forms(tier, "flat_amount"), both_forms(tier, "unit_amount")
        if flat_text is None and unit_text is None:
            raise invalid("Each tier must have at least one of `unit_amount` or `flat_amount`.", f"tiers[{place}]")
        made.append(
            {
                "flat_amount": flat,
                "flat_amount_decimal": flat_text,
                "unit_amount": unit,
                "unit_amount_decimal": unit_text,
                "up_to": None if final else limit,
            }
        )
    return made


def check_currencies(given: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a key of ``currency_options`` that is no currency."""
    for code in given:
        shared_currency.check_currency(code, f"currency_options[{code}]")


def names_amount(option: Mapping[str, Any]) -> bool:
    """Return whether an option of ``currency_options`` has an amount."""
    return any(option.get(name) not in (None, []) for name in _OPTION_AMOUNTS)


def check_amounts(options: Mapping[str, Any], known: Mapping[str, object] = MappingProxyType({})) -> None:
    """Raise ApiError 400 for a new option of ``currency_options`` without an amount: it could price nothing.

    known: the options that the price has, by lower-case codes.
    """
    for code, option in options.items():
        if code.lower() not in known and not names_amount(option):
            raise invalid(
                "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
                f"currency_options[{code}][unit_amount]",
                retry=False,
            )


def currency_option(option: Mapping[str, Any]) -> api.CurrencyOption:
    """One entry of ``currency_options``."""
    custom = option.get("custom_unit_amount")
    unit, unit_text = both_forms(option, "unit_amount")
    made: api.CurrencyOption = {
        "custom_unit_amount": _custom_amount(custom) if custom and custom.get("enabled") else None,
        "tax_behavior": shared_fields.given(option, "tax_behavior", "unspecified"),
        "unit_amount": unit,
        "unit_amount_decimal": unit_text,
    }
    if option.get("tiers"):
        made["tiers"] = tiers_of(option["tiers"])
    return made


def free_lookup_key(call: Call, lookup_key: str, transfer: bool) -> None:
    """Remove a lookup key from the price that has it. Raises ApiError if ``transfer`` is false."""
    for owner in call.objects.query(kinds.PRICE, {"lookup_key": lookup_key}, limit=1):
        if not transfer:
            raise invalid(f"A price (`{owner['id']}`) already uses that lookup key.", "lookup_key", retry=False)
        owner["lookup_key"] = None
        call.objects.save(owner, "price.updated")


def all_currencies(price: StoredPrice) -> dict[str, api.CurrencyOption]:
    """Return ``currency_options``: the price's own currency and its further ones."""
    own: api.CurrencyOption = {
        "custom_unit_amount": price["custom_unit_amount"],
        "tax_behavior": price["tax_behavior"],
        "unit_amount": price["unit_amount"],
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    return {price["currency"]: own, **(price.get("_currency_options") or {})}


def in_currency(price: StoredPrice, currency: str) -> StoredPrice | None:
    """Return the price with its amounts in another of its currencies; None if it has none in that currency."""
    if price["currency"] == currency:
        return price
    option = (price.get("_currency_options") or {}).get(currency)
    if option is None:
        return None
    return {
        **price,
        "currency": currency,
        "_tiers": option.get("tiers"),
        "custom_unit_amount": option["custom_unit_amount"],
        "tax_behavior": option["tax_behavior"],
        "unit_amount": option["unit_amount"],
        "unit_amount_decimal": option["unit_amount_decimal"],
    }


def check_currency(price: StoredPrice, currency: str, param: str) -> None:
    """Raise ApiError 400 for a price without an amount in a currency (lower-case code). param: how errors name it."""
    if in_currency(price, currency) is None:
        only = f"The price specified only supports `{price['currency']}`."
        raise invalid(f"{only} This doesn't match the expected currency: `{currency}`.", param)


def recurring(price: api.Price) -> StoredRecurring | None:
    """Return the stored ``recurring`` of a price, with ``trial_period_days``, which the specification no
    longer names.
    """
    return cast("StoredRecurring | None", price["recurring"])


def plan_of(price: api.Price) -> api.Plan:
    """Return a recurring price as a plan."""
    terms = recurring(price)
    assert terms is not None, "only recurring prices are plans"
    plan = new_object(
        kinds.PLAN,
        id=price["id"],
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        billing_scheme=price["billing_scheme"],
        created=price["created"],
        currency=price["currency"],
        interval=terms["interval"],
        interval_count=terms["interval_count"],
        livemode=price["livemode"],
        meter=terms["meter"],
        nickname=price["nickname"],
        product=price["product"],
        tiers_mode=price["tiers_mode"],
        transform_usage=price["transform_quantity"],
        trial_period_days=terms["trial_period_days"],
        usage_type=terms["usage_type"],
    )
    plan["metadata"] = dict(price["metadata"])
    return plan


def inline_price(call: Call, data: Mapping[str, Any], param: str) -> StoredPrice:
    """Create the price that ``price_data`` describes; it cannot be reused.

    param: the parameter that errors name. Raises ApiError if its product does not exist.
    """
    if data.get("product_data"):
        product = new_product(call, data["product_data"])["id"]
    elif data.get("product"):
        product = call.objects.get(kinds.PRODUCT, data["product"], f"{param}[product]")["id"]
    else:
        raise missing_param(f"{param}[product]")
    fields: Params = {
        name: data[name]
        for name in ("currency", "recurring", "tax_behavior", "unit_amount", "unit_amount_decimal")
        if name in data
    }
    return create_price(call, {**fields, "product": product}, inline=True)


def check_sold(call: Call, price: StoredPrice, param: str) -> None:
    """Raise ApiError 400 for a price that is not for sale: it is inactive, or its product is."""
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)
    product = call.objects.find(kinds.PRODUCT, price["product"])
    if product is not None and not product["active"]:
        raise not_sold(price, param)


def not_sold(price: StoredPrice, param: str) -> ApiError:
    """Return the 400 for a price whose product is inactive, in the words of public reports."""
    return invalid(f"Price `{price['id']}` is not available to be purchased because its product is not active.", param)


def missing_plan(call: Call, id: str, param: str | None = None) -> Exception:
    """Return the error for a plan that does not exist."""
    other = "live" if call.objects.table(kinds.PRICE).exists_in_other_mode(call.tx, call.scope, id) else None
    if other is not None and call.livemode:
        other = "test"
    return missing_object("plan", id, param or "plan", in_path=param is None, other_mode=other)


def named_price(call: Call, params: Mapping[str, Any], param: str = "") -> StoredPrice:
    """Return the price that an item refers to by ``price``, ``plan`` or ``price_data``.

    param: how errors name the item, for example ``items[0]``.
    Raises ApiError if the price or plan does not exist (like the real API it then names the parameter without the
    item), or if none is given.
    """
    found: StoredPrice | None
    given = [name for name in ("price_data", "price", "plan") if params.get(name)]
    if len(given) > 1:
        raise exclusive(*given, param=f"{param}[{given[1]}]" if param else given[1])
    if params.get("price_data"):
        found = inline_price(call, params["price_data"], f"{param}[price_data]" if param else "price_data")
    elif params.get("price"):
        found = call.objects.find(kinds.PRICE, params["price"])
        if found is None:
            raise call.objects.missing(kinds.PRICE, params["price"], f"{param}[price]" if param else "price")
    elif params.get("plan"):
        found = call.objects.find(kinds.PRICE, params["plan"])
        if found is None or not found["recurring"]:
            raise missing_plan(call, params["plan"], "plan")
    else:
        raise missing_param(f"{param}[price]" if param else "price")
    return found
