"""Invoicing pending invoice items at an interval of their own: ``pending_invoice_item_interval``.

set ──one interval──▶ pending items, if any, are invoiced (a draft for an hour) ──one interval──▶ …
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.catalog import arithmetic
from tollkey.payments.invoices import drafts
from tollkey.payments.subscriptions import jobs, kinds
from tollkey.payments.subscriptions.billing import create_draft_invoice
from tollkey.payments.subscriptions.periods import period_of
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription

JOB = jobs.SUBSCRIPTION_PENDING_ITEMS


def plan(call: Call, subscription: StoredSubscription) -> None:
    """Schedule the next invoice of pending items, if the subscription has an interval. The caller saves it."""
    call.schedule.cancel(JOB, subscription["id"])
    every = subscription["pending_invoice_item_interval"]
    at = arithmetic.shift(call.now, every["interval"], every.get("interval_count") or 1) if every else None
    subscription["next_pending_invoice_item_invoice"] = at
    if at is not None:
        call.schedule.add(at, JOB, subscription["id"], subscription["test_clock"])


def bill(call: Call, id: str) -> None:
    """Run the job ``subscription.pending_items``: invoice the pending items of a subscription, given by its id."""
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is None or subscription["status"] in ("canceled", "incomplete_expired"):
        return
    plan(call, subscription)
    if drafts.pending_items(call, subscription["customer"], subscription["currency"], id):
        create_draft_invoice(
            call,
            subscription,
            [],
            reason="automatic_pending_invoice_item_invoice",
            period=period_of(subscription),
            advance=True,
        )
    call.objects.save(subscription, "customer.subscription.updated")
