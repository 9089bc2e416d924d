"""Line items of a session: their prices, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tollkey.payments._billing.tiers import cost
from tollkey.payments._billing.totals import Line, Off, Rate, compute
from tollkey.payments._discounting import imagine, offs
from tollkey.payments._pricing import in_currency, named_price, public
from tollkey.payments._taxing import Taxing, rate_of_price
from tollkey.payments.checkout_sessions._place import shipping_rates, taxed_at
from tollkey.wire import Call, Json, dig, invalid


def old_item(item: Json) -> Json:
    """A line item as callers wrote it before prices: amount, currency, name and quantity."""
    if item.get("price") or item.get("price_data") or item.get("amount") is None:
        return item
    product = {"name": item.get("name") or "Item"}
    for name in ("description", "images"):
        if item.get(name):
            product[name] = item[name]
    data = {"currency": item["currency"], "unit_amount": item["amount"], "product_data": product}
    return {"price_data": data, "quantity": item.get("quantity") or 1, "tax_rates": item.get("tax_rates")}


def make_items(call: Call, given: Sequence[Json], currency: str | None, id_prefix: str = "li") -> list[Json]:
    """Items as they are stored in a session: the answer's fields, and ``_price`` and ``_rates`` beside them.

    Raises ApiError: no such price, not in the session's currency, or a quantity is missing.
    """
    items = []
    for index, raw in enumerate(given):
        entry = old_item(raw)
        param = f"line_items[{index}]"
        price = named_price(call, entry, param)
        inline = bool(entry.get("price_data") or entry.get("_inline"))
        if not price["active"] and not inline:
            raise invalid("The price specified is inactive. This field only accepts active prices.", f"{param}[price]")
        wanted = currency or price["currency"]
        option = in_currency(price, wanted)
        if option is None:
            raise invalid(f"The price `{price['id']}` is not available in the currency `{wanted}`.", f"{param}[price]")
        currency = wanted
        metered = dig(price, "recurring.usage_type") == "metered"
        quantity = entry.get("quantity")
        if quantity is None and not metered:
            raise invalid("Quantity is required. Add `quantity` to `" + param + "`", f"{param}[quantity]")
        product = call.objects.get("product", price["product"])
        custom = price["custom_unit_amount"] or {}
        amount = 0 if metered else (custom.get("preset") or 0) * (quantity or 1) if custom else cost({**price, **option}, quantity or 0)
        items.append(
            {
                "id": call.ids.new(id_prefix), "object": "item", "amount_discount": 0, "amount_subtotal": amount, "amount_tax": 0,
                "amount_total": amount, "currency": wanted, "description": product["name"], "price": public(price),
                "quantity": quantity, "metadata": entry.get("metadata") or {},
                "adjustable_quantity": entry.get("adjustable_quantity"), "_rates": entry.get("tax_rates") or [],
                "_inline": inline, "_recurs": amount if price["recurring"] else None,
            }
        )  # fmt: skip
    return items


def _rate(call: Call, id: str) -> Rate:
    found = call.objects.get("tax_rate", id, "line_items[0][tax_rates][0]")
    return Rate(id, Decimal(str(found["percentage"])), found["inclusive"])


def _rates(call: Call, item: Json, how: Taxing | None) -> list[Rate]:
    """The rates of an item: those it was given, or that of the customer's place."""
    if item["_rates"] or how is None:
        return [_rate(call, id) for id in item["_rates"]]
    return [rate_of_price(call, how, item["price"]["id"], item["currency"])]


def _ship(call: Call, session: Json, how: Taxing | None) -> int:
    """Add the tax to what delivery costs; answers the tax in minor units."""
    cost = session["shipping_cost"]
    if cost is None:
        return 0
    line = Line(cost["amount_subtotal"], rates=shipping_rates(call, session, how))
    compute([line])
    cost["amount_tax"], cost["amount_total"] = sum(tax.amount for tax in line.taxes), line.gross
    return int(cost["amount_tax"])


def total(call: Call, session: Json) -> None:
    """Work out discounts and taxes of the items, and the session's sums."""
    items = session["_lines"]
    trial = session["_subscription_data"]
    for item in items:
        if item["_recurs"] is not None:  # it is free as long as the trial is
            free = trial.get("trial_period_days") or trial.get("trial_end")
            item["amount_subtotal"] = 0 if free else item["_recurs"]
    how = taxed_at(call, session)
    shapes = [Line(item["amount_subtotal"], product=item["price"]["product"], rates=_rates(call, item, how)) for item in items]
    taken: list[Off] = []
    for entry in session["_discounts"]:
        taken += offs(call, [imagine(call, entry)["id"]], session["currency"], call.now)
    sums = compute(shapes, taken)
    for item, line in zip(items, shapes, strict=True):
        tax = sum(part.amount for part in line.taxes)
        item.update(amount_discount=sum(amount for _, amount in line.off), amount_tax=tax, amount_total=line.gross)
    tax = sum(part.amount for part in sums.taxes) + _ship(call, session, how)
    shipping = session["shipping_cost"] or {"amount_subtotal": 0, "amount_total": 0}
    session["amount_subtotal"] = sums.subtotal
    session["amount_total"] = sums.total + shipping["amount_total"]
    session["total_details"] = {
        "amount_discount": sum(amount for _, amount in sums.discounts),
        "amount_shipping": shipping["amount_subtotal"],
        "amount_tax": tax,
    }


def shown(items: Sequence[Json]) -> list[Json]:
    """Items as they are answered."""
    return [{name: value for name, value in item.items() if not name.startswith("_")} for item in items]
