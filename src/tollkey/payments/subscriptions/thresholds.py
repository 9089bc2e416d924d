"""Billing thresholds: usage that is invoiced before the period ends because it reached an amount or a quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tollkey.payments.shared import clock, events
from tollkey.payments.subscriptions import jobs, kinds, pending_updates
from tollkey.payments.subscriptions.billing import (
    billed_of,
    create_draft_invoice,
    period_lines,
    usage_lines,
)
from tollkey.payments.subscriptions.items import is_metered, load, store_items
from tollkey.payments.subscriptions.periods import begin_periods, period_of, schedule_jobs
from tollkey.payments.subscriptions.proration import item_details
from tollkey.payments.usage import quantities
from tollkey.wire import ApiError, Call

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredLine
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import api

JOB = jobs.SUBSCRIPTION_THRESHOLDS
UPDATED: Final = "customer.subscription.updated"
_BUSY_SECONDS = 1


def usage_reported(call: Call, fact: events.UsageReported) -> None:
    """Schedule the check of a customer's billing thresholds after usage was reported."""
    for subscription in call.objects.query(
        kinds.SUBSCRIPTION, {"customer": fact.customer, "status": ["active", "past_due"]}, limit=20
    ):
        if _has_thresholds(subscription):
            call.schedule.once(call.real, JOB, subscription["id"])


def _has_thresholds(subscription: StoredSubscription) -> bool:
    """Return whether the subscription or an item has billing thresholds."""
    return bool(
        subscription["billing_thresholds"] or any(item["billing_thresholds"] for item in subscription["items"]["data"])
    )


def check(call: Call, id: str) -> None:
    """Run the job ``subscription.thresholds``: invoice the usage of a subscription that has reached a threshold.

    With ``reset_billing_cycle_anchor`` a new period begins. id: of the subscription.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if (
        subscription is None
        or subscription["status"] not in ("active", "past_due")
        or not _has_thresholds(subscription)
    ):
        return
    try:
        call = clock.for_customer(call, call.objects.find(kinds.CUSTOMER, subscription["customer"]))
    except ApiError:  # its test clock is advancing
        call.schedule.add(call.real + _BUSY_SECONDS, JOB, id)
        return
    items = load(call, subscription)
    period = span = period_of(subscription)
    lines = [line for line in usage_lines(call, subscription, items) if line["amount"]]
    reason = _reached(call, subscription, items, span, lines)
    if reason is None or not lines:
        return
    pending_updates.expire(call, subscription)
    settings = subscription["billing_thresholds"] or {}
    if settings.get("reset_billing_cycle_anchor"):
        subscription["billing_cycle_anchor"] = call.now
        begin_periods(subscription, items, call.now)
        lines += period_lines(call, subscription, items)
        store_items(call, subscription, items)
        span = (call.now, period[1])  # billed now, but already in the new period
        schedule_jobs(call, subscription)
    subscription["_billed"] = {
        "start": span[0],
        "items": {item["id"]: quantities.used(call, subscription, item, span) for item in items if is_metered(item)},
    }
    create_draft_invoice(
        call,
        subscription,
        lines,
        reason="subscription_threshold",
        period=(period[0], call.now),
        advance=True,
        threshold_reason=reason,
    )
    call.objects.save(subscription, UPDATED)


def _reached(
    call: Call,
    subscription: StoredSubscription,
    items: list[StoredSubscriptionItem],
    span: tuple[int, int],
    lines: list[StoredLine],
) -> api.InvoiceThresholdReason | None:
    """Return ``threshold_reason`` of the invoice, or None if no threshold is reached."""
    least = (subscription["billing_thresholds"] or {}).get("amount_gte")
    amount = sum(line["amount"] for line in lines)
    reasons: list[api.InvoiceItemThresholdReason] = []
    for item in items:
        units = (item["billing_thresholds"] or {}).get("usage_gte")
        if (
            units
            and is_metered(item)
            and quantities.used(call, subscription, item, span) - billed_of(subscription, item, span[0]) >= units
        ):
            own = [
                line["id"]
                for line in lines
                if (details := item_details(line)) is not None and details["subscription_item"] == item["id"]
            ]
            reasons.append({"line_item_ids": own, "usage_gte": units})
    by_amount = least is not None and least != 0 and amount >= least
    if not by_amount and not reasons:
        return None
    return {"amount_gte": least if by_amount else None, "item_reasons": reasons}
