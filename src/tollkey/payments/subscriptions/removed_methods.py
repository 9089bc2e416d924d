"""What becomes of default payment methods that are detached or deleted: nothing names them any more.

Inferred: Stripe's specification says of each of these fields that it must belong to the customer.
"""

from __future__ import annotations

from tollkey.payments.shared import events
from tollkey.payments.subscriptions import kinds, lifecycle
from tollkey.wire import Call


def of_subscriptions(call: Call, fact: events.MethodRemoved) -> None:
    """Clear the default payment method or source of the customer's subscriptions that have not ended."""
    for subscription in call.objects.query(kinds.SUBSCRIPTION, {"customer": fact.customer}):
        if subscription["status"] in lifecycle.ENDED:
            continue
        if subscription["default_payment_method"] == fact.method:
            subscription["default_payment_method"] = None
        if subscription["default_source"] == fact.method:
            subscription["default_source"] = None
        call.objects.save(subscription, lifecycle.UPDATED)


def of_schedules(call: Call, fact: events.MethodRemoved) -> None:
    """Clear the default payment method of the customer's schedules and of their phases."""
    waiting = {"customer": fact.customer, "status": ["not_started", "active"]}
    for schedule in call.objects.query(kinds.SCHEDULE, waiting):
        for settings in (schedule["default_settings"], *schedule["phases"]):
            if settings["default_payment_method"] == fact.method:
                settings["default_payment_method"] = None
        call.objects.save(schedule, "subscription_schedule.updated")
