"""Scheduled jobs of a subscription: renewal, end of the trial, notices, and cancellation at a set time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tollkey.payments.invoices import lifecycle
from tollkey.payments.subscriptions import jobs, kinds, pending_updates, states
from tollkey.payments.subscriptions.billing import (
    apply_pause_behavior,
    create_draft_invoice,
    period_lines,
    usage_lines,
)
from tollkey.payments.subscriptions.entitlement_rules import refresh as entitle
from tollkey.payments.subscriptions.items import load, store_items
from tollkey.payments.subscriptions.lifecycle import INCOMPLETE_SECONDS, end, stop
from tollkey.payments.subscriptions.periods import begin_periods, period_of, schedule_jobs
from tollkey.payments.subscriptions.phases import phase_due
from tollkey.payments.subscriptions.proration import prorations
from tollkey.payments.subscriptions.trials import without_method
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredLine
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem

UPDATED: Final = "customer.subscription.updated"
_ENDED = ("canceled", "incomplete_expired")


def renew(call: Call, id: str) -> None:
    """Run the job ``subscription.renew``: begin a new period with a draft invoice, or end the subscription.

    id: of the subscription.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is None or subscription["status"] in (*_ENDED, "paused"):
        return
    if subscription["status"] == "incomplete":
        call.schedule.add(call.now + 3_600, jobs.SUBSCRIPTION_RENEW, id, subscription["test_clock"])
        return
    pending = subscription["pending_update"]
    if pending is not None and pending["expires_at"] <= call.now:
        pending_updates.expire(call, subscription)
    if subscription["schedule"] is not None and _next_phase(call, subscription):
        return
    items = load(call, subscription)
    old = period_of(subscription)
    if subscription["cancel_at_period_end"] or (subscription["cancel_at"] or old[1] + 1) <= old[1]:
        _end_and_bill_usage(call, subscription, items, old)
        return
    was_trial = subscription["status"] == "trialing"
    if was_trial:
        if without_method(call, subscription):
            return
        states.activate(subscription)
        if subscription["billing_cycle_anchor"] <= old[1]:
            subscription["billing_cycle_anchor"] = old[1]
    due = [item for item in items if item["current_period_end"] <= old[1]]
    usage = [] if was_trial else usage_lines(call, subscription, due)
    lines = usage + _next_lines(call, subscription, due, old[1])
    store_items(call, subscription, items)
    if was_trial and not lines:  # free until the anchor
        schedule_jobs(call, subscription)
        call.objects.save(subscription, UPDATED)
        return
    unpaid = subscription["status"] == "unpaid"
    paused = subscription["pause_collection"] is not None
    invoice = create_draft_invoice(
        call, subscription, lines, reason="subscription_cycle", period=old, advance=not (unpaid or paused)
    )
    schedule_jobs(call, subscription)
    call.objects.save(subscription, UPDATED)
    entitle(call, subscription["customer"])
    if paused:
        apply_pause_behavior(call, subscription, invoice, in_job=True)


def _next_lines(
    call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem], at: int
) -> list[StoredLine]:
    """Begin the next periods of these items at ``at`` (UTC epoch seconds) and return their lines.

    The last period before ``cancel_at`` is prorated, and so is the time from the end of a trial to a later anchor,
    unless the subscription was created without prorations.
    """
    begin_periods(subscription, items, at)
    if at < subscription["billing_cycle_anchor"] and subscription.get("_free_until_anchor"):
        return []
    return period_lines(call, subscription, items)


def _next_phase(call: Call, subscription: StoredSubscription) -> bool:
    """Begin the schedule's next phase if it begins with this period; return whether that ended the subscription."""
    phase_due(call, subscription)
    return subscription["status"] in _ENDED


def _end_and_bill_usage(
    call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem], period: tuple[int, int]
) -> None:
    """End a subscription, and bill the metered usage of its last period. period: start and end, UTC epoch seconds."""
    lines = [line for line in usage_lines(call, subscription, items, period[1]) if line["amount"]]
    if lines:
        create_draft_invoice(call, subscription, lines, reason="subscription_cycle", period=period, advance=True)
    details = subscription["cancellation_details"]
    end(call, subscription, (details and details["reason"]) or "cancellation_requested")


def end_at_cancel_at(call: Call, id: str) -> None:
    """Run the job ``subscription.cancel``: end a subscription at its ``cancel_at``. id: of the subscription."""
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is None or subscription["status"] in _ENDED or subscription["cancel_at"] is None:
        return
    items, period = load(call, subscription), period_of(subscription)
    if subscription.get("_leave_prorates") and subscription["status"] in ("active", "past_due"):
        for entry in prorations(call, subscription, items, [], at=call.now):
            call.objects.insert(entry, "invoiceitem.created")
    _end_and_bill_usage(call, subscription, items, (period[0], call.now))


def trial_will_end(call: Call, id: str) -> None:
    """Run the job ``subscription.trial_will_end``: emit the notice three days before a trial ends.

    id: of the subscription.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is not None and subscription["status"] == "trialing":
        subscription["_trial_notice"] = True
        call.objects.save(subscription)
        call.emit("customer.subscription.trial_will_end", subscription)


def expire(call: Call, id: str) -> None:
    """Run the job ``subscription.expire``: end a subscription whose first invoice was not paid within 23 hours.

    While a bank debit is under way it waits, and is incomplete meanwhile ("Subscriptions can also be incomplete if
    there's a pending payment", guide to subscriptions). id: of the subscription.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is None or subscription["status"] != "incomplete":
        return
    invoice = call.objects.find(kinds.INVOICE, subscription["latest_invoice"] or "")
    if invoice is not None and lifecycle.is_processing(call, invoice):
        at = call.now + INCOMPLETE_SECONDS
        call.schedule.add(at, jobs.SUBSCRIPTION_EXPIRE, subscription["id"], subscription["test_clock"])
    elif invoice is not None and invoice["status"] == "open":
        lifecycle.void(call, invoice)  # this also ends the subscription
    else:
        end(call, subscription, None)


def resume_collection(call: Call, id: str) -> None:
    """Run the job ``subscription.resume``: resume paused collection on the set day. id: of the subscription."""
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is not None and subscription["pause_collection"] is not None:
        subscription["pause_collection"] = None
        call.objects.save(subscription, UPDATED)


def start_again(call: Call, subscription: StoredSubscription) -> None:
    """Begin new periods now for a paused subscription that resumes with a new anchor."""
    items = load(call, subscription)
    subscription["billing_cycle_anchor"] = call.now
    begin_periods(subscription, items, call.now)
    store_items(call, subscription, items)


__all__ = [
    "end_at_cancel_at",
    "expire",
    "renew",
    "resume_collection",
    "start_again",
    "stop",
    "trial_will_end",
]
