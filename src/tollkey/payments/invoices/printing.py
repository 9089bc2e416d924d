"""Invoices and credit notes as documents: what an accountant looks for in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from tollkey.payments.documents import parties, printed
from tollkey.payments.invoices import kinds
from tollkey.wire import Call
from tollkey.wire.languages import Language, Text
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api

    #: Tax rates by their ids.
    Rates: TypeAlias = Mapping[str, api.TaxRate]

_DAY = 86_400
_REVERSED = Text("Tax to be paid on reverse charge basis")
_EXEMPT = Text("The customer is exempt from tax")
STATUS = {
    "draft": Text("Draft"),
    "open": Text("Open"),
    "paid": Text("Paid"),
    "void": Text("Void"),
    "uncollectible": Text("Not collected"),
}
#: ``reason`` of a credit note.
REASONS = {
    "duplicate": Text("Duplicate"),
    "fraudulent": Text("Fraudulent"),
    "order_change": Text("Order change"),
    "product_unsatisfactory": Text("Product unsatisfactory"),
}


def invoice_document(call: Call, invoice: StoredInvoice, language: Language) -> printed.Document:
    """Return an invoice as a document."""
    say, business = language.say, parties.seller(call, language, invoice["account_tax_ids"])
    number = [(say("Invoice number"), str(invoice["number"] or say("Draft")))]
    dates = [(say("Date of issue"), invoice["effective_at"] or invoice["created"]), (say("Due date"), due(invoice)),
             (say("Date of payment"), invoice["status_transitions"]["paid_at"])]  # fmt: skip
    facts = [*number, *((label, language.day(at)) for label, at in dates if at is not None)]
    facts.append((say("Status"), say(STATUS[invoice["status"] or "draft"])))
    facts += [(field["name"], field["value"]) for field in invoice["custom_fields"] or ()]
    payable = invoice["status"] == "open" and invoice["hosted_invoice_url"]
    return printed.Document(
        language=language,
        title=say("Invoice"),
        business=invoice["account_name"] or business.lines[0],
        facts=facts,
        parties=[
            business._replace(lines=(invoice["account_name"] or business.lines[0], *business.lines[1:])),
            parties.buyer(invoice, language),
            *parties.recipient(invoice["shipping_details"] or invoice["customer_shipping"], language),
        ],
        headline=headline(invoice, language),
        link=(say("Pay online"), str(invoice["hosted_invoice_url"])) if payable else None,
        columns=(say("Description"), say("Quantity"), say("Unit price"), say("Tax"), say("Amount")),
        rows=partial(_rows, invoice["lines"]["data"], _rates(call, invoice["total_taxes"] or ()), language),
        sums=sums(call, invoice, language),
        notes=[*_tax_notes(invoice, language), invoice["description"] or ""],
        footer=invoice["footer"] or "",
        page_size=_paper(invoice),
    )


def _paper(invoice: StoredInvoice) -> str:
    """Return the size of the paper: the one that is set, else that of the account's country."""
    asked = value_at(invoice, "rendering.pdf.page_size")
    return asked if asked in ("a4", "letter") else "letter" if invoice["account_country"] in ("US", "CA") else "a4"


def due(invoice: StoredInvoice) -> int | None:
    """Return when an invoice is due; one that is charged at once is due on the day of its issue."""
    if invoice["due_date"] is None and invoice["status"] in ("open", "uncollectible"):
        return invoice["effective_at"]
    return invoice["due_date"]


def headline(invoice: StoredInvoice, language: Language) -> str:
    """Return what is to be paid until when, or what was paid on which day."""
    paid_at, at = invoice["status_transitions"]["paid_at"], due(invoice)
    if invoice["status"] == "paid" and paid_at is not None:
        paid = language.amount(invoice["amount_paid"], invoice["currency"])
        return language.say("{amount} paid on {date}", amount=paid, date=language.day(paid_at))
    if invoice["status"] in ("open", "uncollectible") and at is not None:
        left = language.amount(invoice["amount_remaining"], invoice["currency"])
        return language.say("{amount} due {date}", amount=left, date=language.day(at))
    return ""


def sums(call: Call, invoice: StoredInvoice, language: Language) -> list[printed.Sum]:
    """Return the totals of an invoice, from the subtotal to what is still due."""
    say, currency = language.say, invoice["currency"]

    def sum_of(label: str, amount: int, strong: bool = False) -> printed.Sum:
        return printed.Sum(label, language.amount(amount, currency), strong)

    found = [sum_of(say("Subtotal"), invoice["subtotal"])]
    found += _discounts(call, invoice["total_discount_amounts"] or (), currency, language)
    for credit in invoice["total_pretax_credit_amounts"] or ():
        if credit.get("type") != "discount":
            found.append(sum_of(say("Credit"), -credit["amount"]))
    if invoice["shipping_cost"]:
        found.append(sum_of(say("Shipping"), invoice["shipping_cost"]["amount_subtotal"]))
    found += _taxes(call, invoice["total_taxes"] or (), invoice["total_excluding_tax"], currency, language)
    found.append(sum_of(say("Total"), invoice["total"], True))
    applied = invoice["amount_due"] + invoice["pre_payment_credit_notes_amount"] - invoice["total"]
    if applied and invoice["status"] != "draft":
        found.append(sum_of(say("Applied balance"), applied))
    credited = invoice["pre_payment_credit_notes_amount"]
    found += [sum_of(say("Credit notes"), -credited)] if credited else []
    found += [sum_of(say("Amount paid"), -invoice["amount_paid"])] if invoice["amount_paid"] else []
    return [*found, sum_of(say("Amount due"), invoice["amount_remaining"], True)]


def credit_note_document(call: Call, note: api.CreditNote, language: Language) -> printed.Document:
    """Return a credit note as a document."""
    say, currency = language.say, note["currency"]
    invoice = call.objects.get(kinds.INVOICE, note["invoice"])
    business = parties.seller(call, language, invoice["account_tax_ids"])
    facts = [
        (say("Credit note number"), note["number"]),
        (say("Date of issue"), language.day(note["effective_at"] or note["created"])),
        (say("Invoice number"), str(invoice["number"])),
    ]
    if note["reason"]:
        facts.append((say("Reason"), say(REASONS.get(note["reason"], Text(note["reason"])))))
    if note["status"] == "void":
        facts.append((say("Status"), say("Void")))
    rates = _rates(call, note["total_taxes"] or ())
    rows = [_credited_row(line, rates, currency, language) for line in note["lines"]["data"]]
    found = [printed.Sum(say("Subtotal"), language.amount(note["subtotal"], currency))]
    found += _discounts(call, note["discount_amounts"], currency, language)
    if note["shipping_cost"]:
        found.append(printed.Sum(say("Shipping"), language.amount(note["shipping_cost"]["amount_subtotal"], currency)))
    found += _taxes(call, note["total_taxes"] or (), note["total_excluding_tax"], currency, language)
    found.append(printed.Sum(say("Total credited"), language.amount(note["total"], currency), True))
    return printed.Document(
        language=language,
        title=say("Credit note"),
        business=business.lines[0],
        facts=facts,
        parties=[business, parties.buyer(invoice, language)],
        headline=say(
            "{amount} credited on {date}",
            amount=language.amount(note["total"], currency),
            date=language.day(note["effective_at"] or note["created"]),
        ),
        columns=(say("Description"), say("Quantity"), say("Unit price"), say("Tax"), say("Amount")),
        rows=rows,
        sums=found,
        notes=[*_tax_notes(invoice, language), note["memo"] or ""],
        footer=invoice["footer"] or "",
        page_size=_paper(invoice),
    )


def _rows(lines: Sequence[api.LineItem], rates: Rates, language: Language) -> list[printed.Row]:
    """Return the lines of an invoice as rows, as many as a document shows and those that it counts."""
    return [_row(line, rates, language) for line in lines]


def _row(line: api.LineItem, rates: Rates, language: Language) -> printed.Row:
    """Return a line of an invoice as a row, with the period that it is about."""
    price = value_at(line, "pricing.unit_amount_decimal")
    quantity = line.get("quantity_decimal") or line["quantity"]
    cells = (
        line["description"] or "",
        "" if quantity is None else language.number(Decimal(str(quantity))),
        "" if price is None else language.unit_price(Decimal(price), line["currency"]),
        _percentages(rates, line["taxes"] or (), language),
        language.amount(line["amount"], line["currency"]),
    )
    span = service_period(line["period"], language)
    return printed.Row(cells, (span,) if span else ())


def service_period(period: api.InvoiceLineItemPeriod, language: Language) -> str:
    """Return from when to when a service is billed; empty for what is billed once."""
    if period["end"] - period["start"] < _DAY:
        return ""
    return f"{language.day(period['start'], 'medium')} – {language.day(period['end'], 'medium')}"


def _credited_row(line: api.CreditNoteLineItem, rates: Rates, currency: str, language: Language) -> printed.Row:
    price, quantity = line.get("unit_amount_decimal"), line.get("quantity")
    return printed.Row(
        (
            line["description"] or language.say("Credit"),
            "" if quantity is None else language.number(quantity),
            "" if price is None else language.unit_price(Decimal(price), currency),
            _percentages(rates, line["taxes"] or (), language),
            language.amount(line["amount"], currency),
        )
    )


def _rates(call: Call, taxes: Sequence[api.BillingBillResourceInvoicingTaxesTax]) -> Rates:
    """Return the tax rates that these taxes come from."""
    ids = {details["tax_rate"] for tax in taxes if (details := tax["tax_rate_details"])}
    return {id: rate for id in ids if (rate := call.objects.find(kinds.TAX_RATE, id)) is not None}


def _rate(rates: Rates, tax: api.BillingBillResourceInvoicingTaxesTax) -> api.TaxRate | None:
    details = tax["tax_rate_details"]
    return rates.get(details["tax_rate"]) if details else None


def _percentages(rates: Rates, taxes: Sequence[api.BillingBillResourceInvoicingTaxesTax], language: Language) -> str:
    """Return the rates of a line's taxes."""
    found = [rate for tax in taxes if (rate := _rate(rates, tax)) is not None]
    return ", ".join(language.percent(rate["percentage"]) for rate in found)


def _taxes(
    call: Call,
    taxes: Sequence[api.BillingBillResourceInvoicingTaxesTax],
    excluding: int | None,
    currency: str,
    language: Language,
) -> list[printed.Sum]:
    """Return each tax with its rate and the amount that it is of.

    excluding: the total without taxes, if it is known.
    """
    say, found = language.say, list[printed.Sum]()
    if taxes and excluding is not None:
        found.append(printed.Sum(say("Total excluding tax"), language.amount(excluding, currency)))
    rates = _rates(call, taxes)
    for tax in taxes:
        rate = _rate(rates, tax)
        label = say("Tax")
        if rate is not None:
            where = rate["jurisdiction"] or (language.country(rate["country"]) if rate["country"] else "")
            label = rate["display_name"] + (f" – {where}" if where else "")
            label += f" {language.percent(rate['percentage'])}"
        if tax["taxable_amount"] is not None:
            label += " " + say("on {amount}", amount=language.amount(tax["taxable_amount"], currency))
        if tax["tax_behavior"] == "inclusive":
            label += " " + say("(included)")
        found.append(printed.Sum(label, language.amount(tax["amount"], currency)))
    return found


def _discounts(
    call: Call, amounts: Sequence[api.DiscountsResourceDiscountAmount], currency: str, language: Language
) -> list[printed.Sum]:
    """Return what each discount takes off, with the name of its coupon."""
    found = []
    for entry in amounts:
        discount = call.objects.find(kinds.DISCOUNT, entry["discount"])
        coupon = call.objects.find("coupon", value_at(discount, "source.coupon") or "")
        percent = discount["_coupon"]["percent_off"] if discount else None
        name = str((coupon and coupon["name"]) or language.say("Discount"))
        off = f" ({language.percent(percent)})" if percent else ""
        found.append(printed.Sum(name + off, language.amount(-entry["amount"], currency)))
    return found


def _tax_notes(invoice: StoredInvoice, language: Language) -> list[str]:
    """Return why an invoice has no tax, where the law demands that it says so."""
    reasons = {tax["taxability_reason"] for tax in invoice["total_taxes"] or ()}
    if invoice["customer_tax_exempt"] == "reverse" or "reverse_charge" in reasons:
        return [language.say(_REVERSED)]
    return [language.say(_EXEMPT)] if invoice["customer_tax_exempt"] == "exempt" else []
