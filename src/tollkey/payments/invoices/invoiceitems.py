"""Invoice items: amounts for a customer's next invoice, or for a draft.

pending ──added to an invoice──▶ invoiced
   └──delete──▶ deleted   (also from a draft)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.catalog import custom_amounts, pricing, redemption
from tollkey.payments.invoices import kinds, silent_prices
from tollkey.payments.invoices.drafts import refresh, subscription_for, tax_rates
from tollkey.payments.invoices.line_terms import Priced
from tollkey.payments.invoices.lines import details_of, invoice_item_line, pricing_at
from tollkey.payments.invoices.rules import check_automatic_tax, check_room
from tollkey.payments.invoices.versions import ITEM_CREATE_REMOVED, ITEM_UPDATE_REMOVED
from tollkey.payments.shared import clock, fields, rounding
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.tax import tax_rates as stored_rates
from tollkey.wire import ApiError, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import exclusive, in_brackets, missing_param
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted, public, value_at
from tollkey.wire.pages import list_page, retrieve
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice, StoredInvoiceItem
    from tollkey.wire import operations

#: Parameters that say what an item costs.
_PRICES = ("amount", "price", "pricing", "price_data", "unit_amount", "unit_amount_decimal")
PERMISSION = Permission("invoice_item", "Invoice Items", "Billing")


def create(call: Call, params: operations.PostInvoiceitems) -> StoredInvoiceItem:
    """Create an invoice item, pending or on a draft invoice."""
    check_price(call, params)
    return add(call, params)


def check_price(call: Call, params: Mapping[str, object], place: str = "") -> None:
    """Raise ApiError 400 for a price that is archived or of an archived product, and for one whose amount is chosen.

    params: ``price``, also inside ``pricing``. place: the path of these parameters, for errors.
    """
    named: str = value_at(params, "price") or value_at(params, "pricing.price") or ""
    price = call.objects.find(kinds.PRICE, named)
    if price is None:
        return
    within = [place] if place else []
    param = in_brackets(*within, "price") if params.get("price") else in_brackets(*within, "pricing", "price")
    pricing.check_sold(call, price, param)
    custom_amounts.check_known(price, param)


def add(call: Call, params: Mapping[str, Any]) -> StoredInvoiceItem:
    """Create an invoice item, also one that a schedule's phase adds, with its promised discounts.

    params: of the endpoint; ``discounts`` may be entries of ``catalog.redemption``. Raises ApiError 400.
    """
    check_amount(params, "amount")
    customer = params.get("customer")
    invoice = call.objects.get(kinds.INVOICE, params["invoice"], "invoice") if params.get("invoice") else None
    if customer is None and invoice is not None:
        customer = invoice["customer"]
    if customer is None:
        raise missing_param("customer")
    owner = call.objects.get(kinds.CUSTOMER, customer, "customer")
    call = clock.for_customer(call, owner)
    stored_rates.check_active(call, params.get("tax_rates"), "tax_rates")
    item = _new(call, params, owner, invoice)
    if invoice is not None:
        attach(call, item, invoice)
    call.objects.insert(item, "invoiceitem.created")
    if invoice is not None:
        call.objects.save(invoice, "invoice.updated")
    return item


def check_amount(params: Mapping[str, Any], param: str) -> None:
    """Raise ApiError 400 for an ``amount``, which is that of all units, together with a quantity, for several prices of
    one item, of which only one could count (inferred), and for a period that ``check_period`` refuses.

    param: the name of the amount in bracket form.
    """
    for name in ("quantity", "quantity_decimal"):
        if params.get("amount") is not None and params.get(name) is not None:
            raise exclusive("amount", name, param=param)
    prices = [name for name in _PRICES if params.get(name) is not None]
    if len(prices) > 1:
        raise exclusive(*prices[:2], param=_beside(param, prices[1]))
    check_period(params.get("period"), _beside(param, "period"))


def check_period(period: Mapping[str, Any] | None, param: str) -> None:
    """Raise ApiError 400 for a period whose end is not "greater than or equal to the start" (specification).

    param: the name of the period in bracket form. The text is ours.
    """
    if period and int(period["end"]) < int(period["start"]):
        raise invalid("The end of a period must not be before its start.", f"{param}[end]")


def _beside(amount: str, *names: str) -> str:
    """Return how errors name a parameter beside an amount: ``lines[0][period][end]`` for ``lines[0][amount]``."""
    within = amount.removesuffix("amount").removesuffix("[amount]")
    return in_brackets(*([within] if within else []), *names)


def attach(call: Call, item: StoredInvoiceItem, invoice: StoredInvoice) -> None:
    """Add an item to a draft as its last line; the caller stores both.

    Raises ApiError 400 if the invoice is not a draft, is of another customer, has another currency, or is full.
    """
    if item["customer"] != invoice["customer"]:
        raise invalid("The invoice belongs to a different customer.", "invoice")
    if invoice["status"] != "draft":
        raise invalid(
            f"You can only add invoice items to draft invoices. The invoice {invoice['id']} has a status of"
            f" {invoice['status']}.",
            "invoice",
            "invoice_not_editable",
        )
    if item["currency"] != invoice["currency"]:
        raise invalid(
            f"You cannot combine currencies on a single invoice. This invoice has invoice items currency"
            f" {item['currency']} that conflicts with the invoice currency {invoice['currency']}.",
        )
    check_room(invoice)
    item["invoice"], item["_pending"] = invoice["id"], False
    line = invoice_item_line(call, item)
    line["invoice"] = invoice["id"]
    check_automatic_tax(invoice, "tax_rates" if item["tax_rates"] else "amount", line)
    invoice["lines"]["data"].append(line)
    refresh(call, invoice)


def _new(
    call: Call, params: Mapping[str, Any], customer: StoredCustomer, invoice: StoredInvoice | None
) -> StoredInvoiceItem:
    """Return a new pending invoice item, not stored."""
    id = call.ids.new("ii")
    period = params.get("period") or {"start": call.now, "end": call.now}
    fallback = (invoice["currency"] if invoice else None) or customer.get("currency") or "usd"
    priced = pricing_of(call, params, fields.given(params, "currency", fallback))
    item = new_object(
        kinds.INVOICE_ITEM,
        id=id,
        amount=priced.amount,
        currency=priced.currency,
        customer=customer["id"],
        date=call.now,
        description=params.get("description") or priced.description,
        discountable=fields.given(params, "discountable", priced.amount >= 0),
        livemode=call.livemode,
        period={"end": period["end"], "start": period["start"]},
        pricing=priced.pricing,
        proration=False,
        quantity=priced.quantity,
        quantity_decimal=priced.quantity_decimal,
        test_clock=customer.get("test_clock"),
    )
    item["metadata"] = fields.new_metadata(params)
    item["tax_rates"] = tax_rates(call, params.get("tax_rates"), "tax_rates")
    item["discounts"] = redemption.redeem_all(
        call,
        params.get("discounts") or [],
        param="discounts",
        customer=customer,
        currency=item["currency"],
        invoice_item=id,
    )
    if params.get("subscription"):
        subscription = subscription_for(call, params["subscription"], customer["id"])["id"]
        item["_subscription"], item["_subscription_item"] = subscription, None
        item["parent"] = {"subscription_details": {"subscription": subscription}, "type": "subscription_details"}
    item["_pending"] = True
    return item


def not_once(param: str) -> ApiError:
    """Return the 400 for a recurring price of something that is billed once."""
    return invalid(
        "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.", param
    )


def pricing_of(call: Call, params: Mapping[str, Any], currency: str) -> Priced:
    """Return amount, quantity and price of an invoice item or a line without a subscription.

    params: ``amount``; or ``price`` (also inside ``pricing``), ``price_data`` or ``unit_amount`` with ``quantity`` or
        ``quantity_decimal``.
        currency: lower-case code, used unless a price sets another one. Raises ApiError 400 for a recurring price, or
        without a price or an amount.
    """
    exact = params.get("quantity_decimal")
    quantity = Decimal(exact if exact is not None else fields.given(params, "quantity", 1))
    named = (params.get("pricing") or {}).get("price") or params.get("price")
    price: StoredPrice | None = None
    if named:
        price = call.objects.get(kinds.PRICE, named, "price" if params.get("price") else "pricing[price]")
        if price["recurring"]:
            raise not_once("price")
        if params.get("currency"):
            pricing.check_currency(price, currency, "price" if params.get("price") else "pricing[price]")
        price = pricing.in_currency(price, currency) or price
    elif params.get("price_data"):
        price = pricing.inline_price(call, params["price_data"], "price_data")
    currency = price["currency"] if price else shared_currency.check_currency(currency)
    if price is not None:
        unit = Decimal(price["unit_amount_decimal"] or 0)
    elif params.get("unit_amount_decimal") is not None or params.get("unit_amount") is not None:
        unit = Decimal(str(fields.given(params, "unit_amount_decimal", params.get("unit_amount"))))
    elif params.get("amount") is not None:
        unit, quantity = Decimal(params["amount"]), Decimal(1)
    else:
        raise missing_param("amount")
    if price is None:
        price = silent_prices.create(call, params, currency, unit)
    product = call.objects.find(kinds.PRODUCT, price["product"])
    return Priced(
        amount=rounding.price_amount(unit, quantity),
        currency=currency,
        quantity=int(quantity),
        exact=quantity,
        pricing=pricing_at(price["id"], price["product"], unit),
        description=product["name"] if product and not product.get("_silent") else None,
    )


def update(call: Call, params: operations.PostInvoiceitemsInvoiceitem) -> StoredInvoiceItem:
    """Change an invoice item that is pending or on a draft."""
    check_amount(params, "amount")
    check_price(call, params)
    item = call.objects.get(kinds.INVOICE_ITEM, call.path["invoiceitem"])
    customer = call.objects.get(kinds.CUSTOMER, item["customer"], "customer")
    call = clock.for_customer(call, customer)
    invoice = _editable(call, item)
    taxes = silent_prices.set_taxes(call, item, params)
    if params.get("discountable") and item["proration"]:
        raise invalid("You cannot set `discountable` to true for prorations.", "discountable")
    fields.assign_with_metadata(item, params, ("description", "discountable"))
    if params.get("period"):
        item["period"] = {"end": params["period"]["end"], "start": params["period"]["start"]}
    if "tax_rates" in params:
        stored_rates.check_active(call, params["tax_rates"], "tax_rates", item["tax_rates"])
        item["tax_rates"] = tax_rates(call, params["tax_rates"], "tax_rates")
    if "discounts" in params:
        item["discounts"] = redemption.redeem_all(
            call,
            redemption.entries(params["discounts"]),
            param="discounts",
            customer=customer,
            currency=item["currency"],
            invoice_item=item["id"],
        )
    if any(params.get(name) is not None for name in (*_PRICES, "quantity", "quantity_decimal")):
        _reprice(call, item, {**params, **taxes})
    call.objects.save(item, "invoiceitem.updated")
    if invoice is not None:
        _rebuild_line(call, item, invoice)
    return item


def _reprice(call: Call, item: StoredInvoiceItem, params: Mapping[str, Any]) -> None:
    """Set amount, price and quantity of an item from the parameters."""
    kept = {} if params.get("quantity") is not None else {"quantity_decimal": item["quantity_decimal"]}
    params = {**kept, **{name: value for name, value in params.items() if value is not None}}
    if not any(name in params for name in _PRICES):
        _set_quantity(item, Decimal(params.get("quantity_decimal") or params["quantity"]))
        return
    priced = pricing_of(call, params, item["currency"])
    item["amount"], item["pricing"] = priced.amount, priced.pricing
    item["quantity"], item["quantity_decimal"] = priced.quantity, priced.quantity_decimal


def _set_quantity(item: StoredInvoiceItem, quantity: Decimal) -> None:
    """Change the quantity of an item at the same price."""
    assert item["pricing"] is not None, "every item has a price"
    unit = Decimal(item["pricing"]["unit_amount_decimal"] or 0)
    item["amount"] = rounding.price_amount(unit, quantity)
    item["quantity"], item["quantity_decimal"] = int(quantity), pricing.decimal_text(quantity)


def _editable(call: Call, item: StoredInvoiceItem, refusal: ApiError | None = None) -> StoredInvoice | None:
    """Return the draft that contains an item; None for a pending item.

    refusal: raised for a finalized invoice; by default a 400 ``invoice_not_editable``.
    """
    if item["invoice"] is None:
        return None
    invoice = call.objects.find(kinds.INVOICE, item["invoice"])
    if invoice is None or invoice["status"] != "draft":
        raise refusal or invalid(
            "This invoice item is attached to an invoice that can no longer be modified.", None, "invoice_not_editable"
        )
    return invoice


def _rebuild_line(call: Call, item: StoredInvoiceItem, invoice: StoredInvoice) -> None:
    """Rebuild the line of a changed item in its draft, and store the draft."""
    data = invoice["lines"]["data"]
    for place, line in enumerate(data):
        if details_of(line).get("invoice_item") == item["id"]:
            fresh = invoice_item_line(call, item)
            fresh["id"], fresh["invoice"] = line["id"], invoice["id"]
            check_automatic_tax(invoice, "tax_rates" if item["tax_rates"] else "amount", fresh)
            data[place] = fresh
    refresh(call, invoice)
    call.objects.save(invoice, "invoice.updated")


def _unknown(id: str, livemode: bool) -> ApiError:
    """Return the 404 for an unknown id, which the real system words in this way."""
    mode = "true" if livemode else "false"
    message = f"No such Invoice Item: '{id}'(livemode={mode})"
    return ApiError(404, code="resource_missing", message=message, param="id")


_ATTACHED = "Can't delete an invoice item that is attached to an invoice that is no longer editable"


def delete(call: Call, params: operations.DeleteInvoiceitemsInvoiceitem) -> Deleted:
    """Delete an invoice item that is pending or on a draft."""
    item = call.objects.get(kinds.INVOICE_ITEM, call.path["invoiceitem"])
    call = clock.for_customer(call, call.objects.find(kinds.CUSTOMER, item["customer"]))
    invoice = _editable(call, item, invalid(_ATTACHED))
    if invoice is not None:
        drop_lines(call, invoice, lambda details: details.get("invoice_item") == item["id"])
        call.objects.save(invoice, "invoice.updated")
    return call.objects.delete(item, "invoiceitem.deleted")


def drop_lines(call: Call, invoice: StoredInvoice, wanted: Callable[[Mapping[str, Any]], bool]) -> None:
    """Remove lines from a draft. wanted: ``(details of the line's parent) -> whether to remove it``."""
    invoice["lines"]["data"] = [line for line in invoice["lines"]["data"] if not wanted(details_of(line))]
    refresh(call, invoice)


def list_items(call: Call, params: operations.GetInvoiceitems) -> Page:
    """List invoice items by ``customer``, ``invoice`` and ``pending``."""
    equal = {name: params[name] for name in ("customer", "invoice") if params.get(name)}
    if params.get("pending") is not None:
        equal["_pending"] = "true" if params["pending"] else "false"
    return list_page(call, kinds.INVOICE_ITEM, params, equal, url="/v1/invoiceitems")


def _priced(call: Call, item: MutableMapping[str, Any]) -> None:
    """Add price, plan, unit amount and subscription, which items had before 2025-03-31."""
    details = (item.get("pricing") or {}).get("price_details") or {}
    price = call.objects.find(kinds.PRICE, details.get("price") or "")
    item["price"] = public(price) if price else None
    item["plan"] = pricing.plan_of(price) if price and price["recurring"] else None
    item["unit_amount"] = price["unit_amount"] if price and not item.get("proration") else item["amount"]
    item["unit_amount_decimal"] = (item.get("pricing") or {}).get("unit_amount_decimal")
    stored = call.objects.find(kinds.INVOICE_ITEM, item["id"])
    item["subscription"] = stored.get("_subscription") if stored else None
    if stored and stored.get("_subscription_item"):
        item["subscription_item"] = stored["_subscription_item"]


INVOICEITEM = Resource(
    object="invoiceitem",
    prefix="ii",
    permission=PERMISSION,
    live=records(),
    unknown=_unknown,
    indexed=("customer", "invoice", "_pending", "_subscription"),
    endpoints=(
        Endpoint("GET", "/v1/invoiceitems", list_items),
        Endpoint("POST", "/v1/invoiceitems", create, removed=ITEM_CREATE_REMOVED),
        retrieve("invoiceitem", "/v1/invoiceitems/{invoiceitem}"),
        Endpoint("POST", "/v1/invoiceitems/{invoiceitem}", update, removed=ITEM_UPDATE_REMOVED),
        Endpoint("DELETE", "/v1/invoiceitems/{invoiceitem}", delete),
    ),
    changes=(Change("2025-03-31", _priced),),
    title="Invoice items",
    columns=("description", "id", "amount", "currency", "customer", "invoice", "date"),
)
