"""Line items of a session: their prices, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tollkey.payments._billing.tiers import cost
from tollkey.payments._billing.totals import Line, Off, Rate, compute
from tollkey.payments._discounting import imagine, offs
from tollkey.payments._pricing import in_currency, named_price, public
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
        if not price["active"] and not entry.get("price_data"):
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
                "_inline": bool(entry.get("price_data")),
            }
        )  # fmt: skip
    return items


def _rate(call: Call, id: str) -> Rate:
    found = call.objects.get("tax_rate", id, "line_items[0][tax_rates][0]")
    return Rate(id, Decimal(str(found["percentage"])), found["inclusive"])


def total(call: Call, session: Json) -> None:
    """Work out discounts and taxes of the items, and the session's sums."""
    items = session["_lines"]
    shapes = [
        Line(item["amount_subtotal"], product=item["price"]["product"], rates=[_rate(call, id) for id in item["_rates"]]) for item in items
    ]
    taken: list[Off] = []
    for entry in session["_discounts"]:
        taken += offs(call, [imagine(call, entry)["id"]], session["currency"], call.now)
    sums = compute(shapes, taken)
    for item, line in zip(items, shapes, strict=True):
        tax = sum(part.amount for part in line.taxes)
        item.update(amount_discount=sum(amount for _, amount in line.off), amount_tax=tax, amount_total=line.gross)
    tax = sum(part.amount for part in sums.taxes)
    shipping = (session["shipping_cost"] or {}).get("amount_total") or 0
    session["amount_subtotal"] = sums.subtotal
    session["amount_total"] = sums.total + shipping
    session["total_details"] = {
        "amount_discount": sum(amount for _, amount in sums.discounts),
        "amount_shipping": shipping,
        "amount_tax": tax,
    }


def shown(items: Sequence[Json]) -> list[Json]:
    """Items as they are answered."""
    return [{name: value for name, value in item.items() if not name.startswith("_")} for item in items]
