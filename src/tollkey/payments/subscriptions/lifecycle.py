"""Lifecycle of a subscription: paid and failed invoices make it active, past due, unpaid or canceled.

``states.py`` of this room draws the states and writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from tollkey.payments.catalog import redemption
from tollkey.payments.invoices import drafts
from tollkey.payments.invoices import lifecycle as invoices
from tollkey.payments.shared import clock, events
from tollkey.payments.subscriptions import jobs, kinds, pending_updates, states
from tollkey.payments.subscriptions.entitlement_rules import refresh as entitle
from tollkey.payments.subscriptions.periods import schedule_jobs
from tollkey.payments.subscriptions.settings import set_reason
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.payments.subscriptions.stored import StoredSchedule, StoredSubscription

ENDED = ("canceled", "incomplete_expired")
UPDATED: Final = "customer.subscription.updated"
DELETED: Final = "customer.subscription.deleted"
RESUMED: Final = "customer.subscription.resumed"
#: The time within which the first invoice of a subscription must be paid.
INCOMPLETE_SECONDS = 23 * 3_600
_JOBS = (
    jobs.SUBSCRIPTION_RENEW,
    jobs.SUBSCRIPTION_TRIAL_WILL_END,
    jobs.SUBSCRIPTION_UPCOMING,
    jobs.SUBSCRIPTION_CANCEL,
    jobs.SUBSCRIPTION_EXPIRE,
    jobs.SUBSCRIPTION_RESUME,
    jobs.SUBSCRIPTION_RESUME_EXPIRE,
    jobs.SUBSCRIPTION_PENDING_ITEMS,
)


def paid(call: Call, fact: events.InvoicePaid) -> None:
    """Reactivate the subscription of a paid invoice if it waited for the payment."""
    invoice = fact.invoice
    subscription = _subscription_of(call, invoice)
    if subscription is not None:
        _reactivate(call, subscription, invoice)


def voided(call: Call, fact: events.InvoiceVoided) -> None:
    """Expire an incomplete subscription whose first invoice was voided; otherwise treat the invoice as paid."""
    invoice = fact.invoice
    subscription = _subscription_of(call, invoice)
    if subscription is None:
        return
    if pending_updates.waits_for(subscription, invoice):
        pending_updates.clear(call, subscription)
    elif subscription["status"] == "incomplete" and subscription["latest_invoice"] == invoice["id"]:
        end(call, subscription, None)
    elif subscription["status"] not in ENDED and not _is_resumed_by(subscription, invoice):
        _reactivate(call, subscription, invoice)


def written_off(call: Call, fact: events.InvoiceWrittenOff) -> None:
    """Resume a subscription whose invoice of the resumption was marked uncollectible (API reference, "Resume")."""
    subscription = _subscription_of(call, fact.invoice)
    if subscription is not None and _is_resumed_by(subscription, fact.invoice):
        resume_now(call, subscription)


def _is_resumed_by(subscription: StoredSubscription, invoice: StoredInvoice) -> bool:
    """Return whether a paused subscription resumes once this invoice is paid."""
    return subscription["status"] == "paused" and subscription.get("_resuming") == invoice["id"]


def resume_now(call: Call, subscription: StoredSubscription) -> None:
    """Make a paused subscription active; its jobs, which pausing has cancelled, are scheduled again."""
    states.activate(subscription)
    schedule_jobs(call, subscription)
    call.objects.save(subscription, UPDATED)
    call.emit(RESUMED, subscription)


def _reactivate(call: Call, subscription: StoredSubscription, invoice: StoredInvoice) -> None:
    """Make a subscription active again if it waited for the payment of this invoice."""
    if subscription["status"] == "incomplete" and invoice["id"] == subscription["latest_invoice"]:
        call.schedule.cancel(jobs.SUBSCRIPTION_EXPIRE, subscription["id"])
        if (subscription["trial_end"] or 0) > call.now:
            states.start_trial(subscription)
        else:
            states.activate(subscription)
    elif subscription["status"] in ("past_due", "unpaid") and invoice["id"] == subscription["latest_invoice"]:
        states.activate(subscription)
    elif _is_resumed_by(subscription, invoice):
        resume_now(call, subscription)
    _save_default_method(call, subscription, invoice)
    call.objects.save(subscription, UPDATED)
    if pending_updates.waits_for(subscription, invoice) and subscription["status"] not in ENDED:
        pending_updates.apply(call, subscription)
    entitle(call, subscription["customer"])


def _save_default_method(call: Call, subscription: StoredSubscription, invoice: StoredInvoice) -> None:
    """Save the payment method of a paid invoice as default if ``save_default_payment_method`` is set."""
    asked = (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription"
    id = invoice.get("_payment_intent")
    intent = call.objects.find(kinds.PAYMENT_INTENT, id) if asked and id and invoice["status"] == "paid" else None
    if intent is not None and intent["status"] == "succeeded":
        method = call.objects.find(kinds.PAYMENT_METHOD, intent["payment_method"] or "")
        if method is not None:
            subscription["default_payment_method"] = method["id"]


def failed(call: Call, fact: events.InvoicePaymentFailed) -> None:
    """Mark a subscription past due after a failed payment; after the last attempt, apply the server's setting.

    A subscription whose first invoice failed stays incomplete.
    """
    invoice = fact.invoice
    subscription = _subscription_of(call, invoice)
    if subscription is None or subscription["status"] in ("canceled", "incomplete", "incomplete_expired"):
        return
    if pending_updates.waits_for(subscription, invoice) or pending_updates.attempt_key(invoice) in call.memo:
        return  # the subscription continues without the update
    if (
        invoice["next_payment_attempt"] is None
        and invoice["collection_method"] == "charge_automatically"
        and invoice.get("_exhausted")
    ):
        _after_last_attempt(call, subscription)
        return
    resuming = subscription.get("_resuming") == invoice["id"] and not subscription.get("_paused_until_paid")
    if invoice["id"] == subscription["latest_invoice"] and (
        subscription["status"] in ("active", "trialing") or (subscription["status"] == "paused" and resuming)
    ):
        states.mark_past_due(subscription)
        if resuming:  # pausing has cancelled its jobs
            schedule_jobs(call, subscription)
        call.objects.save(subscription, UPDATED)
        if resuming:
            call.emit(RESUMED, subscription)


def overdue(call: Call, fact: events.InvoiceOverdue) -> None:
    """Mark an active subscription past due when its latest invoice is overdue."""
    subscription = _subscription_of(call, fact.invoice)
    if (
        subscription is not None
        and subscription["status"] == "active"
        and subscription["latest_invoice"] == fact.invoice["id"]
    ):
        states.mark_past_due(subscription)
        call.objects.save(subscription, UPDATED)


def without_tax(call: Call, fact: events.TaxLocationMissing) -> None:
    """Disable automatic tax of a subscription whose invoice had to be finalized without it."""
    subscription = _subscription_of(call, fact.invoice)
    if subscription is not None:
        subscription["automatic_tax"] = {
            "disabled_reason": "requires_location_inputs",
            "enabled": False,
            "liability": None,
        }
        call.objects.save(subscription, UPDATED)


def customer_deleted(call: Call, fact: events.CustomerDeleted) -> None:
    """Cancel the subscriptions of a deleted customer, and the schedules that were to begin some (inferred: they could
    not).
    """
    call = clock.for_customer(call, fact.customer)
    for subscription in call.objects.query(kinds.SUBSCRIPTION, {"customer": fact.customer["id"]}):
        if subscription["status"] not in ENDED:
            end(call, subscription, None)
    for schedule in call.objects.query(kinds.SCHEDULE, {"customer": fact.customer["id"], "status": "not_started"}):
        _cancel_schedule(call, schedule, "subscription_schedule.canceled")


def _after_last_attempt(call: Call, subscription: StoredSubscription) -> None:
    """Apply the server's setting after the last failed attempt: cancel, unpaid or past_due."""
    wanted = call.services.settings.after_last_retry
    if wanted == "cancel":
        end(call, subscription, "payment_failed")
    elif subscription["status"] in ("active", "trialing", "past_due"):
        states.end_collection(subscription, wanted)
        call.objects.save(subscription, UPDATED)
        entitle(call, subscription["customer"])


def end(call: Call, subscription: StoredSubscription, reason: str | None) -> None:
    """End a subscription now: cancel its jobs, discounts and schedule, and emit the event.

    One whose first invoice was not paid becomes ``incomplete_expired``, however it ends, and the invoice is voided,
    unless a bank debit for it is under way (inferred: its money would be for nothing).
    Sources: pay-rails/pay issue 91 (an event of one that was canceled after a minute), and the descriptions of the
    statuses in Stripe's specification.
    reason: ``cancellation_details.reason``; unchanged if None.
    """
    incomplete = subscription["status"] == "incomplete"
    states.close(subscription, "incomplete_expired" if incomplete else "canceled")
    subscription["ended_at"] = call.now
    subscription["canceled_at"] = subscription["canceled_at"] or call.now
    if reason is not None:
        set_reason(subscription, reason)
    stop(call, subscription)
    for id in subscription["discounts"]:
        discount = call.objects.find(kinds.DISCOUNT, id)
        if discount is not None:
            redemption.remove(call, discount)
    _end_schedule(call, subscription, reason)
    call.objects.save(subscription)
    call.emit(UPDATED if incomplete else DELETED, subscription)
    entitle(call, subscription["customer"])
    first = call.objects.find(kinds.INVOICE, subscription["latest_invoice"] or "") if incomplete else None
    if first is not None and first["status"] == "open" and not invoices.is_processing(call, first):
        invoices.void(call, first)


def _end_schedule(call: Call, subscription: StoredSubscription, reason: str | None) -> None:
    """End the schedule of an ended subscription: aborted after failed payments, otherwise canceled."""
    schedule = call.objects.find(kinds.SCHEDULE, subscription["schedule"]) if subscription["schedule"] else None
    if schedule is None or schedule["status"] not in ("active", "not_started"):
        return
    failed = reason == "payment_failed"
    _cancel_schedule(call, schedule, "subscription_schedule.aborted" if failed else "subscription_schedule.canceled")


def _cancel_schedule(
    call: Call,
    schedule: StoredSchedule,
    event: Literal["subscription_schedule.aborted", "subscription_schedule.canceled"],
) -> None:
    states.SCHEDULE.set(schedule, "canceled")
    schedule.update({"canceled_at": call.now, "current_phase": None})
    for kind in (jobs.SCHEDULE_STEP, jobs.SCHEDULE_EXPIRING):
        call.schedule.cancel(kind, schedule["id"])
    call.objects.save(schedule)
    call.emit(event, schedule)


def stop(call: Call, subscription: StoredSubscription) -> None:
    """Cancel all scheduled jobs of a subscription."""
    for kind in _JOBS:
        call.schedule.cancel(kind, subscription["id"])


def _subscription_of(call: Call, invoice: StoredInvoice) -> StoredSubscription | None:
    """Return the subscription of an invoice, else None."""
    id = drafts.subscription_of(invoice)
    return call.objects.find(kinds.SUBSCRIPTION, id) if id else None
