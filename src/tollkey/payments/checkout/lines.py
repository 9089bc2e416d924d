"""Line items of a session: their prices, and the session's totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic, pricing, redemption
from tollkey.payments.checkout import kinds
from tollkey.payments.checkout.known import price_of
from tollkey.payments.checkout.place import taxed_at
from tollkey.payments.shared import clock
from tollkey.payments.tax import automatic
from tollkey.wire import Call, invalid
from tollkey.wire.errors import too_small
from tollkey.wire.objects import public, value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredLine, StoredSession
    from tollkey.wire import api

_RATE = "line_items[0][tax_rates][0]"  # the parameter in the error of an unknown tax rate


def old_item(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Translate a line item from before prices: amount, currency, name and quantity."""
    if item.get("price") or item.get("price_data") or item.get("amount") is None:
        return item
    product = {"name": item.get("name") or "Item"}
    for name in ("description", "images"):
        if item.get(name):
            product[name] = item[name]
    data = {"currency": item["currency"], "unit_amount": item["amount"], "product_data": product}
    return {"price_data": data, "quantity": item.get("quantity", 1), "tax_rates": item.get("tax_rates")}


def check_quantities(given: Sequence[Mapping[str, Any]]) -> None:
    """Raise ApiError 400 for a quantity below 1; only customers can reduce a line to 0."""
    for index, entry in enumerate(given):
        if entry.get("quantity") is not None and entry["quantity"] < 1:
            param = f"line_items[{index}][quantity]"
            raise too_small(param)


def make_items(
    call: Call, given: Sequence[Mapping[str, Any]], currency: str | None, id_prefix: str = "li"
) -> list[StoredLine]:
    """Return line items as a session stores them, with their private fields.

    currency: lower-case code; that of the first price if None. id_prefix: of the items' ids. Raises ApiError 400 for an
        unknown or inactive price, one without an amount in the currency, or a missing quantity.
    """
    items: list[StoredLine] = []
    for index, raw in enumerate(given):
        entry = old_item(raw)
        param = f"line_items[{index}]"
        if not entry.get("price") and not entry.get("price_data"):
            raise invalid("You must provide either price or price_data for each line item when using prices.")
        price = pricing.named_price(call, entry, param)
        inline = bool(entry.get("price_data") or entry.get("_inline"))
        if not inline:
            pricing.check_sold(call, price, f"{param}[price]")
        wanted = currency or price["currency"]
        option = pricing.in_currency(price, wanted)
        if option is None:
            raise invalid(f"The price `{price['id']}` is not available in the currency `{wanted}`.", f"{param}[price]")
        currency = wanted
        metered = value_at(price, "recurring.usage_type") == "metered"
        quantity = entry.get("quantity")
        if quantity is None and not metered:
            raise invalid("Quantity is required. Add `quantity` to `" + param + "`", param)
        if quantity is not None and metered:
            raise invalid(
                f"Quantity should not be specified where usage_type is `metered`. Remove quantity from `{param}`", param
            )
        product = call.objects.get(kinds.PRODUCT, price["product"])
        custom = price["custom_unit_amount"] or {}
        chosen = entry.get("_amount") or custom.get("preset")
        amount = (
            0
            if metered
            else (chosen or 0) * (quantity or 1)
            if custom
            else arithmetic.cost({**price, **option}, quantity or 0)
        )
        items.append(
            {
                "id": call.ids.new(id_prefix), "object": "item", "amount_discount": 0, "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount, "currency": wanted, "description": product["name"], "price": public(price),
                "quantity": quantity, "metadata": entry.get("metadata") or {},
                "adjustable_quantity": entry.get("adjustable_quantity"), "_rates": entry.get("tax_rates") or [],
                "_inline": inline, "_recurs": amount if price["recurring"] else None,
                "_amount": chosen if custom else None,
                "_optional": entry.get("_optional"),
            }
        )  # fmt: skip
    return items


def _due_today(call: Call, session: StoredSession, item: StoredLine) -> int:
    """Return what a recurring item costs now (minor units): 0 in a trial, prorated before a future anchor."""
    data, whole = session["_subscription_data"], item["_recurs"] or 0
    if data.get("trial_period_days") or data.get("trial_end"):
        return 0
    anchor = data.get("billing_cycle_anchor")
    if anchor is None:
        return whole
    if data.get("proration_behavior") == "none":
        return 0
    now = clock.for_customer(call, call.objects.find(kinds.CUSTOMER, session["customer"] or "")).now
    recurring = price_of(item)["recurring"]
    assert recurring is not None, "only items with a recurring price have _recurs"
    return arithmetic.prorated(
        whole,
        arithmetic.Period(
            arithmetic.shift(int(anchor), recurring["interval"], -recurring["interval_count"]), int(anchor)
        ),
        now,
    )


def breakdown(call: Call, session: StoredSession) -> api.PaymentPagesCheckoutSessionTotalDetailsResourceBreakdown:
    """Return ``total_details.breakdown``: the amount of each discount and of each tax rate."""
    kept = session.get("_breakdown")
    if kept is None:
        return {"discounts": [], "taxes": []}
    taxes: list[api.LineItemsTaxAmount] = [
        {
            "amount": one["amount"],
            "rate": call.objects.copy(call.objects.get(kinds.TAX_RATE, one["rate"])),
            "taxability_reason": None if one["reason"] == "not_available" else one["reason"],
            "taxable_amount": one["taxable"],
        }
        for one in kept["taxes"]
    ]
    return {"discounts": [one.copy() for one in kept["discounts"]], "taxes": taxes}


def total(call: Call, session: StoredSession) -> None:
    """Compute discounts and taxes of the items, and the session's totals."""
    items = session["_lines"]
    for item in items:
        if item.get("_recurs") is not None:
            item["amount_subtotal"] = _due_today(call, session, item)
    how = taxed_at(call, session)
    default = session["_subscription_data"].get("default_tax_rates") or []
    shapes = [
        arithmetic.Line(
            Money(item["amount_subtotal"], item["currency"]),
            product=price_of(item)["product"],
            rates=automatic.rates_of(call, item, how, _RATE),
        )
        for item in items
    ]
    currency = session["currency"] or "usd"  # a session in mode setup may have none, and has no lines
    imagined = [
        redemption.preview_discount(call, entry, f"discounts[{place}]")
        for place, entry in enumerate(session["_discounts"])
    ]
    taken: list[arithmetic.Off] = []
    for one in imagined:
        taken += redemption.effects(call, [one["id"]], currency, call.now)
    sums = arithmetic.compute(
        shapes,
        taken,
        [] if how is not None else [automatic.rate_of(call, id, _RATE) for id in default],
        currency=currency,
    )
    for item, line in zip(items, shapes, strict=True):
        tax = sum(part.amount for part in line.taxes)
        item.update(
            {
                "amount_discount": sum(amount for _, amount in line.off),
                "amount_tax": tax,
                "amount_total": line.gross.amount,
            }
        )
    tax = sum(part.amount for part in sums.taxes)
    if session["shipping_cost"] is not None:
        tax += sum(part.amount for part in automatic.taxed_shipping(call, session["shipping_cost"], how, currency))
    shown = {one["id"]: public(one) for one in imagined}
    session["_breakdown"] = {
        "discounts": [{"amount": amount, "discount": shown[id]} for id, amount in sums.discounts],
        "taxes": [
            {"amount": tax.amount, "rate": tax.rate.id, "reason": tax.rate.reason, "taxable": tax.taxable}
            for tax in sums.taxes
        ],
    }
    shipping = session["shipping_cost"] or {"amount_subtotal": 0, "amount_total": 0}
    session["amount_subtotal"] = sums.subtotal.amount
    session["amount_total"] = sums.total.amount + shipping["amount_total"]
    session["total_details"] = {
        "amount_discount": sum(amount for _, amount in sums.discounts),
        "amount_shipping": shipping["amount_subtotal"],
        "amount_tax": tax,
    }


def shown(items: Sequence[StoredLine]) -> list[StoredLine]:
    """Return line items without their private fields."""
    return [public(item) for item in items]
