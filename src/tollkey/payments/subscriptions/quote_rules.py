"""What a quote adds up to, and what its acceptance makes."""

from __future__ import annotations

from typing import Any

from tollkey.payments.catalog import arithmetic, pricing, redemption
from tollkey.payments.invoices import drafts, payments
from tollkey.payments.invoices import lines as invoices_lines
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions.creation import create
from tollkey.payments.tax import automatic as tax_automatic
from tollkey.wire import Call, Json, blank, invalid, public


def build_lines(call: Call, wanted: list[Json]) -> list[Json]:
    """The lines of a quote, priced. Raises ApiError for prices that are not there, or of different currencies or
    intervals.
    """
    made: list[Json] = []
    for place, entry in enumerate(wanted):
        price = pricing.named_price(call, entry, f"line_items[{place}]")
        quantity = fields.given(entry, "quantity", 1)
        amount = arithmetic.cost(price, quantity)
        line = blank(
            "item",
            id=call.ids.new("li"),
            amount_discount=0,
            amount_subtotal=amount,
            amount_tax=0,
            amount_total=amount,
            currency=price["currency"],
            description=invoices_lines.product_name(call, price),
            price=public(price),
            quantity=quantity,
        )
        line["_rates"] = list(entry.get("tax_rates") or [])
        made.append(line)
    if len({line["currency"] for line in made}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    intervals = {
        (line["price"]["recurring"]["interval"], line["price"]["recurring"]["interval_count"])
        for line in made
        if line["price"]["recurring"]
    }
    if len(intervals) > 1:
        raise invalid("All recurring line items must have the same interval.", "line_items")
    return made


def discount(call: Call, quote: Json, entries: list[Json]) -> None:
    """Give a quote these discounts: they count as redeemed when it is accepted."""
    quote["_discounts"] = [{name: value for name, value in entry.items() if value} for entry in entries]
    quote["discounts"] = [
        entry["discount"]
        if entry.get("discount")
        else call.objects.insert(redemption.preview_discount(call, entry))["id"]
        for entry in quote["_discounts"]
    ]


def recalculate_quote(call: Call, quote: Json) -> None:
    """Recalculate a quote: each line, what is due at once (upfront) and what recurs."""
    lines = quote["_items"]
    currency = lines[0]["currency"] if lines else quote["currency"] or "usd"
    off = redemption.offs(call, quote["discounts"], currency, call.now)
    default = [tax_automatic.rate_of(call, id) for id in quote["default_tax_rates"]]
    how = _taxing(call, quote)
    whole = [
        arithmetic.Line(
            line["amount_subtotal"], True, line["price"]["product"], (), tax_automatic.rates_of(call, line, how)
        )
        for line in lines
    ]
    totals = arithmetic.compute(whole, off, default)
    for line, worked in zip(lines, whole, strict=True):
        line["amount_discount"] = line["amount_subtotal"] - worked.net
        line["amount_tax"] = sum(tax.amount for tax in worked.taxes)
        line["amount_total"] = worked.gross
    recurring = [line for line in lines if line["price"]["recurring"]]
    quote["currency"] = currency
    quote["amount_subtotal"], quote["amount_total"] = totals.subtotal, totals.total
    quote["total_details"] = _details(lines)
    quote["computed"] = {"recurring": _recurring(recurring), "upfront": _sums(lines)}
    if quote["subscription_data"]["trial_period_days"]:
        quote["computed"]["upfront"] = _sums([line for line in lines if not line["price"]["recurring"]])


def _taxing(call: Call, quote: Json) -> tax_automatic.Taxing | None:
    """How a quote is taxed automatically; None when it is not, or nobody knows where its customer is."""
    automatic = quote["automatic_tax"]
    if not automatic["enabled"]:
        return None
    customer = call.objects.find("customer", quote["customer"] or "")
    how = (
        tax_automatic.taxing(
            call,
            tax_automatic.address_of(call, customer),
            customer.get("tax_exempt"),
            tax_automatic.tax_ids_of(call, customer["id"]),
        )
        if customer
        else None
    )
    automatic.update(
        {
            "liability": {"type": "self"},
            "provider": "stripe",
            "status": "complete" if how else "requires_location_inputs",
        }
    )
    return how


def _details(lines: list[Json]) -> Json:
    return {
        "amount_discount": sum(line["amount_discount"] for line in lines),
        "amount_shipping": 0,
        "amount_tax": sum(line["amount_tax"] for line in lines),
    }


def _sums(lines: list[Json]) -> Json:
    return {
        "amount_subtotal": sum(line["amount_subtotal"] for line in lines),
        "amount_total": sum(line["amount_total"] for line in lines),
        "total_details": _details(lines),
    }


def _recurring(lines: list[Json]) -> Json | None:
    if not lines:
        return None
    rule = lines[0]["price"]["recurring"]
    return {**_sums(lines), "interval": rule["interval"], "interval_count": rule["interval_count"]}


def fulfil(call: Call, quote: Json) -> None:
    """Make the subscription (with the one-time lines on its first invoice), or the invoice, of an accepted quote."""
    customer = call.objects.get("customer", quote["customer"], "customer")
    lines = quote["_items"]
    recurring = [line for line in lines if line["price"]["recurring"]]
    once = [line for line in lines if not line["price"]["recurring"]]
    days = quote["invoice_settings"]["days_until_due"]
    discounts = list(quote["_discounts"])
    if recurring:
        data = quote["subscription_data"]
        params: Json = {
            "customer": customer["id"],
            "items": [
                {
                    "_inline": True,
                    "price": line["price"]["id"],
                    "quantity": line["quantity"],
                    "tax_rates": line["_rates"],
                }
                for line in recurring
            ],
            "add_invoice_items": [
                {"price": line["price"]["id"], "quantity": line["quantity"], "tax_rates": line["_rates"]}
                for line in once
            ],
            "collection_method": quote["collection_method"],
            "metadata": {**(data["metadata"] or {})},
            "description": data["description"],
            "off_session": True,
        }
        if quote["collection_method"] == "send_invoice":
            params["days_until_due"] = 30 if days is None else days
        if discounts:
            params["discounts"] = discounts
        if quote["automatic_tax"]["enabled"]:
            params["automatic_tax"] = {"enabled": True}
        if quote["default_tax_rates"]:
            params["default_tax_rates"] = quote["default_tax_rates"]
        if data["trial_period_days"]:
            params["trial_period_days"] = data["trial_period_days"]
        none: Any = {"default_payment_method": None, "default_source": None}
        if payments.method_of(call, none, None, customer) is None:
            params["payment_behavior"] = "default_incomplete"
        made = create(call, params)
        quote["subscription"], quote["invoice"] = made["id"], made["latest_invoice"]
        return
    quote["invoice"] = _invoice(call, quote, customer, once, days, discounts)["id"]


def _invoice(
    call: Call, quote: Json, customer: Json, lines: list[Json], days: int | None, discounts: list[Json]
) -> Json:
    id = call.ids.new("in")
    made = [drafts.one_time_line_of(call, customer, id, line) for line in lines]
    return drafts.store(
        call,
        drafts.new_invoice(
            call,
            customer,
            currency=quote["currency"],
            reason="manual",
            lines=made,
            id=id,
            discounts=redemption.redeem_all(call, discounts, param="discounts", customer=customer, invoice=id),
            collection_method=quote["collection_method"],
            days_until_due=30 if quote["collection_method"] == "send_invoice" and days is None else days,
            auto_advance=True,
            billing_reason="quote_accept",
            default_tax_rates=drafts.tax_rates(call, quote["default_tax_rates"], "default_tax_rates"),
            description=quote["description"],
            automatic_tax={
                "disabled_reason": None,
                "enabled": quote["automatic_tax"]["enabled"],
                "liability": {"type": "self"} if quote["automatic_tax"]["enabled"] else None,
                "provider": None,
                "status": None,
            },
            parent={"quote_details": {"quote": quote["id"]}, "subscription_details": None, "type": "quote_details"},
        ),
    )
