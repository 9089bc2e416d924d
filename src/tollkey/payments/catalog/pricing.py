"""Prices as other files need them: make one, find the one that parameters name, see it as a plan."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.db import Duplicate
from tollkey.payments.catalog.arithmetic import LONGEST
from tollkey.payments.catalog.product_rules import new_product
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields as shared_fields
from tollkey.wire import Call, Json, Params, blank, invalid, missing_object, missing_param

if TYPE_CHECKING:
    from tollkey.wire.api import EventType

AMOUNTS = ("custom_unit_amount", "unit_amount", "unit_amount_decimal")


def make_price(call: Call, params: Params, *, inline: bool = False, plan: bool = False) -> Json:
    """Store a price, with its events.

    params: as for ``POST /v1/prices``; ``product`` is there already. inline: made from ``price_data``, so it cannot be
        used again.
    plan: it is made as a plan, whose id may be the caller's and whose event comes first.
    Raises ApiError for amounts, tiers and intervals that do not fit together, and for a lookup key that is in use.
    """
    currency = shared_currency.check_currency(params["currency"])
    price = blank(
        "price",
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
        price["_currency_options"] = {
            code.lower(): currency_option(option) for code, option in params["currency_options"].items()
        }
    if params.get("_aggregate_usage"):
        price["_aggregate_usage"] = params["_aggregate_usage"]
    if price["lookup_key"] is not None:
        free_lookup_key(call, price["lookup_key"], bool(params.get("transfer_lookup_key")))
    try:
        call.objects.insert(price)
    except Duplicate:
        raise invalid("Plan already exists.", None, "resource_already_exists", retry=False) from None
    events: list[tuple[EventType, Json]] = [("price.created", price)]
    if price["recurring"]:
        events.insert(0 if plan else 1, ("plan.created", plan_of(price)))
    for type, value in events:
        call.emit(type, value)
    return price


def recurring_of(given_recurring: Json) -> Json:
    """The ``recurring`` hash of a price. Raises ApiError for an interval of more than three years."""
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


def _amounts(price: Json, params: Params) -> None:
    if price["billing_scheme"] == "tiered":
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
        price["_tiers"] = tiers_of(params["tiers"])
        return
    if params.get("tiers"):
        raise invalid("You may only specify `tiers` when `billing_scheme` is set to `tiered`.", "tiers")
    custom = params.get("custom_unit_amount")
    if custom and custom.get("enabled"):
        price["custom_unit_amount"] = {name: custom.get(name) for name in ("maximum", "minimum", "preset")}
        return
    price.update(unit_pair(params, "unit_amount"))
    if price["unit_amount_decimal"] is None:
        raise invalid(
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
            "unit_amount",
            "parameter_missing",
            retry=False,
        )


def unit_pair(params: Json, name: str) -> Json:
    """An amount in both of its forms, whole (None when it has a fraction) and decimal text; both None when not
    given.
    """
    whole, text = params.get(name), params.get(name + "_decimal")
    if whole is not None and text is not None:
        raise invalid(f"You may only specify one of these parameters: {name}, {name}_decimal.", name)
    if text is not None:
        number = Decimal(str(text))
        return {
            name: int(number) if number == number.to_integral_value() else None,
            name + "_decimal": decimal_text(number),
        }
    return {name: whole, name + "_decimal": None if whole is None else str(whole)}


def decimal_text(number: Decimal) -> str:
    """A decimal without trailing zeros or an exponent."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def tiers_of(given_tiers: list[Json]) -> list[Json]:
    """The tiers of a price as answers show them; ``inf`` is null.

    Raises ApiError when they are not in ascending order.
    """
    made = []
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
        pair = {**unit_pair(tier, "flat_amount"), **unit_pair(tier, "unit_amount")}
        if pair["flat_amount_decimal"] is None and pair["unit_amount_decimal"] is None:
            raise invalid("Each tier must have at least one of `unit_amount` or `flat_amount`.", f"tiers[{place}]")
        made.append({**pair, "up_to": None if final else limit})
    return made


def currency_option(option: Json) -> Json:
    """One entry of ``currency_options``."""
    custom = option.get("custom_unit_amount")
    made: Json = {
        "custom_unit_amount": {name: custom.get(name) for name in ("maximum", "minimum", "preset")} if custom else None,
        "tax_behavior": shared_fields.given(option, "tax_behavior", "unspecified"),
        **unit_pair(option, "unit_amount"),
    }
    if option.get("tiers"):
        made["tiers"] = tiers_of(option["tiers"])
    return made


def free_lookup_key(call: Call, lookup_key: str, transfer: bool) -> None:
    """Take a lookup key from the price that has it. Raises ApiError unless it may be transferred."""
    for owner in call.objects.query("price", {"lookup_key": lookup_key}, limit=1):
        if not transfer:
            raise invalid(
                f"A price (`{owner['id']}`) already uses that lookup key.",
                "lookup_key",
                "resource_already_exists",
                retry=False,
            )
        owner["lookup_key"] = None
        call.objects.save(owner, "price.updated")


def all_currencies(price: Json) -> Json:
    """``currency_options``: the price's own currency, and the others it was given."""
    own = {
        "custom_unit_amount": price["custom_unit_amount"],
        "tax_behavior": price["tax_behavior"],
        "unit_amount": price["unit_amount"],
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    return {price["currency"]: own, **(price.get("_currency_options") or {})}


def in_currency(price: Json, currency: str) -> Json | None:
    """The price with the amounts of another of its currencies; None when it has none for that."""
    if price["currency"] == currency:
        return price
    option = (price.get("_currency_options") or {}).get(currency)
    if option is None:
        return None
    return {**price, "currency": currency, "_tiers": option.get("tiers"), **{name: option[name] for name in AMOUNTS}}


def plan_of(price: Json) -> Json:
    """A recurring price as the plan that it is, too."""
    recurring = price["recurring"]
    plan = blank(
        "plan",
        id=price["id"],
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        billing_scheme=price["billing_scheme"],
        created=price["created"],
        currency=price["currency"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        livemode=price["livemode"],
        meter=recurring["meter"],
        nickname=price["nickname"],
        product=price["product"],
        tiers_mode=price["tiers_mode"],
        transform_usage=price["transform_quantity"],
        trial_period_days=recurring["trial_period_days"],
        usage_type=recurring["usage_type"],
    )
    plan["metadata"] = dict(price["metadata"])
    return plan


def inline_price(call: Call, data: Params, param: str) -> Json:
    """The price that ``price_data`` describes: made, and not usable again.

    Raises ApiError when its product is not there.
    """
    if data.get("product_data"):
        product = new_product(call, data["product_data"])["id"]
    elif data.get("product"):
        product = call.objects.get("product", data["product"], f"{param}[product]")["id"]
    else:
        raise missing_param(f"{param}[product]")
    fields: Json = {
        name: data[name]
        for name in ("currency", "recurring", "tax_behavior", "unit_amount", "unit_amount_decimal")
        if name in data
    }
    return make_price(call, {**fields, "product": product}, inline=True)


def missing_plan(call: Call, id: str, param: str | None = None) -> Exception:
    """The error for a plan that is not there."""
    other = "live" if call.objects.table("price").exists_in_other_mode(call.tx, call.scope, id) else None
    if other is not None and call.livemode:
        other = "test"
    return missing_object("plan", id, param or "plan", in_path=param is None, other_mode=other)


def named_price(call: Call, params: Params, param: str = "") -> Json:
    """The price that an item's ``price``, ``plan`` or ``price_data`` names.

    param: how errors name the item, for example ``items[0]``.
    Raises ApiError: no such price or plan (the parameter is named without the item, as the real answers do), or none
        given.
    """
    if params.get("price_data"):
        return inline_price(call, params["price_data"], f"{param}[price_data]" if param else "price_data")
    if params.get("price"):
        found: Any = call.objects.find("price", params["price"])
        if found is None:
            raise call.objects.missing("price", params["price"], f"{param}[price]" if param else "price")
    elif params.get("plan"):
        found = call.objects.find("price", params["plan"])
        if found is None or not found["recurring"]:
            raise missing_plan(call, params["plan"], "plan")
    else:
        raise missing_param(f"{param}[price]" if param else "price")
    price: Json = found
    return price
