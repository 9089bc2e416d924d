"""Invoice lines, created from subscription items, invoice items and amounts; and the totals of an invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from tollkey.ledger import Money
from tollkey.payments.catalog import arithmetic, redemption
from tollkey.payments.catalog import pricing as catalog_pricing
from tollkey.payments.invoices import kinds, manual_taxes
from tollkey.payments.invoices.line_terms import Priced, Terms
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.tax import automatic as tax_automatic
from tollkey.payments.tax import rates as tax_rates
from tollkey.wire import Call, new_object
from tollkey.wire.objects import value_at
from tollkey.wire.pages import nested_list

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.invoices.stored import (
        CreditedItems,
        LineParent,
        Pricing,
        StoredInvoice,
        StoredInvoiceItem,
        StoredLine,
        TaxEntry,
    )
    from tollkey.payments.subscriptions.stored import StoredSubscriptionItem
    from tollkey.wire import api


def new_line(
    call: Call,
    priced: Priced,
    terms: Terms,
    *,
    period: tuple[int, int],
    parent: LineParent | None,
    description: str | None,
    metadata: Mapping[str, str] | None = None,
) -> StoredLine:
    """Return an invoice line before discounts and taxes.

    period: start and end, UTC epoch seconds. parent: the object that caused it; None for a line without one. The line
        has the private field ``_rates``; ``recalculate_totals`` moves it to the invoice.
    """
    line = new_object(
        kinds.LINE,
        id=call.ids.new("il"),
        amount=priced.amount,
        currency=priced.currency,
        description=description,
        discountable=terms.discountable,
        discounts=list(terms.discounts),
        livemode=call.livemode,
        metadata=dict(metadata or {}),
        parent=parent,
        period={"start": period[0], "end": period[1]},
        pricing=priced.pricing,
        quantity=priced.quantity,
        quantity_decimal=priced.quantity_decimal,
        subtotal=priced.amount,
    )
    line["subscription"] = details_of(line).get("subscription")
    line["_rates"] = list(terms.rates)
    return line


def pricing_at(price: str, product: str, unit: Decimal | None) -> Pricing:
    """Return ``pricing`` of a line. price, product: ids. unit: the unit price in minor units, or None."""
    return {
        "price_details": {"price": price, "product": product},
        "type": "price_details",
        "unit_amount_decimal": None if unit is None else catalog_pricing.decimal_text(unit),
    }


def subscription_parent(
    subscription: str,
    item: str,
    *,
    invoice_item: str | None = None,
    proration: bool = False,
    credited: CreditedItems | None = None,
) -> LineParent:
    """Return ``parent`` of a line that a subscription item causes. subscription, item, invoice_item: ids."""
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": invoice_item,
            "proration": proration,
            "proration_details": {"credited_items": credited},
            "subscription": subscription,
            "subscription_item": item,
        },
        "type": "subscription_item_details",
    }


def item_parent(invoice_item: str | None, subscription: str | None = None, proration: bool = False) -> LineParent:
    """Return ``parent`` of a line that an invoice item causes. invoice_item: its id; None in a preview."""
    return {
        "invoice_item_details": {
            # Stripe's specification does not allow null here, but an item in a preview has no id.
            "invoice_item": cast(str, invoice_item),
            "proration": proration,
            "proration_details": {"credited_items": None},
            "subscription": subscription,
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }


def product_name(call: Call, price: StoredPrice) -> str:
    """Return the name of a price's product, else its nickname or the product's id."""
    product = call.objects.find(kinds.PRODUCT, price["product"])
    return str(product["name"]) if product else str(price.get("nickname") or price["product"])


def quantity_text(call: Call, price: StoredPrice, quantity: int) -> str:
    """Return the quantity with the product's unit label and name: ``10 user × Name``."""
    product = call.objects.find(kinds.PRODUCT, price["product"])
    label = f" {product['unit_label']}" if product and product["unit_label"] else ""
    return f"{quantity}{label} × {product_name(call, price)}"


def every(recurring: api.Recurring) -> str:
    """Return the interval as lines show it: ``month``, or ``every 3 months``."""
    count = recurring["interval_count"]
    return str(recurring["interval"]) if count == 1 else f"every {count} {recurring['interval']}s"


def price_text(unit: Decimal, currency: str) -> str:
    """Format a unit price (minor units): ``$25.00``, with more digits for fractions of a minor unit."""
    if unit == unit.to_integral_value():
        return shared_currency.show(int(unit), currency)
    whole = shared_currency.show(int(unit), currency)
    return whole + catalog_pricing.decimal_text(unit - int(unit))[2:]


def subscription_lines(
    call: Call,
    subscription: api.Subscription,
    item: StoredSubscriptionItem,
    price: StoredPrice,
    period: tuple[int, int],
    *,
    quantity: int,
    before: int = 0,
    trial: bool = False,
) -> list[StoredLine]:
    """Return the lines of a subscription item for a period: one for each tier, or a free one in a trial.

    period: start and end, UTC epoch seconds. quantity: units in total. before: units that were billed already.
    """
    made: list[tuple[int, int, Decimal | None, str]] = []
    if trial:
        made = [(quantity, 0, Decimal(0), f"Free trial for {quantity_text(call, price, quantity)}")]
    else:
        recurring = price["recurring"]
        assert recurring is not None, "items of subscriptions have recurring prices"
        for part in arithmetic.parts_after(price, before, quantity):
            unit = part.unit
            text = quantity_text(call, price, part.quantity)
            if part.label == "flat":
                text, unit = (
                    f"{product_name(call, price)} (at {shared_currency.show(part.amount, price['currency'])}"
                    f" / {every(recurring)})",
                    None,
                )
            elif part.label:
                tier = f"Tier {part.tier} at" if part.tier else "at"
                text += f" ({tier} {price_text(unit or Decimal(0), price['currency'])} / {every(recurring)})"
            elif unit is not None:
                text += f" (at {price_text(unit, price['currency'])} / {every(recurring)})"
            made.append((part.quantity, part.amount, unit, text))
    terms = Terms(discounts=item["discounts"], rates=[rate["id"] for rate in item["tax_rates"] or ()])
    return [
        new_line(
            call,
            Priced(amount, price["currency"], count, pricing_at(price["id"], price["product"], unit)),
            terms,
            period=period,
            parent=subscription_parent(subscription["id"], item["id"]),
            description=text,
            metadata=item["metadata"],
        )
        for count, amount, unit, text in made
    ]


def invoice_item_line(call: Call, item: StoredInvoiceItem) -> StoredLine:
    """Return the line of an invoice item."""
    parent = item_parent(item["id"])
    subscription = item.get("_subscription")
    subscription_item = item.get("_subscription_item")
    if subscription is not None and subscription_item is None:
        parent = item_parent(item["id"], subscription)
    elif subscription is not None and subscription_item is not None:
        parent = subscription_parent(
            subscription,
            subscription_item,
            invoice_item=item["id"],
            proration=item["proration"],
            credited=item.get("_credited"),
        )
    pricing = None
    if item["pricing"]:
        details, unit = item["pricing"]["price_details"], item["pricing"]["unit_amount_decimal"]
        pricing = pricing_at(details["price"], details["product"], None if unit is None else Decimal(unit))
    line = new_line(
        call,
        Priced(item["amount"], item["currency"], item["quantity"], pricing, exact=Decimal(item["quantity_decimal"])),
        Terms(item["discountable"], item["discounts"] or (), [rate["id"] for rate in item["tax_rates"] or ()]),
        period=(item["period"]["start"], item["period"]["end"]),
        parent=parent,
        description=item["description"],
        metadata=item["metadata"],
    )
    line["_off"] = item.get("_off")
    return line


def tax_entry(tax: arithmetic.Tax) -> TaxEntry:
    """Return a tax as lines and invoices show it."""
    return {
        "amount": tax.amount,
        "tax_behavior": "inclusive" if tax.rate.inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": tax.rate.id},
        "taxability_reason": tax.rate.reason,
        "taxable_amount": tax.taxable if tax.rate.reason in ("not_available", "standard_rated") else 0,
        "type": "tax_rate_details",
    }


def lines_of(invoice: StoredInvoice) -> list[StoredLine]:
    """Return the lines of an invoice, including the private fields of lines that are new in a draft."""
    return cast("list[StoredLine]", invoice["lines"]["data"])


def details_of(line: api.LineItem) -> Mapping[str, Any]:
    """Return the details in a line's ``parent``: of the invoice item or subscription item; empty without a parent."""
    parent = line["parent"]
    return (parent and (parent.get("invoice_item_details") or parent.get("subscription_item_details"))) or {}


def recalculate_totals(call: Call, invoice: StoredInvoice) -> None:
    """Compute discounts, taxes and totals of an invoice from its lines, in place.

    Private fields of the lines are moved to ``_lines`` of the invoice.
    """
    data = lines_of(invoice)
    credits: dict[str, list[tuple[str, int]]] = invoice.get("_credits") or {}
    lines = [_arithmetic_line(call, invoice, line, credits.get(line["id"], ())) for line in data]
    how = _automatic(call, invoice)
    exempt = invoice["customer_tax_exempt"] in ("exempt", "reverse")
    default = [] if exempt else [tax_automatic.rate_of(call, rate["id"]) for rate in invoice["default_tax_rates"]]
    for line, worked in zip(data, lines, strict=True):
        if exempt:
            worked.rates = ()
        if how is not None and not worked.rates:
            worked.rates = [
                tax_automatic.rate_of_price(
                    call, how, value_at(line, "pricing.price_details.price"), invoice["currency"]
                )
            ]
    whole = redemption.effects(call, invoice["discounts"], invoice["currency"], invoice["created"])
    totals = arithmetic.compute(lines, whole, default, currency=invoice["currency"])
    for line, worked in zip(data, lines, strict=True):
        line["discount_amounts"] = [{"amount": amount, "discount": id} for id, amount in worked.off]
        line["pretax_credit_amounts"] = [
            *(_discount_entry(id, amount) for id, amount in worked.off),
            *(_credit_entry(id, amount) for id, amount in credits.get(line["id"], ())),
        ]
        given = manual_taxes.of_line(invoice, line["id"])
        line["taxes"] = [entry.copy() for entry in given] if given else [tax_entry(tax) for tax in worked.taxes]
        line["subtotal"] = line["amount"]
    shipped = _shipping(call, invoice, how)
    cost = invoice["shipping_cost"]
    shipping = invoice["amount_shipping"] = cost["amount_total"] if cost else 0
    untaxed = shipping - sum(tax.amount for tax in shipped)
    invoice["subtotal"] = totals.subtotal.amount
    invoice["subtotal_excluding_tax"] = totals.subtotal_excluding_tax.amount
    invoice["total"] = totals.total.amount + shipping
    invoice["total_excluding_tax"] = totals.total_excluding_tax.amount + untaxed
    invoice["total_discount_amounts"] = [{"amount": amount, "discount": id} for id, amount in totals.discounts]
    invoice["total_pretax_credit_amounts"] = [
        *(_discount_entry(id, amount) for id, amount in totals.discounts),
        *(_credit_entry(id, amount) for line in data for id, amount in credits.get(line["id"], ())),
    ]
    taxes = [tax for line in data for tax in line["taxes"] or ()]
    invoice["total_taxes"] = _merged([*taxes, *(tax_entry(tax) for tax in shipped)])
    # The real API returns ``total_count``, though Stripe's specification does not contain it.
    invoice["lines"] = nested_list(data, invoice["lines"]["url"], total_count=len(data))


def _arithmetic_line(
    call: Call, invoice: StoredInvoice, line: StoredLine, credits: Sequence[tuple[str, int]]
) -> arithmetic.Line:
    """Return a line with its own discounts and tax rates to compute with. credits: billing credits applied to it."""
    private = invoice.setdefault("_lines", {})
    given = manual_taxes.of_line(invoice, line["id"])
    if "_rates" in line:
        private[line["id"]] = {"rates": line.pop("_rates"), "off": line.pop("_off", None)}
        if taxes := line.pop("_taxes", None) or given:
            private[line["id"]]["taxes"] = taxes
    kept = private.get(line["id"])
    given = manual_taxes.of_line(invoice, line["id"])
    return arithmetic.Line(
        Money(line["amount"], line["currency"]),
        line["discountable"],
        value_at(line, "pricing.price_details.product"),
        redemption.effects(call, line["discounts"], invoice["currency"], invoice["created"]),
        [tax_automatic.rate_of(call, id) for id in (kept["rates"] if kept else ())],
        credits=sum(amount for _, amount in credits),
        given_back=[(id, amount) for id, amount in (kept["off"] if kept else None) or ()],
        given_taxes=manual_taxes.to_compute(call, given) if given else None,
    )


def _automatic(call: Call, invoice: StoredInvoice) -> tax_automatic.Taxing | None:
    """Return how the invoice is taxed automatically; None if it is not, or the customer's location is unknown."""
    automatic = invoice["automatic_tax"]
    if not automatic["enabled"]:
        return None
    at = next(
        (
            one
            for one in (value_at(invoice, "customer_shipping.address"), invoice["customer_address"])
            if tax_rates.located(one)
        ),
        None,
    )
    if at is None:
        customer = call.objects.find(kinds.CUSTOMER, invoice["customer"] or "")
        at = tax_automatic.address_of(call, customer) if customer else None
    how = tax_automatic.taxing(call, at, invoice["customer_tax_exempt"], invoice["customer_tax_ids"] or ())
    invoice["automatic_tax"] = {
        **automatic,
        "provider": "stripe",
        "status": "complete" if how else "requires_location_inputs",
    }
    return how


def _shipping(call: Call, invoice: StoredInvoice, how: tax_automatic.Taxing | None) -> list[arithmetic.Tax]:
    """Compute the automatic tax on shipping, which is included in the total of ``shipping_cost``."""
    cost = invoice["shipping_cost"]
    if cost is None or how is None:
        return []
    return tax_automatic.taxed_shipping(call, cost, how, invoice["currency"])


def _merged(taxes: Iterable[TaxEntry]) -> list[TaxEntry]:
    """Return the taxes with the amounts of one rate and reason added up."""
    sums: dict[tuple[str | None, str], TaxEntry] = {}
    for tax in taxes:
        details = tax["tax_rate_details"]
        key = details["tax_rate"] if details else None, tax["taxability_reason"]
        known = sums.get(key)
        if known is None:
            sums[key] = tax.copy()
        else:
            known["amount"] += tax["amount"]
            known["taxable_amount"] = (known["taxable_amount"] or 0) + (tax["taxable_amount"] or 0)
    return list(sums.values())


def _discount_entry(discount: str, amount: int) -> api.InvoicesResourcePretaxCreditAmount:
    return {"amount": amount, "discount": discount, "type": "discount"}


def _credit_entry(transaction: str, amount: int) -> api.InvoicesResourcePretaxCreditAmount:
    return {"amount": amount, "credit_balance_transaction": transaction, "type": "credit_balance_transaction"}


def credit_text(call: Call, price: StoredPrice, quantity: int, at: int) -> str:
    """Return the description of a proration credit. at: time of the change, UTC epoch seconds."""
    return f"Unused time on {_proration_name(call, price, quantity)} after {arithmetic.show_date(at)}"


def debit_text(call: Call, price: StoredPrice, quantity: int, at: int) -> str:
    """Return the description of a proration debit. at: time of the change, UTC epoch seconds."""
    return f"Remaining time on {_proration_name(call, price, quantity)} after {arithmetic.show_date(at)}"


def _proration_name(call: Call, price: StoredPrice, quantity: int) -> str:
    """Return how the description of a proration names the price."""
    return product_name(call, price) if quantity == 1 else quantity_text(call, price, quantity)
