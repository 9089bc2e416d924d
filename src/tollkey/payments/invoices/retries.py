"""The schedule of automatic attempts to collect a failed invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.catalog import arithmetic
from tollkey.payments.invoices import jobs, kinds
from tollkey.payments.invoices.drafts import subscription_of
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice

#: Days from each failed attempt to the next; after the last one, the subscription's setting decides.
RETRY_DAYS = (3, 5, 7)


def schedule_next_attempt(call: Call, invoice: StoredInvoice) -> None:
    """Schedule the next attempt of a failed invoice, on the customer's clock."""
    done = max(invoice["attempt_count"], 1)
    subscription = call.objects.find(kinds.SUBSCRIPTION, subscription_of(invoice) or "")
    if subscription is not None and subscription["status"] == "incomplete":
        return  # the customer has to pay the first invoice within 23 hours
    if not invoice["auto_advance"] or done > len(RETRY_DAYS):
        invoice["_exhausted"] = invoice["auto_advance"]
        invoice["next_payment_attempt"] = None
        return
    at = invoice["next_payment_attempt"] = call.now + RETRY_DAYS[done - 1] * arithmetic.DAY
    call.schedule.add(at, jobs.INVOICE_RETRY, invoice["id"], invoice["test_clock"])


def schedule_method_check(call: Call, invoice: StoredInvoice) -> None:
    """Schedule a check for a payment method, on the days of the retry schedule."""
    looked = invoice.get("_looked", 0)
    if looked < len(RETRY_DAYS):
        invoice["_looked"] = looked + 1
        call.schedule.add(
            call.now + RETRY_DAYS[looked] * arithmetic.DAY, jobs.INVOICE_RETRY, invoice["id"], invoice["test_clock"]
        )
