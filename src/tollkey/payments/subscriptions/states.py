"""The states of subscriptions, subscription schedules and quotes.

subscription.status:

    ● ──created──▶ active │ trialing │ incomplete
    active ──a payment failed, or the latest invoice is overdue──▶ past_due
           ──the last attempt failed──▶ unpaid │ past_due │ canceled
           ──a trial begins──▶ trialing
           ──a pause is requested──▶ paused
           ──ended──▶ canceled
           ──a pending update is applied──▶ active
    trialing ──the trial ends, or a pending update is applied──▶ active
             ──the trial ends without a payment method, or a pause is requested──▶ paused │ canceled
             ──a payment failed──▶ past_due
             ──the last attempt failed──▶ unpaid │ past_due │ canceled
             ──the trial gets another end──▶ trialing
             ──ended──▶ canceled
    incomplete ──the first invoice is paid──▶ active │ trialing
               ──23 hours pass, the first invoice is voided, or ended──▶ incomplete_expired
    past_due ──the latest invoice is paid or voided──▶ active
             ──a pause is requested──▶ paused
             ──the last attempt failed──▶ past_due │ unpaid │ canceled
             ──a trial begins──▶ trialing
             ──ended──▶ canceled
    unpaid ──the latest invoice is paid or voided──▶ active
           ──a trial begins──▶ trialing
           ──ended──▶ canceled
    paused ──resumed, and paid──▶ active
           ──resumed, and the payment failed──▶ past_due
           ──a trial begins──▶ trialing
           ──ended──▶ canceled
    canceled ──its last invoice was the last attempt, too──▶ canceled

While unpaid, every new invoice stays a draft; while past due, it is still collected. A subscription's status is written
in this file and nowhere else.

subscription_schedule.status:

    ● ──created──▶ not_started
    not_started ──the first phase begins──▶ active
                ──canceled, or its subscription ends──▶ canceled
                ──released──▶ released
    active ──the last phase is over──▶ completed
           ──canceled, or its subscription ends──▶ canceled
           ──released──▶ released

quote.status:

    ● ──created──▶ draft
    draft ──finalized──▶ open
          ──canceled──▶ canceled
    open ──accepted──▶ accepted
         ──canceled, or expired──▶ canceled
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tollkey.payments.shared import states

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription

SUBSCRIPTION = states.States(
    "subscription",
    {
        "incomplete": ("active", "trialing", "incomplete_expired"),
        "incomplete_expired": (),
        "trialing": ("trialing", "active", "past_due", "unpaid", "paused", "canceled"),
        "active": ("active", "trialing", "past_due", "unpaid", "paused", "canceled"),
        "past_due": ("past_due", "active", "trialing", "unpaid", "paused", "canceled"),
        "unpaid": ("active", "trialing", "canceled"),
        "paused": ("active", "trialing", "past_due", "canceled"),
        "canceled": ("canceled",),
    },
    initial=("active", "trialing", "incomplete"),
)
SCHEDULE = states.States(
    "subscription_schedule",
    {
        "not_started": ("active", "canceled", "released"),
        "active": ("completed", "canceled", "released"),
        "completed": (),
        "canceled": (),
        "released": (),
    },
    initial=("not_started",),
)
QUOTE = states.States(
    "quote",
    {"draft": ("open", "canceled"), "open": ("accepted", "canceled"), "accepted": (), "canceled": ()},
    initial=("draft",),
)


def begin(subscription: StoredSubscription, status: Literal["active", "trialing", "incomplete"]) -> None:
    """Set the first status of a subscription that is not stored yet: active, trialing or incomplete."""
    subscription["status"] = SUBSCRIPTION.start(status)


def activate(subscription: StoredSubscription) -> None:
    """Set the status to active: a payment was made, a trial ended, or a pending update was applied."""
    SUBSCRIPTION.set(subscription, "active")
    subscription.pop("status_details", None)


def start_trial(subscription: StoredSubscription) -> None:
    """Set the status to trialing; the caller sets ``trial_end``."""
    SUBSCRIPTION.set(subscription, "trialing")
    subscription.pop("status_details", None)


def mark_past_due(subscription: StoredSubscription) -> None:
    """Set the status to past_due: a payment failed or the due date of the latest invoice has passed."""
    SUBSCRIPTION.set(subscription, "past_due")
    subscription.pop("status_details", None)


def pause(
    subscription: StoredSubscription,
    why: Literal["pause_requested", "trial_end_without_payment_method"],
    at: int,
) -> None:
    """Set the status to paused. why: the type in ``status_details``. at: since when, UTC epoch seconds."""
    SUBSCRIPTION.set(subscription, "paused")
    subscription["status_details"] = {
        "paused": {"subscription": {"type": why}, "transitioned_at": at, "type": "subscription"}
    }


def end_collection(subscription: StoredSubscription, status: str) -> None:
    """Set the status after the last collection attempt if the subscription is not canceled: unpaid or past_due."""
    SUBSCRIPTION.set(subscription, status)


def close(subscription: StoredSubscription, status: str) -> None:
    """Set the final status: canceled or incomplete_expired."""
    SUBSCRIPTION.set(subscription, status)
    subscription.pop("status_details", None)


def restore(subscription: StoredSubscription, status: str) -> None:
    """Restore the status from before an update that is now pending."""
    SUBSCRIPTION.restore(subscription, status)
