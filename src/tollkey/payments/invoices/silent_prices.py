"""The inactive prices and products of invoice items and lines that have an amount and no price, with their taxes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import pricing, tax_code_table
from tollkey.payments.invoices import kinds
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid, new_object

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.invoices.stored import StoredInvoiceItem


def create(call: Call, params: Mapping[str, Any], currency: str, unit: Decimal) -> StoredPrice:
    """Create the inactive price and product of an amount without a price; no events. unit: minor units.

    params: ``description``, ``tax_behavior`` and ``tax_code`` count. Raises ApiError 400 for an unknown tax code.
    """
    tax_code_table.check(params.get("tax_code"))
    product = new_object(
        kinds.PRODUCT,
        id=call.ids.new("prod"),
        active=False,
        created=call.now,
        updated=call.now,
        livemode=call.livemode,
        name=params.get("description") or "Invoice item",
        tax_code=params.get("tax_code") or None,
    )
    product["_silent"] = True
    call.objects.insert(product)
    whole, text = pricing.forms_of(unit)
    price = new_object(
        kinds.PRICE,
        id=call.ids.new("price"),
        active=False,
        billing_scheme="per_unit",
        created=call.now,
        currency=currency,
        livemode=call.livemode,
        product=product["id"],
        tax_behavior=fields.given(params, "tax_behavior", "unspecified"),
        type="one_time",
        unit_amount=whole,
        unit_amount_decimal=text,
    )
    return call.objects.insert(price)


def set_taxes(call: Call, item: StoredInvoiceItem, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Set ``tax_behavior`` and ``tax_code`` of an item; return both as they are from now on.

    A price that was named keeps its own. Raises ApiError 400 for an unknown tax code, and for another behavior than one
    that was ``inclusive`` or ``exclusive``.
    """
    tax_code_table.check(params.get("tax_code"))
    details = item["pricing"]["price_details"] if item["pricing"] else None
    price = call.objects.find(kinds.PRICE, details["price"] if details else "")
    product = call.objects.find(kinds.PRODUCT, price["product"]) if price is not None else None
    known = (price.get("tax_behavior") if price is not None else None) or "unspecified"
    behavior = fields.given(params, "tax_behavior", known)
    if behavior != known and known != "unspecified":
        raise invalid(
            "The tax behavior of an invoice item cannot be changed once it is `inclusive` or `exclusive`.",
            "tax_behavior",
        )
    if price is None or product is None or not product.get("_silent"):
        return {"tax_behavior": behavior, "tax_code": params.get("tax_code")}
    if behavior != known:
        price["tax_behavior"] = behavior
        call.objects.save(price)
    if "tax_code" in params:
        product["tax_code"] = params["tax_code"] or None
        call.objects.save(product)
    return {"tax_behavior": behavior, "tax_code": product["tax_code"]}
