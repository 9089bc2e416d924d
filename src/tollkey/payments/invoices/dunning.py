"""Dunning, and the other scheduled jobs of invoices: automatic finalization, collection, retries, overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.invoices import kinds, states
from tollkey.payments.invoices.drafts import subscription_of
from tollkey.payments.invoices.lifecycle import (
    attempt_collection,
    customer_of,
    fail_without_method,
    finalize,
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
        try:
            finalize(call, invoice)
        except ApiError as error:
            if not error.keep:
                raise
            return  # the draft keeps the error, and an event was emitted
        if states.status_now(invoice) == "open" and invoice["collection_method"] == "send_invoice":
            call.emit("invoice.sent", invoice)
    collect(call, invoice)


def retry(call: Call, id: str) -> None:
    """Run the job ``invoice.retry``: retry the payment of an invoice. id: of the invoice."""
    invoice = call.objects.find(kinds.INVOICE, id)
    if invoice is not None:
        collect(call, invoice)


def collect(call: Call, invoice: StoredInvoice) -> None:
    """Make one automatic attempt to collect an open invoice."""
    if call.objects.find(kinds.CUSTOMER, invoice["customer"]) is None:
        return
    if invoice["status"] != "open" or invoice["collection_method"] != "charge_automatically":
        return
    subscription = call.objects.find(kinds.SUBSCRIPTION, subscription_of(invoice) or "")
    if subscription is not None and subscription["pause_collection"] is not None:
        return
    if method_of(call, invoice, subscription, customer_of(call, invoice)) is None:
        fail_without_method(call, invoice)
    else:
        attempt_collection(call, invoice)


def overdue(call: Call, id: str) -> None:
    """Run the job ``invoice.overdue``: the due date of an open invoice has passed. id: of the invoice."""
    invoice = call.objects.find(kinds.INVOICE, id)
    if invoice is None or invoice["status"] != "open":
        return
    call.emit("invoice.overdue", invoice)
    set_delinquent(call, invoice["customer"], yes=True)
    call.announce(events.InvoiceOverdue(invoice))
