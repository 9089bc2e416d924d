"""Dunning, and the other scheduled jobs of invoices: automatic finalization, collection, retries, overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.invoices import kinds, states
from tollkey.payments.invoices.drafts import subscription_of
from tollkey.payments.invoices.lifecycle import (
    attempt_collection,
    customer_of,
    fail_attempt,
    fail_without_method,
    finalize,
    keep_error,
    not_a_draft,
    set_delinquent,
)
from tollkey.payments.invoices.payments import method_of
from tollkey.payments.shared import events
from tollkey.wire import ApiError, Call

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice


def advance(call: Call, id: str) -> None:
    """Run the job ``invoice.advance``: finalize and collect a draft an hour after its creation. id: of the invoice."""
    invoice = call.objects.find(kinds.INVOICE, id)
    if invoice is None or not invoice["auto_advance"]:
        return
    if call.objects.find(kinds.CUSTOMER, invoice["customer"]) is None:  # the customer was deleted
        invoice["auto_advance"], invoice["automatically_finalizes_at"] = False, None
        call.objects.save(invoice, "invoice.updated")
        return
    if invoice["status"] == "draft":
        if try_to_finalize(call, invoice) is not None:
            return
        if states.status_now(invoice) == "open" and invoice["collection_method"] == "send_invoice":
            call.emit("invoice.sent", invoice)
    collect(call, invoice)


def try_to_finalize(call: Call, invoice: StoredInvoice) -> ApiError | None:
    """Finalize a draft; return the error if that failed, which the draft keeps and its event has told.

    The call has then forgotten what it had loaded. Raises ApiError 400 for an invoice that is no draft.
    ``invoice.finalization_failed`` is for every cause: "Occurs whenever a draft invoice cannot be finalized"
    (Stripe's specification), such as an amount that no PaymentIntent can have.
    """
    if invoice["status"] != "draft":
        raise not_a_draft()
    try:
        with call.tx.savepoint():
            finalize(call, invoice)
    except ApiError as error:
        keep_error(call, _again(call, invoice), error)
        error.keep = True
        return error
    return None


def _again(call: Call, invoice: StoredInvoice) -> StoredInvoice:
    """Return an invoice as it is stored, after what was done with it was rolled back."""
    call.forget()
    return call.objects.get(kinds.INVOICE, invoice["id"])


def retry(call: Call, id: str) -> None:
    """Run the job ``invoice.retry``: retry the payment of an invoice. id: of the invoice."""
    invoice = call.objects.find(kinds.INVOICE, id)
    if invoice is not None:
        collect(call, invoice)


def collect(call: Call, invoice: StoredInvoice) -> None:
    """Make one automatic attempt to collect an open invoice.

    A payment method that cannot pay it at all, such as one of a type that the invoice does not take, fails as a
    declined one does (inferred: ``invoice.payment_failed`` is for attempts that fail "due either to a declined payment
    or to the lack of a stored payment method").
    """
    if call.objects.find(kinds.CUSTOMER, invoice["customer"]) is None:
        return
    if invoice["status"] != "open" or invoice["collection_method"] != "charge_automatically":
        return
    subscription = call.objects.find(kinds.SUBSCRIPTION, subscription_of(invoice) or "")
    if subscription is not None and subscription["pause_collection"] is not None:
        return
    if method_of(call, invoice, subscription, customer_of(call, invoice)) is None:
        fail_without_method(call, invoice)
        return
    try:
        with call.tx.savepoint():
            attempt_collection(call, invoice)
    except ApiError as error:
        fail_attempt(call, _again(call, invoice), error)


def overdue(call: Call, id: str) -> None:
    """Run the job ``invoice.overdue``: the due date of an open invoice has passed. id: of the invoice."""
    invoice = call.objects.find(kinds.INVOICE, id)
    if invoice is None or invoice["status"] != "open":
        return
    call.emit("invoice.overdue", invoice)
    set_delinquent(call, invoice["customer"], yes=True)
    call.announce(events.InvoiceOverdue(invoice))
