"""Credit notes: they reduce the amount due of an open invoice, or return money of a paid one.

    issued ──void (only of an open invoice)──▶ void

A note first reduces what is still due (``pre_payment``). The rest (``post_payment``) was paid: it is refunded, credited
to the customer's balance or settled outside of Stripe, and the three add up to it. A note of a partly paid invoice may
do both (``mixed``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.ledger import Money
from tollkey.payments.customers import balance
from tollkey.payments.documents import parties, printed
from tollkey.payments.invoices import collection, credit_note_amounts, credit_note_lines, kinds, printing, states
from tollkey.payments.invoices.credit_note_versions import CHANGES, CREATE_REMOVED, LINE_CHANGES
from tollkey.payments.invoices.lifecycle import customer_of, mark_paid
from tollkey.payments.invoices.payments import payment_canceled, remaining
from tollkey.payments.shared import clock, fields, providers
from tollkey.wire import Action, Call, Endpoint, P, Page, Reply, Resource, invalid, new_object
from tollkey.wire.hosted import hosted_url
from tollkey.wire.live import asks, records
from tollkey.wire.pages import list_page, nested_list, page_of_list, retrieve

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api, operations

PERMISSION = Permission("credit_note", "Credit notes", "Billing")


def create(call: Call, params: operations.PostCreditNotes) -> api.CreditNote:
    """Issue a credit note, and refund or credit what it says."""
    invoice = call.objects.get(kinds.INVOICE, params["invoice"], "invoice")
    customer = customer_of(call, invoice)
    call = clock.for_customer(call, customer)
    note = _new(call, invoice, params, call.ids.new("cn"))
    count = call.objects.table(kinds.CREDIT_NOTE).count(call.tx, call.scope, {"invoice": invoice["id"]})
    note["number"] = f"{invoice['number']}-CN-{count + 1:02d}"
    note["pdf"] = hosted_url(call, "cn", note["id"]) + "/pdf"
    if params.get("refund_amount"):
        note["refunds"].append(credit_note_amounts.refund(call, invoice, params["refund_amount"]))
    invoice["post_payment_credit_notes_amount"] += note["post_payment_amount"]
    _lower_due(call, invoice, Money(note["pre_payment_amount"], note["currency"]))
    if params.get("credit_amount"):
        credit = -Money(params["credit_amount"], note["currency"])
        moved = balance.change_balance(
            call, customer, credit, "credit_note", credit_note=note["id"], invoice=invoice["id"]
        )
        note["customer_balance_transaction"] = moved["id"]
    call.objects.insert(note, "credit_note.created")
    if note["pre_payment_amount"] and invoice["amount_remaining"] == 0:
        payment_canceled(call, invoice)
        collection.cancel_intent_of(call, invoice)
        mark_paid(call, invoice)
    return note


def _lower_due(call: Call, invoice: StoredInvoice, amount: Money) -> None:
    """Reduce the amount due by the amount of a credit note, and save the invoice; a negative amount raises it again."""
    left = remaining(invoice) - amount
    invoice["pre_payment_credit_notes_amount"] += amount.amount
    invoice["amount_due"] -= amount.amount
    invoice["amount_remaining"] = left.amount
    if left.is_positive:
        collection.adjust_intent_amount(call, invoice)
    call.objects.save(invoice, "invoice.updated")


def preview(
    call: Call, params: operations.GetCreditNotesPreview | operations.GetCreditNotesPreviewLines
) -> api.CreditNote:
    """Preview a credit note without storing it."""
    invoice = call.objects.get(kinds.INVOICE, params["invoice"], "invoice")
    note = _new(call, invoice, params, call.ids.new("cn"))
    note["number"], note["pdf"] = f"{invoice['number']}-CN-01", f"{call.setup.base_url}/cn/preview/pdf"
    return note


def preview_lines(call: Call, params: operations.GetCreditNotesPreviewLines) -> Page:
    """List the lines of a credit note preview."""
    return page_of_list(preview(call, params)["lines"]["data"], "/v1/credit_notes/preview/lines", params)


def _new(
    call: Call,
    invoice: StoredInvoice,
    params: operations.PostCreditNotes | operations.GetCreditNotesPreview | operations.GetCreditNotesPreviewLines,
    id: str,
) -> api.CreditNote:
    """Return the note that the parameters describe, not stored and without its effects. Raises ApiError 400.

    In test mode ``email_type`` changes nothing: no e-mail is sent there, as by Stripe.
    """
    if params.get("email_type") == "credit_note" and call.livemode:
        raise invalid("This server sends no e-mail to customers. Please pass `none`.", "email_type", guess=True)
    _check_invoice(call, invoice)
    earlier = call.objects.query(kinds.CREDIT_NOTE, {"invoice": invoice["id"]}, limit=1_000)
    lines = credit_note_lines.build_lines(call, invoice, params.get("lines") or (), earlier)
    shipping = _shipping(invoice, params.get("shipping_cost"))
    refunds = credit_note_amounts.linked_refunds(call, invoice, params, earlier)
    credited = credit_note_amounts.split(invoice, lines, shipping, params, refunds)
    total, shipped = credited.total.amount, shipping["amount_total"] if shipping is not None else 0
    off = sum(line["discount_amount"] for line in lines)
    taxes = [tax for line in lines for tax in line["taxes"] or ()]
    subtotal = total - shipped - sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive") + off
    without = total - sum(tax["amount"] for tax in taxes) - (shipping["amount_tax"] if shipping is not None else 0)
    note = new_object(
        kinds.CREDIT_NOTE,
        id=id,
        amount=total,
        amount_shipping=shipped,
        created=call.now,
        currency=invoice["currency"],
        customer=invoice["customer"],
        discount_amount=off,
        effective_at=fields.given(params, "effective_at", call.now),
        invoice=invoice["id"],
        livemode=call.livemode,
        post_payment_amount=credited.post.amount,
        pre_payment_amount=credited.pre.amount,
        refunds=refunds,
        shipping_cost=shipping,
        status=states.CREDIT_NOTE.start("issued"),
        subtotal=subtotal,
        subtotal_excluding_tax=without - shipped + off,
        total=total,
        total_excluding_tax=without,
        type=credited.kind,
        lines=nested_list(lines, f"/v1/credit_notes/{id}/lines"),
        reason=params.get("reason"),
        memo=params.get("memo"),
        out_of_band_amount=params.get("out_of_band_amount"),
        total_taxes=taxes,
    )
    note["metadata"] = fields.new_metadata(params)
    return note


def _check_invoice(call: Call, invoice: StoredInvoice) -> None:
    """Raise ApiError 400 for a draft, for a void invoice, and for one with a pending payment."""
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise invalid(
            f"You can only issue credit notes for open or paid invoices. This invoice is {invoice['status']}.",
            "invoice",
            retry=False,
        )
    for payment in call.objects.query(kinds.INVOICE_PAYMENT, {"invoice": invoice["id"]}, limit=100):
        intent = call.objects.find(kinds.PAYMENT_INTENT, payment["payment"].get("payment_intent") or "")
        if payment["status"] == "open" and intent is not None and intent["status"] == "processing":
            raise invalid(
                "You cannot issue a credit note for an invoice with a pending payment.", "invoice", retry=False
            )


def _shipping(invoice: StoredInvoice, wanted: Mapping[str, Any] | None) -> api.InvoicesResourceShippingCost | None:
    """Return the shipping cost that a note credits: the invoice's. Raises ApiError 400 for another shipping rate."""
    if not wanted:
        return None
    cost = invoice["shipping_cost"]
    if cost is None or wanted.get("shipping_rate") != cost["shipping_rate"]:
        raise invalid("The shipping rate must be the one of the invoice.", "shipping_cost[shipping_rate]")
    return cost.copy()


def pdf(call: Call, params: operations.GetCnTokenPdf) -> Reply:
    """Return the credit note as a PDF."""
    note = call.objects.get(kinds.CREDIT_NOTE, call.path["id"])
    language = parties.language_of(call, note["customer"])
    return printed.reply(printing.credit_note_document(call, note, language), note["number"])


def update(call: Call, params: operations.PostCreditNotesId) -> api.CreditNote:
    """Change a credit note's memo or metadata."""
    note = call.objects.get(kinds.CREDIT_NOTE, call.path["id"])
    fields.assign_with_metadata(note, params, ("memo",))
    return call.objects.save(note, "credit_note.updated")


def void(call: Call, params: operations.PostCreditNotesIdVoid) -> api.CreditNote:
    """Void a credit note of an open invoice; its amount is due again."""
    note = call.objects.get(kinds.CREDIT_NOTE, call.path["id"])
    invoice = call.objects.get(kinds.INVOICE, note["invoice"])
    call = clock.for_customer(call, customer_of(call, invoice))
    if note["status"] == "void":
        raise invalid("This credit note has already been voided.", retry=False)
    if invoice["status"] != "open":
        raise invalid("You can only void a credit note if the associated invoice is open.", retry=False)
    states.CREDIT_NOTE.set(note, "void")
    note["voided_at"] = call.now
    call.objects.save(note)
    _lower_due(call, invoice, -Money(note["pre_payment_amount"], note["currency"]))
    call.emit("credit_note.voided", note)
    return note


def list_notes(call: Call, params: operations.GetCreditNotes) -> Page:
    """List credit notes by customer and invoice."""
    equal = {name: params[name] for name in ("customer", "invoice") if params.get(name)}
    return list_page(call, kinds.CREDIT_NOTE, params, equal, url="/v1/credit_notes")


def list_lines(call: Call, params: operations.GetCreditNotesCreditNoteLines) -> Page:
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
        Endpoint(
            "POST",
            "/v1/credit_notes",
            create,
            live=asks(providers.REFUNDS, "it refunds money"),
            removed=CREATE_REMOVED,
        ),
        Endpoint("GET", "/v1/credit_notes/preview", preview, removed=CREATE_REMOVED),
        Endpoint("GET", "/v1/credit_notes/preview/lines", preview_lines, removed=CREATE_REMOVED),
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
