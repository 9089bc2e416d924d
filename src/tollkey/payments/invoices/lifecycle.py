"""Finalizing, paying, voiding and writing off invoices.

Events are emitted in the order of the real API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tollkey.ledger import Money
from tollkey.payments.customers import balance
from tollkey.payments.invoices import collection, jobs, kinds, states
from tollkey.payments.invoices.drafts import copy_customer_details, refresh, subscription_of
from tollkey.payments.invoices.payments import (
    Outcome,
    method_of,
    new_payment,
    no_method,
    payment_canceled,
    payment_paid,
)
from tollkey.payments.invoices.retries import schedule_method_check, schedule_next_attempt
from tollkey.payments.shared import clock, currency, events
from tollkey.payments.tax import automatic
from tollkey.payments.usage import credits
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.hosted import hosted_url

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api

HOSTED = "i"


_NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."


def customer_of(call: Call, invoice: StoredInvoice) -> StoredCustomer:
    """Return the customer of an invoice."""
    return call.objects.get(kinds.CUSTOMER, invoice["customer"], "customer")


def invoice_of_path(call: Call, param: str | None = None) -> tuple[Call, StoredInvoice]:
    """Return the call at the time of the customer's test clock, and the invoice in the path.

    param: the ``param`` of the 404 for an unknown id, if it is not ``invoice``.
    """
    invoice = call.objects.get(kinds.INVOICE, call.path["invoice"], path_param=param)
    return clock.for_customer(call, customer_of(call, invoice)), invoice


def finalize(call: Call, invoice: StoredInvoice) -> None:
    """Finalize a draft: apply billing credits and the customer's balance, number it and open it.

    An invoice with no amount due is paid immediately. Raises ApiError 400 if it is not a draft, or automatic tax has no
    location.
    """
    if invoice["status"] != "draft":
        raise not_a_draft()
    customer = customer_of(call, invoice)
    copy_customer_details(call, invoice, customer)
    refresh(call, invoice)
    if invoice["automatic_tax"]["enabled"] and invoice["automatic_tax"]["status"] != "complete":
        _disable_tax(call, invoice)
    _check_shares(call, invoice, customer)
    if credits.apply(call, invoice):
        refresh(call, invoice)
    _apply_balance(call, invoice, customer)
    _open(call, invoice, customer)
    if invoice["amount_due"] > 0:
        collection.prepare(call, invoice, customer)
    call.objects.save(invoice)
    call.emit("invoice.finalized", invoice)
    if invoice["from_invoice"]:
        _replace(call, invoice)
    if invoice["amount_due"] == 0:
        mark_paid(call, invoice)
    elif invoice["due_date"] is not None:
        call.schedule.add(invoice["due_date"], jobs.INVOICE_OVERDUE, invoice["id"], invoice["test_clock"])


def not_a_draft() -> ApiError:
    """Return the 400 for an invoice that was finalized before."""
    return invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.", retry=False)


def close_paid(call: Call, invoice: StoredInvoice, intent: StoredPaymentIntent | None) -> None:
    """Finalize a new draft that was paid beforehand, and mark it paid.

    intent: the succeeded PaymentIntent of the full amount; None if nothing is due.
    """
    _open(call, invoice, customer_of(call, invoice))
    call.objects.save(invoice)
    call.emit("invoice.finalized", invoice)
    if intent is not None and invoice["amount_due"] > 0:
        new_payment(call, invoice, intent["id"])
        intent["_invoice"] = invoice["id"]
        call.objects.save(intent)
        payment_paid(call, invoice, invoice["amount_due"])
    mark_paid(call, invoice)


def _open(call: Call, invoice: StoredInvoice, customer: StoredCustomer) -> None:
    """Number a draft and set the fields of a finalized invoice."""
    call.schedule.cancel(jobs.INVOICE_ADVANCE, invoice["id"])
    if invoice["number"] is None:
        invoice["number"] = next_number(call, customer)
    url = hosted_url(call, HOSTED, invoice["id"])
    states.INVOICE.set(invoice, "open")
    invoice.update(
        {
            "automatically_finalizes_at": None,
            "hosted_invoice_url": url,
            "invoice_pdf": url + "/pdf",
            "ending_balance": balance.balance_in(customer, invoice["currency"]).amount,
        }
    )
    invoice["effective_at"] = invoice["effective_at"] or call.now
    invoice["last_finalization_error"] = None
    invoice["status_transitions"]["finalized_at"] = call.now
    if invoice["rendering"]:
        asked = (invoice["rendering"].get("pdf") or {}).get("page_size") or "auto"
        invoice["rendering"]["pdf"] = {"page_size": "letter" if asked == "auto" else asked}
    if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
        invoice["due_date"] = call.now


def _disable_tax(call: Call, invoice: StoredInvoice) -> None:
    """Disable automatic tax of a subscription's invoice, as the customer's location is unknown.

    Raises ApiError 400 for any other invoice, and keeps ``last_finalization_error``.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, subscription_of(invoice) or "")
    if subscription is None:
        raise _not_finalized(call, invoice, automatic.unlocated())
    invoice["automatic_tax"].update(
        {"enabled": False, "disabled_reason": "finalization_requires_location_inputs", "liability": None}
    )
    call.announce(events.TaxLocationMissing(invoice))
    refresh(call, invoice)


def _check_shares(call: Call, invoice: StoredInvoice, customer: StoredCustomer) -> None:
    """Raise ApiError 400 if more is to go to other accounts than will be due: a PaymentIntent would not allow it."""
    total = Money(invoice["total"], invoice["currency"])
    due = max(total + balance.balance_in(customer, total.currency), total.with_amount(0))
    error = collection.excess(invoice, due.amount)
    if error is not None and due.is_positive:
        raise _not_finalized(call, invoice, error)


def _not_finalized(call: Call, invoice: StoredInvoice, error: ApiError) -> ApiError:
    """Keep the error of a failed finalization on the draft, and return it."""
    keep_error(call, invoice, error)
    error.keep = True
    return error


def keep_error(call: Call, invoice: StoredInvoice, error: ApiError) -> None:
    """Store the error of a failed finalization on the draft, with its event."""
    code = {"code": error.code} if error.code is not None else {}
    kept = {**code, "message": error.message, "type": error.type}
    invoice["last_finalization_error"] = cast("api.ApiErrors", kept)
    call.objects.save(invoice)
    call.emit("invoice.finalization_failed", invoice)


def _replace(call: Call, revision: StoredInvoice) -> None:
    """Void the original of a finalized revision, and link it to the revision."""
    source = revision["from_invoice"]
    assert source is not None, "only revisions come here"
    original = call.objects.get(kinds.INVOICE, source["invoice"])
    original["latest_revision"] = revision["id"]
    if original["status"] in ("open", "uncollectible"):
        void(call, original)
    else:
        call.objects.save(original, "invoice.updated")


def next_number(call: Call, customer: StoredCustomer) -> str:
    """Return the next invoice number of a customer: their prefix and a sequence without gaps."""
    sequence = customer.get("next_invoice_sequence") or 1
    customer["next_invoice_sequence"] = sequence + 1
    customer["invoice_prefix"] = customer.get("invoice_prefix") or call.ids.text(8).upper()
    call.objects.save(customer)
    return f"{customer['invoice_prefix']}-{sequence:04d}"


def _apply_balance(call: Call, invoice: StoredInvoice, customer: StoredCustomer) -> None:
    """Apply the customer's balance to the amount due; an amount too small to charge is moved to the balance."""
    total = Money(invoice["total"], invoice["currency"])
    nothing, smallest = total.with_amount(0), total.with_amount(currency.minimum(total.currency))
    start = balance.balance_in(customer, total.currency)
    due = max(total + start, nothing)
    kind = "applied_to_invoice"
    if nothing < due < smallest and invoice["collection_method"] == "charge_automatically":
        due, kind = nothing, "invoice_too_small"
    invoice["starting_balance"] = start.amount
    invoice["amount_due"] = invoice["amount_remaining"] = due.amount
    if total != due:
        balance.change_balance(call, customer, total - due, kind, invoice=invoice["id"])


def mark_paid(call: Call, invoice: StoredInvoice, *, out_of_band: bool = False) -> None:
    """Mark an invoice paid, emit its events, and announce it to the subscription.

    out_of_band: whether it was paid outside of the API. The events are ``invoice.updated`` (unless nothing was due),
        ``invoice.paid`` and ``invoice.payment_succeeded``.
    """
    free = invoice["amount_due"] == 0
    invoice["amount_paid"] += invoice["amount_remaining"]
    invoice["amount_remaining"] = 0
    states.INVOICE.set(invoice, "paid")
    invoice.update({"attempted": True, "auto_advance": False, "next_payment_attempt": None})
    invoice["status_transitions"]["paid_at"] = call.now
    invoice["_out_of_band"] = out_of_band
    call.schedule.cancel(jobs.INVOICE_RETRY, invoice["id"])
    call.schedule.cancel(jobs.INVOICE_OVERDUE, invoice["id"])
    call.objects.save(invoice, None if free else "invoice.updated")
    call.emit("invoice.paid", invoice)
    call.emit("invoice.payment_succeeded", invoice)
    set_delinquent(call, invoice["customer"], yes=False)
    call.announce(events.InvoicePaid(invoice))


def set_delinquent(call: Call, id: str, *, yes: bool) -> None:
    """Set ``delinquent`` of a customer, if it exists, with ``customer.updated`` for a change.

    It reflects the last outcome of any of their invoices: true after a failed automatic payment or a passed due date,
    false after a payment or when one is marked uncollectible on request. Source: its description in the Customers API.
    """
    customer = call.objects.find(kinds.CUSTOMER, id)
    if customer is not None and customer["delinquent"] != yes:
        customer["delinquent"] = yes
        call.objects.save(customer, "customer.updated")


def attempt_collection(
    call: Call, invoice: StoredInvoice, *, method: str | None = None, off_session: bool = True, by_hand: bool = False
) -> Outcome:
    """Attempt to collect an open invoice; store and return the outcome, with its events.

    method: the id of the payment method or source to charge; the default one if None. off_session: whether the customer
        is absent. by_hand: whether the attempt was requested; a failure then does not make the customer delinquent.
        Raises ApiError 400 without a payment method.
    """
    if invoice["amount_remaining"] <= 0:
        mark_paid(call, invoice)
        return Outcome("paid")
    customer = customer_of(call, invoice)
    id = subscription_of(invoice)
    chosen = method or method_of(call, invoice, call.objects.find(kinds.SUBSCRIPTION, id) if id else None, customer)
    if chosen is None:
        raise no_method()
    if not by_hand or not invoice["attempted"]:  # later requested attempts do not affect the retry schedule
        invoice["attempt_count"] += 1
    invoice["attempted"] = True
    outcome = collection.charge(call, invoice, customer, chosen, off_session=off_session)
    record_attempt(call, invoice, outcome)
    refused = outcome.status == "requires_action" and collection.was_refused(call, invoice)
    if (outcome.status == "failed" or refused) and not by_hand:
        set_delinquent(call, customer["id"], yes=True)
    return outcome


def record_attempt(call: Call, invoice: StoredInvoice, outcome: Outcome) -> Outcome:
    """Store the outcome of a collection attempt, with its events, and return it."""
    if outcome.status == "paid":
        if invoice["status"] != "paid":
            mark_paid(call, invoice)
    elif outcome.status == "processing":
        call.objects.save(invoice, "invoice.updated")
    else:
        _record_failure(call, invoice, outcome)
    return outcome


def _record_failure(call: Call, invoice: StoredInvoice, outcome: Outcome) -> None:
    """Record a failed attempt, schedule the next one, and announce the failure."""
    if outcome.status == "requires_action" and not collection.was_refused(call, invoice):
        invoice["attempt_count"] -= 1  # counted once the customer has acted
    schedule_next_attempt(call, invoice)
    call.objects.save(invoice, "invoice.updated")
    if outcome.status == "requires_action":
        call.emit("invoice.payment_action_required", invoice)
    call.emit("invoice.payment_failed", invoice)
    call.announce(events.InvoicePaymentFailed(invoice))


def fail_attempt(call: Call, invoice: StoredInvoice, error: ApiError) -> None:
    """Record an automatic attempt that was refused before anything was charged."""
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    record_attempt(call, invoice, Outcome("failed", error))
    set_delinquent(call, invoice["customer"], yes=True)


def fail_without_method(call: Call, invoice: StoredInvoice) -> None:
    """Record an automatic attempt without a payment method; after the first one, only check again for a method."""
    if not invoice["attempted"]:
        invoice["attempted"] = True
        call.objects.save(invoice, "invoice.updated")
        call.emit("invoice.payment_failed", invoice)
        set_delinquent(call, invoice["customer"], yes=True)
        call.announce(events.InvoicePaymentFailed(invoice))
    schedule_method_check(call, invoice)
    call.objects.save(invoice)


def void(call: Call, invoice: StoredInvoice) -> None:
    """Void an open or uncollectible invoice; applied balance and billing credits are returned.

    Raises ApiError 400 in other states.
    """
    if invoice["status"] == "paid":
        raise with_payments()
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(_NOT_OPEN, retry=False)
    credited = invoice["pre_payment_credit_notes_amount"]  # reduced the amount due, but is no balance
    applied = Money(invoice["total"] - invoice["amount_due"] - credited, invoice["currency"])
    if not applied.is_zero:
        customer = customer_of(call, invoice)
        balance.change_balance(call, customer, -applied, "unapplied_from_invoice", invoice=invoice["id"])
    states.INVOICE.set(invoice, "void")
    invoice.update({"auto_advance": False, "next_payment_attempt": None})
    invoice["status_transitions"]["voided_at"] = call.now
    _cancel_collection(call, invoice)
    credits.return_credits(call, invoice)
    call.objects.save(invoice, "invoice.updated")
    call.emit("invoice.voided", invoice)
    call.announce(events.InvoiceVoided(invoice))


def is_processing(call: Call, invoice: StoredInvoice) -> bool:
    """Return whether a bank debit for an invoice is under way, whose outcome is known days later."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "")
    return intent is not None and intent["status"] == "processing"


def with_payments() -> ApiError:
    """Return the 400 for an invoice that cannot be voided because something of it is paid."""
    return invalid("Invoices with `paid` payments cannot be voided.", retry=False)


def _cancel_collection(call: Call, invoice: StoredInvoice) -> None:
    """Cancel the scheduled jobs, the invoice payment and the PaymentIntent of an invoice."""
    call.schedule.cancel(jobs.INVOICE_RETRY, invoice["id"])
    call.schedule.cancel(jobs.INVOICE_OVERDUE, invoice["id"])
    payment_canceled(call, invoice)
    collection.cancel_intent_of(call, invoice)


def write_off(call: Call, invoice: StoredInvoice) -> None:
    """Mark an open invoice uncollectible. Raises ApiError 400 in other states."""
    if invoice["status"] == "uncollectible":
        raise invalid("This invoice has already been marked uncollectible.", retry=False)
    if invoice["status"] != "open":
        raise invalid(_NOT_OPEN, retry=False)
    states.INVOICE.set(invoice, "uncollectible")
    invoice.update({"auto_advance": False, "next_payment_attempt": None})
    invoice["status_transitions"]["marked_uncollectible_at"] = call.now
    call.schedule.cancel(jobs.INVOICE_RETRY, invoice["id"])
    call.objects.save(invoice, "invoice.updated")
    call.emit("invoice.marked_uncollectible", invoice)
    call.announce(events.InvoiceWrittenOff(invoice))
