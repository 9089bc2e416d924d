"""What the phases of a schedule mean for a preview: the items of the next period, and a change of the current phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import kinds
from tollkey.payments.subscriptions.items import apply_changes
from tollkey.payments.subscriptions.periods import period_of
from tollkey.payments.subscriptions.phase_building import build_phases
from tollkey.payments.subscriptions.phase_rules import check_phases
from tollkey.payments.subscriptions.phases import phase_at, phase_items
from tollkey.wire import ApiError, Call

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import Phase, StoredSchedule, StoredSubscription, StoredSubscriptionItem


_PHASES = "schedule_details[phases]"


def no_upcoming(customer: str | None) -> ApiError:
    """Return the error for a customer without an upcoming invoice."""
    return ApiError(404, code="invoice_upcoming_none", message=f"No upcoming invoices for customer: {customer}")


def phases_of(call: Call, schedule: StoredSchedule | None, params: Mapping[str, Any]) -> list[Phase]:
    """Return the phases for the preview: those in the parameters, or the schedule's own.

    Raises ApiError 400 for phases that a schedule could not have.
    """
    details = params.get("schedule_details") or {}
    asked = details.get("phases")
    if not asked:
        return list(schedule["phases"]) if schedule else []
    begins = schedule["phases"][0]["start_date"] if schedule else call.now
    phases = build_phases(call, asked, begins, changed=schedule is not None, within=_PHASES)
    subscription = call.objects.find(kinds.SUBSCRIPTION, (schedule["subscription"] if schedule else None) or "")
    mode = details.get("billing_mode") or (schedule["billing_mode"] if schedule else {"type": "flexible"})
    currency = subscription["currency"] if subscription is not None else phases[0]["currency"]
    check_phases(call, phases, asked, currency, flexible=mode["type"] == "flexible", within=_PHASES)
    return phases


def entered(
    call: Call,
    subscription: StoredSubscription,
    items: list[StoredSubscriptionItem],
    phases: list[Phase],
    details: Mapping[str, Any],
) -> tuple[Sequence[Mapping[str, Any]], str] | None:
    """Return the item changes that the previewed phases bring now, and how to prorate; None if they bring none.

    They bring some if ``schedule_details[phases]`` gives the current phase other items than the subscription has.
    ``schedule_details[proration_behavior]`` says how to prorate them, else the ``proration_behavior`` of the phase.
    """
    current = phase_at(phases, call.now) if details["_phases"] else None
    if current is None or subscription["status"] == "trialing":
        return None
    wanted = sorted((item["price"], item.get("quantity", 0)) for item in current["items"])
    if wanted == sorted((item["price"]["id"], item.get("quantity", 0)) for item in items):
        return None
    behavior = fields.given(details, "_proration_behavior", current["proration_behavior"])
    return phase_items(call, items, current), behavior


def next_items(
    call: Call,
    subscription: StoredSubscription,
    items: list[StoredSubscriptionItem],
    phases: list[Phase],
    customer: StoredCustomer,
    ends: str | None,
) -> list[StoredSubscriptionItem]:
    """Return the items of the next period: those of the phase that it begins in.

    ends: the ``end_behavior`` that is asked about; that of the schedule if None. Raises ApiError 404 if the schedule
        ends the subscription.
    """
    schedule = call.objects.find(kinds.SCHEDULE, subscription["schedule"] or "")
    every = phases or (schedule["phases"] if schedule else [])
    begins = period_of(subscription)[1]
    phase = phase_at(every, begins)
    if phase is not None:
        return apply_changes(call, subscription, items, phase_items(call, items, phase), customer)
    ends = ends or (schedule["end_behavior"] if schedule else None)
    if every and ends == "cancel" and begins >= every[-1]["end_date"]:
        raise no_upcoming(subscription["customer"])
    return items
