"""Credit notes: they reduce the amount due of an open invoice, or return money of a paid one.

    issued ──void (only of an open invoice)──▶ void

For an open invoice the amount due is reduced (``pre_payment``). For a paid one (``post_payment``) it is refunded,
credited to the customer's balance, or returned out of band; the three add up to the amount of the note.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.catalog import pricing
from tollkey.payments.charges import refund_rules
from tollkey.payments.customers import balance
from tollkey.payments.invoices import kinds, states
from tollkey.payments.invoices.credit_note_versions import CHANGES, LINE_CHANGES
from tollkey.payments.invoices.lifecycle import customer_of, mark_paid
from tollkey.payments.invoices.payments import remaining
from tollkey.payments.invoices.pdf import plain_pdf
from tollkey.payments.invoices.rules import check_credit_line
from tollkey.payments.shared import clock, currency, fields, providers, rounding
from tollkey.wire import (
    Action,
    Call,
    Endpoint,
    P,
    Page,
    Params,
    Reply,
    Resource,
    asks,
    hosted_url,
    invalid,
    list_page,
    missing_object,
    nested_list,
    new_object,
    page_of_list,
    records,
    retrieve,
)

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice, TaxEntry
    from tollkey.wire import api

PERMISSION = Permission("credit_note", "Credit notes", "Billing")
_DESTINATIONS = ("refund_amount", "credit_amount", "out_of_band_amount")


def create(call: Call, params: Params) -> api.CreditNote:
    """Create a credit note; refund or credit its amount."""
    invoice = call.objects.get(kinds.INVOICE, params["invoice"], "invoice")
    customer = customer_of(call, invoice)
    call = clock.for_customer(call, customer)
    note = _new(call, invoice, params, call.ids.new("cn"))
    count = len(call.objects.query(kinds.CREDIT_NOTE, {"invoice": invoice["id"]}, limit=100))
    note["number"] = f"{invoice['number']}-CN-{count + 1:02d}"
    note["pdf"] = hosted_url(call, "cn", note["id"]) + "/pdf"
    if note["type"] == "pre_payment":
        _lower_due(invoice, Money(note["amount"], note["currency"]))
    else:
        invoice["post_payment_credit_notes_amount"] += note["amount"]
        _refund_and_credit(call, note, invoice, customer, params)
    call.objects.insert(note, "credit_note.created")
    call.objects.save(invoice, "invoice.updated")
    if note["type"] == "pre_payment" and invoice["amount_remaining"] == 0:
        mark_paid(call, invoice)
    return note


def _lower_due(invoice: StoredInvoice, amount: Money) -> None:
    """Subtract the amount of a credit note from what is due on an open invoice; a negative amount adds it again."""
    left = remaining(invoice) - amount
    invoice["pre_payment_credit_notes_amount"] += amount.amount
    invoice["amount_due"] -= amount.amount
    invoice["amount_remaining"] = left.amount


def preview(call: Call, params: Params) -> api.CreditNote:
    """Preview a credit note without storing it."""
    invoice = call.objects.get(kinds.INVOICE, params["invoice"], "invoice")
    note = _new(call, invoice, params, call.ids.new("cn"))
    note["number"], note["pdf"] = f"{invoice['number']}-CN-01", f"{call.setup.base_url}/cn/preview/pdf"
    return note


def preview_lines(call: Call, params: Params) -> Page:
    """List the lines of a credit note preview."""
    rest = {name: value for name, value in params.items() if name not in ("limit", "starting_after", "ending_before")}
    return page_of_list(preview(call, rest)["lines"]["data"], "/v1/credit_notes/preview/lines", params)


def _new(call: Call, invoice: StoredInvoice, params: Mapping[str, Any], id: str) -> api.CreditNote:
    """Return a new credit note, not stored. Raises ApiError 400 if the invoice or the amounts do not allow it."""
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise invalid(
            f"You can only issue credit notes for open or paid invoices. This invoice is {invoice['status']}.",
            "invoice",
            retry=False,
        )
    lines = [_line(call, invoice, entry, f"lines[{place}]") for place, entry in enumerate(params.get("lines") or [])]
    total = _credited(invoice, lines, params).amount
    paid = invoice["status"] == "paid"
    off = sum(line["discount_amount"] for line in lines)
    taxes = [tax for line in lines for tax in line["taxes"] or ()]
    subtotal = total - sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive") + off
    without = total - sum(tax["amount"] for tax in taxes)
    note = new_object(
        kinds.CREDIT_NOTE,
        id=id,
        amount=total,
        amount_shipping=0,
        created=call.now,
        currency=invoice["currency"],
        customer=invoice["customer"],
        discount_amount=off,
        effective_at=fields.given(params, "effective_at", call.now),
        invoice=invoice["id"],
        livemode=call.livemode,
        post_payment_amount=total if paid else 0,
        pre_payment_amount=0 if paid else total,
        status=states.CREDIT_NOTE.start("issued"),
        subtotal=subtotal,
        subtotal_excluding_tax=without + off,
        total=total,
        total_excluding_tax=without,
        type="post_payment" if paid else "pre_payment",
        lines=nested_list(lines, f"/v1/credit_notes/{id}/lines"),
        reason=params.get("reason"),
        memo=params.get("memo"),
        out_of_band_amount=params.get("out_of_band_amount"),
        total_taxes=taxes,
    )
    note["metadata"] = fields.new_metadata(params)
    return note


def _credited(invoice: StoredInvoice, lines: list[api.CreditNoteLineItem], params: Mapping[str, Any]) -> Money:
    """Return the total that a credit note with these lines or amounts credits.

    Raises ApiError 400 if less is left, or the amounts do not add up.
    """
    where = Money(sum(params.get(name) or 0 for name in _DESTINATIONS), invoice["currency"])
    total = where.with_amount(
        sum(line["amount"] + sum(tax["amount"] for tax in line["taxes"] or ()) for line in lines)
        if lines
        else fields.given(params, "amount", where.amount)
    )
    if total.is_zero:
        raise invalid(
            "You must specify at least one of `amount`, `lines`, or `shipping_cost` when creating a credit note.",
            "amount",
            "parameter_missing",
        )
    paid = invoice["status"] == "paid"
    already = where.with_amount(invoice["post_payment_credit_notes_amount"])
    left = where.with_amount(invoice["amount_paid"]) - already if paid else remaining(invoice)
    if total > left:
        raise invalid(
            f"The credit note amount ({total.amount}) cannot be greater than the amount remaining to be credited on the"
            f" invoice ({left.amount}).",
            "amount",
        )
    if paid and where != total:
        raise invalid(
            f"The sum of credit amount, refund amount and out of band amount ({where.amount})"
            f" must equal the post payment credit note amount"
            f" ({total.amount}).",
            "refund_amount",
        )
    if not paid and not where.is_zero and params.get("amount") is None and not lines:
        raise invalid("You can only refund or credit the amount of a paid invoice.", "refund_amount")
    return total


def _line(call: Call, invoice: StoredInvoice, entry: Mapping[str, Any], named: str) -> api.CreditNoteLineItem:
    """Return the line of a credit note for an entry of ``lines``. named: the entry's path in errors, ``lines[0]``."""
    check_credit_line(invoice, entry, named)
    source = _source(invoice, entry, named) if entry["type"] == "invoice_line_item" else None
    quantity = fields.given(entry, "quantity", source["quantity"] if source else 1)
    amount, unit = _price(entry, source, quantity or 1, named)
    off, taxes = _proportional_parts(source, amount) if source else ([], [])
    less = sum(one["amount"] for one in off)
    line = new_object(
        kinds.CREDIT_NOTE_LINE,
        id=call.ids.new("cnli"),
        amount=amount - less,
        description=entry.get("description") or (source["description"] if source else None),
        discount_amount=less,
        discount_amounts=off,
        livemode=call.livemode,
        quantity=quantity,
        taxes=taxes,
        type=entry["type"],
        unit_amount=int(unit) if unit is not None and unit == unit.to_integral_value() else None,
        unit_amount_decimal=pricing.decimal_text(unit) if unit is not None else None,
    )
    line["metadata"] = fields.new_metadata(entry)
    if source:
        line["invoice_line_item"] = source["id"]
    return line


def _source(invoice: StoredInvoice, entry: Mapping[str, Any], named: str) -> api.LineItem:
    """Return the invoice line that an entry credits. Raises ApiError 400 if the invoice has no such line."""
    for line in invoice["lines"]["data"]:
        if line["id"] == entry.get("invoice_line_item"):
            return line
    raise missing_object("line_item", str(entry.get("invoice_line_item")), f"{named}[invoice_line_item]", in_path=False)


def _price(
    entry: Mapping[str, Any], source: api.LineItem | None, quantity: int, named: str
) -> tuple[int, Decimal | None]:
    """Return what an entry credits before discounts and taxes, and its unit price, both in minor units.

    The unit price is None if only an amount is given. Raises ApiError 400 if neither is given.
    """
    if entry.get("amount") is not None:
        return entry["amount"], None
    if entry.get("unit_amount") is not None or entry.get("unit_amount_decimal") is not None:
        unit = Decimal(str(fields.given(entry, "unit_amount_decimal", entry.get("unit_amount"))))
    elif source:
        unit = Decimal(source["amount"]) / (source["quantity"] or 1)
    else:
        raise invalid(
            "You must specify `unit_amount` or `amount` for a custom line item.",
            f"{named}[unit_amount]",
            "parameter_missing",
        )
    return rounding.price_amount(unit, quantity), unit


def _proportional_parts(
    source: api.LineItem, amount: int
) -> tuple[list[api.DiscountsResourceDiscountAmount], list[TaxEntry]]:
    """Return the discounts and taxes of a line in proportion to the credited part of its amount (minor units)."""
    whole = source["amount"] or amount
    off: list[api.DiscountsResourceDiscountAmount] = [
        {"amount": rounding.proportion(one["amount"], amount, whole), "discount": one["discount"]}
        for one in source.get("discount_amounts") or []
    ]
    taxes: list[TaxEntry] = [
        {
            **tax,
            "amount": rounding.proportion(tax["amount"], amount, whole),
            "taxable_amount": rounding.proportion(tax["taxable_amount"] or 0, amount, whole),
        }
        for tax in source.get("taxes") or []
    ]
    return off, taxes


def _refund_and_credit(
    call: Call, note: api.CreditNote, invoice: StoredInvoice, customer: StoredCustomer, params: Mapping[str, Any]
) -> None:
    """Refund the charge of a paid invoice and credit the customer's balance, as the parameters ask."""
    if params.get("refund_amount"):
        intent = call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "")
        charge = call.objects.find(kinds.CHARGE, (intent["latest_charge"] if intent else None) or "")
        if charge is None:
            raise invalid("This invoice was not paid with a charge that can be refunded.", "refund_amount", retry=False)
        made = refund_rules.refund(call.at(call.real), charge, {"amount": params["refund_amount"]})
        note["refunds"] = [
            {
                "amount_refunded": params["refund_amount"],
                "payment_record_refund": None,
                "refund": made["id"],
                "type": "refund",
            }
        ]
    if params.get("credit_amount"):
        credit = -Money(params["credit_amount"], note["currency"])
        moved = balance.change_balance(
            call, customer, credit, "credit_note", credit_note=note["id"], invoice=invoice["id"]
        )
        note["customer_balance_transaction"] = moved["id"]


def pdf(call: Call, params: Params) -> Reply:
    """Return the credit note as a PDF."""
    note = call.objects.get(kinds.CREDIT_NOTE, call.path["id"])
    rows = [
        f"{line['description'] or 'Credit'}: {currency.show(line['amount'], note['currency'])}"
        for line in note["lines"]["data"]
    ]
    text = [
        f"Credit note {note['number']}",
        f"Status: {note['status']}",
        "",
        *rows,
        f"Total: {currency.show(note['total'], note['currency'])}",
    ]
    return Reply(plain_pdf(text), "application/pdf")


def update(call: Call, params: Params) -> api.CreditNote:
    """Change a credit note's memo or metadata."""
    note = call.objects.get(kinds.CREDIT_NOTE, call.path["id"])
    fields.assign_with_metadata(note, params, ("memo",))
    return call.objects.save(note, "credit_note.updated")


def void(call: Call, params: Params) -> api.CreditNote:
    """Void a credit note of an open invoice; its amount is due again."""
    note = call.objects.get(kinds.CREDIT_NOTE, call.path["id"])
    invoice = call.objects.get(kinds.INVOICE, note["invoice"])
    call = clock.for_customer(call, customer_of(call, invoice))
    if note["status"] == "void":
        raise invalid("This credit note has already been voided.", retry=False)
    if note["type"] != "pre_payment" or invoice["status"] != "open":
        raise invalid("You can only void credit notes of open invoices.", retry=False)
    states.CREDIT_NOTE.set(note, "void")
    note["voided_at"] = call.now
    _lower_due(invoice, -Money(note["amount"], note["currency"]))
    call.objects.save(note)
    call.emit("credit_note.voided", note)
    call.objects.save(invoice, "invoice.updated")
    return note


def list_notes(call: Call, params: Params) -> Page:
    """List credit notes by customer and invoice."""
    equal = {name: params[name] for name in ("customer", "invoice") if params.get(name)}
    return list_page(call, kinds.CREDIT_NOTE, params, equal, url="/v1/credit_notes")


def list_lines(call: Call, params: Params) -> Page:
    """List the lines of a credit note."""
    note = call.objects.get(kinds.CREDIT_NOTE, call.path["credit_note"])
    return page_of_list(note["lines"]["data"], f"/v1/credit_notes/{note['id']}/lines", params)


CREDIT_NOTE = Resource(
    object="credit_note",
    prefix="cn",
    permission=PERMISSION,
    live=records(),
    indexed=("customer", "invoice", "status"),
    endpoints=(
        Endpoint("GET", "/v1/credit_notes", list_notes),
        Endpoint("POST", "/v1/credit_notes", create, live=asks(providers.REFUNDS, "it refunds money")),
        Endpoint("GET", "/v1/credit_notes/preview", preview),
        Endpoint("GET", "/v1/credit_notes/preview/lines", preview_lines),
        Endpoint("GET", "/v1/credit_notes/{credit_note}/lines", list_lines),
        retrieve("credit_note", "/v1/credit_notes/{id}"),
        Endpoint("POST", "/v1/credit_notes/{id}", update),
        Endpoint("POST", "/v1/credit_notes/{id}/void", void),
        Endpoint("GET", "/cn/{token}/pdf", pdf, public=True, params=P.object()),
    ),
    changes=CHANGES,
    title="Credit notes",
    columns=("number", "id", "invoice", "amount", "currency", "status", "created"),
    actions=(Action("Void", "/v1/credit_notes/{id}/void", when=("issued",)),),
)

LINE = Resource(
    object="credit_note_line_item", permission=PERMISSION, stored=False, changes=LINE_CHANGES, title="Credit note lines"
)
