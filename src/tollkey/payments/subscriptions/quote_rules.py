"""The amounts of a quote, and the subscription or invoice that its acceptance creates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic, custom_amounts, pricing, redemption, restrictions
from tollkey.payments.invoices import drafts, payments
from tollkey.payments.invoices import lines as invoices_lines
from tollkey.payments.shared import fields, naming
from tollkey.payments.subscriptions import items, kinds
from tollkey.payments.subscriptions.creation import create
from tollkey.payments.subscriptions.periods import interval_of_price, shortest
from tollkey.payments.tax import automatic as tax_automatic
from tollkey.wire import Call, Params, invalid, new_object
from tollkey.wire.objects import public

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import OrderedLine, StoredInvoice
    from tollkey.payments.subscriptions.stored import StoredQuote
    from tollkey.wire import api


def build_lines(call: Call, wanted: Sequence[Mapping[str, Any]]) -> list[OrderedLine]:
    """Return the lines of a quote with their amounts.

    Raises ApiError 400 for unknown prices, several currencies, or several intervals.
    """
    made: list[OrderedLine] = []
    for place, entry in enumerate(wanted):
        price = pricing.named_price(call, entry, f"line_items[{place}]")
        if not entry.get("price_data") and not entry.get("id"):
            pricing.check_sold(call, price, f"line_items[{place}][price]")
            custom_amounts.check_known(price, f"line_items[{place}][price]")
        terms, counts = price["recurring"], entry.get("quantity") is not None and not entry.get("id")
        if counts and terms is not None and terms["usage_type"] == "metered":
            raise invalid("You cannot set the quantity for metered plans.", f"line_items[{place}][quantity]")
        quantity = fields.given(entry, "quantity", 1)
        amount = arithmetic.cost(price, quantity)
        line = new_object(
            kinds.QUOTE_LINE,
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
    return made


def check_recurring(quote: StoredQuote) -> None:
    """Raise ApiError 400 for recurring lines that one subscription cannot have in the quote's billing mode.

    Quotes of the flexible mode may mix intervals (docs.stripe.com/changelog/basil/2025-07-30/support-mixed-intervals).
    """
    recurring = [price for price in (price_of(line) for line in quote["_items"]) if price["recurring"]]
    flexible = quote["subscription_data"]["billing_mode"]["type"] == "flexible"
    items.check_prices([price["id"] for price in recurring], "line_items")
    if recurring:
        items.check_intervals({interval_of_price(price) for price in recurring}, "line_items", flexible=flexible)


def currency_of(quote: StoredQuote) -> str:
    """Return the currency of a quote whose amounts have been computed."""
    currency = quote["currency"]
    assert currency is not None, "a quote has its currency since it was added up for the first time"
    return currency


def price_of(line: OrderedLine) -> api.Price:
    """Return the price of a quote's line."""
    price = line["price"]
    assert price is not None, "the lines of quotes are made of prices"
    return price


def discount(call: Call, quote: StoredQuote, entries: Iterable[DiscountEntry]) -> None:
    """Set the discounts of a quote; they are redeemed when it is accepted."""
    quote["_discounts"], quote["discounts"] = [], []
    for place, entry in enumerate(entries):
        kept: DiscountEntry = {}
        fields.assign(kept, entry, [name for name, value in entry.items() if value])
        quote["_discounts"].append(kept)
        naming.check_named(call, kept, {"discount": "discount"}, f"discounts[{place}]")
        made = kept.get("discount")
        if made is None:
            found = restrictions.named(call, kept, f"discounts[{place}]")
            if quote["customer"] is not None:
                restrictions.check_customer(call, found, quote["customer"])
            if quote["_items"]:
                restrictions.check_currency(found, quote["_items"][0]["currency"], "line item")
            made = call.objects.insert(redemption.imagined(call, found.coupon))["id"]
        quote["discounts"].append(made)


def recalculate_quote(call: Call, quote: StoredQuote) -> None:
    """Compute the amounts of a quote: of each line, due on acceptance (``upfront``) and recurring."""
    lines = quote["_items"]
    currency = lines[0]["currency"] if lines else quote["currency"] or "usd"
    off = redemption.effects(call, quote["discounts"], currency, call.now)
    default = [tax_automatic.rate_of(call, id) for id in quote["default_tax_rates"]]
    how = _taxing(call, quote)
    whole = [
        arithmetic.Line(
            Money(line["amount_subtotal"], line["currency"]),
            True,
            price_of(line)["product"],
            (),
            tax_automatic.rates_of(call, line, how),
        )
        for line in lines
    ]
    totals = arithmetic.compute(whole, off, default, currency=currency)
    for line, worked in zip(lines, whole, strict=True):
        line["amount_discount"] = line["amount_subtotal"] - worked.net.amount
        line["amount_tax"] = sum(tax.amount for tax in worked.taxes)
        line["amount_total"] = worked.gross.amount
    recurring = [line for line in lines if price_of(line)["recurring"]]
    quote["currency"] = currency
    quote["amount_subtotal"], quote["amount_total"] = totals.subtotal.amount, totals.total.amount
    quote["total_details"] = _details(lines)
    quote["computed"] = {"recurring": _recurring(recurring), "upfront": _sums(lines)}
    if quote["subscription_data"]["trial_period_days"]:
        quote["computed"]["upfront"] = _sums([line for line in lines if not price_of(line)["recurring"]])


def _taxing(call: Call, quote: StoredQuote) -> tax_automatic.Taxing | None:
    """Return how a quote is taxed automatically; None if it is not, or the customer's location is unknown."""
    automatic = quote["automatic_tax"]
    if not automatic["enabled"]:
        return None
    customer = call.objects.find(kinds.CUSTOMER, quote["customer"] or "")
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
            "provider": "stripe",
            "status": "complete" if how else "requires_location_inputs",
        }
    )
    return how


def _details(lines: list[OrderedLine]) -> api.QuotesResourceTotalDetails:
    """Return ``total_details`` of lines."""
    return {
        "amount_discount": sum(line["amount_discount"] for line in lines),
        "amount_shipping": 0,
        "amount_tax": sum(line["amount_tax"] for line in lines),
    }


def _sums(lines: list[OrderedLine]) -> api.QuotesResourceUpfront:
    """Return the totals of lines."""
    return {
        "amount_subtotal": sum(line["amount_subtotal"] for line in lines),
        "amount_total": sum(line["amount_total"] for line in lines),
        "total_details": _details(lines),
    }


def _recurring(lines: list[OrderedLine]) -> api.QuotesResourceRecurring | None:
    """Return ``computed.recurring`` of the recurring lines; None without any.

    Of several intervals it tells what recurs in the shortest (inferred: there is one interval in it).
    """
    if not lines:
        return None
    interval, count = shortest(interval_of_price(price_of(line)) for line in lines)
    sums = _sums([line for line in lines if interval_of_price(price_of(line)) == (interval, count)])
    return {
        "amount_subtotal": sums["amount_subtotal"],
        "amount_total": sums["amount_total"],
        "total_details": sums["total_details"],
        "interval": interval,
        "interval_count": count,
    }


def fulfil(call: Call, quote: StoredQuote) -> None:
    """Create the subscription of an accepted quote, with one-time lines on its first invoice; else its invoice."""
    assert quote["customer"] is not None, "quotes without a customer are not finalized"
    customer = call.objects.get(kinds.CUSTOMER, quote["customer"], "customer")
    lines = quote["_items"]
    recurring = [line for line in lines if price_of(line)["recurring"]]
    once = [line for line in lines if not price_of(line)["recurring"]]
    days = quote["invoice_settings"]["days_until_due"]
    discounts = list(quote["_discounts"])
    said: Mapping[str, Any] = quote  # fields are read by computed names
    if recurring:
        data = quote["subscription_data"]
        params: Params = {
            "customer": customer["id"],
            "items": [
                {
                    "_inline": True,
                    "price": price_of(line)["id"],
                    "quantity": line["quantity"],
                    "tax_rates": line["_rates"],
                }
                for line in recurring
            ],
            "add_invoice_items": [
                {"price": price_of(line)["id"], "quantity": line["quantity"], "tax_rates": line["_rates"]}
                for line in once
            ],
            "collection_method": quote["collection_method"],
            "metadata": {**(data["metadata"] or {})},
            "description": data["description"],
            "off_session": True,
            "billing_mode": data["billing_mode"],
        }
        for name in ("application_fee_percent", "on_behalf_of", "transfer_data"):
            if said[name] is not None:
                params[name] = said[name]
        if quote["invoice_settings"]["issuer"]["type"] == "account":
            params["invoice_settings"] = {"issuer": quote["invoice_settings"]["issuer"]}
        if quote["collection_method"] == "send_invoice":
            params["days_until_due"] = 30 if days is None else days
        if discounts:
            params["discounts"] = discounts
        if quote["automatic_tax"]["enabled"]:
            params["automatic_tax"] = {"enabled": True, "liability": quote["automatic_tax"]["liability"]}
        if quote["default_tax_rates"]:
            params["default_tax_rates"] = quote["default_tax_rates"]
        if data["trial_period_days"]:
            params["trial_period_days"] = data["trial_period_days"]
        if payments.method_of(call, None, None, customer) is None:
            params["payment_behavior"] = "default_incomplete"
        made = create(call, params)
        quote["subscription"], quote["invoice"] = made["id"], made["latest_invoice"]
        return
    quote["invoice"] = _invoice(call, quote, customer, once, days, discounts)["id"]


def _invoice(
    call: Call,
    quote: StoredQuote,
    customer: StoredCustomer,
    lines: list[OrderedLine],
    days: int | None,
    discounts: list[DiscountEntry],
) -> StoredInvoice:
    """Create the invoice of an accepted quote without recurring lines. days: ``days_until_due``."""
    id = call.ids.new("in")
    made = [drafts.one_time_line_of(call, customer, id, line) for line in lines]
    invoice = drafts.new_invoice(
        call,
        customer,
        drafts.Bill(
            currency=currency_of(quote),
            reason="manual",
            lines=made,
            discounts=redemption.redeem_all(call, discounts, param="discounts", customer=customer, invoice=id),
        ),
        id=id,
        collection_method=quote["collection_method"],
        days_until_due=30 if quote["collection_method"] == "send_invoice" and days is None else days,
        auto_advance=True,
        billing_reason="quote_accept",
        default_tax_rates=drafts.tax_rates(call, quote["default_tax_rates"], "default_tax_rates"),
        description=quote["description"],
        automatic_tax={
            "disabled_reason": None,
            "enabled": quote["automatic_tax"]["enabled"],
            "liability": quote["automatic_tax"]["liability"],
            "provider": None,
            "status": None,
        },
        parent={"quote_details": {"quote": quote["id"]}, "subscription_details": None, "type": "quote_details"},
    )
    invoice["on_behalf_of"], invoice["issuer"] = quote["on_behalf_of"], quote["invoice_settings"]["issuer"]
    invoice["_application_fee"] = quote["application_fee_amount"]
    invoice["_transfer_data"] = quote["transfer_data"]
    return drafts.store(call, invoice)
