"""Subscription schedules: changes of a subscription planned in advance, phase by phase.

not_started ──start_date──▶ active ──last phase ends──▶ completed
     │                         ├──release──▶ released   (the subscription continues without it)
     └──cancel──▶ canceled ◀───┴──cancel, or the subscription is canceled
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.shared import clock, events, fields, providers
from tollkey.payments.subscriptions import (
    changes,
    creation,
    kinds,
    phase_building,
    phase_discounts,
    phase_rules,
    removed_methods,
    rules,
    states,
    versions,
)
from tollkey.payments.subscriptions import phases as work
from tollkey.payments.subscriptions.periods import schedule_jobs
from tollkey.payments.subscriptions.settings import clear_cancellation
from tollkey.payments.subscriptions.subscriptions import PERMISSION
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.pages import created_ranges, list_page, retrieve
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSchedule, StoredSubscription
    from tollkey.wire import operations

_ENDED = ("canceled", "completed", "released")


def create(call: Call, params: operations.PostSubscriptionSchedules) -> StoredSchedule:
    """Create a schedule for a customer, or from an existing subscription."""
    existing = params.get("from_subscription")
    if existing:
        rules.check_alone(params)
    subscription = call.objects.get(kinds.SUBSCRIPTION, existing, "from_subscription") if existing else None
    customer_id = subscription["customer"] if subscription else params.get("customer")
    if customer_id is None:
        raise missing_param("customer")
    customer = call.objects.get(kinds.CUSTOMER, customer_id, "customer")
    call = clock.for_customer(call, customer)
    rules.check_schedule(call, customer["id"], params)
    phase_discounts.check(call, customer["id"], params.get("phases") or (), params.get("start_date"))
    schedule = _blank(call, params, customer)
    if subscription is not None:
        _adopt(call, schedule, subscription)
    else:
        _fresh(call, schedule, params)
    return call.objects.save(schedule)


def _blank(call: Call, params: Mapping[str, Any], customer: StoredCustomer) -> StoredSchedule:
    """Return a new schedule without phases, not stored."""
    mode = params.get("billing_mode") or {}
    rules.check_mode(mode)
    kind = fields.given(mode, "type", creation.default_mode(call))
    schedule = new_object(
        kinds.SCHEDULE,
        id=call.ids.new("sub_sched"),
        billing_mode={
            "flexible": {"proration_discounts": "included", **(mode.get("flexible") or {})}
            if kind == "flexible"
            else None,
            "type": kind,
        },
        created=call.now,
        customer=customer["id"],
        default_settings=phase_building.default_settings(params.get("default_settings")),
        end_behavior=fields.given(params, "end_behavior", "release"),
        livemode=call.livemode,
        status=states.SCHEDULE.start("not_started"),
        test_clock=customer.get("test_clock"),
    )
    schedule["metadata"] = fields.new_metadata(params)
    return schedule


def _adopt(call: Call, schedule: StoredSchedule, subscription: StoredSubscription) -> None:
    """Use an existing subscription for a schedule. Raises ApiError 400 if it has one already, or has ended."""
    if subscription["schedule"] is not None:
        raise invalid(
            "You cannot migrate a subscription that is already attached to a schedule: " + subscription["schedule"],
            "from_subscription",
        )
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise invalid(
            "You cannot create a subscription schedule from a subscription that is canceled.", "from_subscription"
        )
    schedule["phases"] = phase_building.mirror(call, subscription)
    if subscription["cancel_at"] is not None:  # the schedule now cancels it, at the same time
        schedule["end_behavior"] = "cancel"
        schedule["phases"][-1]["end_date"] = subscription["cancel_at"]
    schedule["subscription"] = subscription["id"]
    schedule["billing_mode"] = call.objects.copy(subscription)["billing_mode"]
    for name in ("collection_method", "default_payment_method", "description"):
        schedule["default_settings"][name] = subscription[name]
    schedule["default_settings"]["automatic_tax"] = subscription["automatic_tax"]
    settings = schedule["default_settings"]["invoice_settings"]
    settings["days_until_due"] = subscription["days_until_due"]
    settings["account_tax_ids"] = subscription["invoice_settings"].get("account_tax_ids")
    settings["issuer"] = subscription["invoice_settings"]["issuer"]
    work.start(call, schedule)
    call.objects.insert(schedule, "subscription_schedule.created")
    subscription["schedule"] = schedule["id"]
    work.derive_end(call, schedule, subscription)
    call.objects.save(subscription, "customer.subscription.updated")


def _fresh(call: Call, schedule: StoredSchedule, params: Mapping[str, Any]) -> None:
    """Build the phases from the parameters, and begin the first one if its time has come."""
    begins = fields.given(params, "start_date", "now")
    at = call.now if begins == "now" else int(begins)
    schedule["phases"] = phase_building.build_phases(call, params.get("phases") or [], at, new=True)
    phase_rules.check(call, schedule, params["phases"])
    call.objects.insert(schedule, "subscription_schedule.created")
    if at <= call.now:
        work.start(call, schedule)
        call.objects.save(schedule, "subscription_schedule.updated")
    else:
        work.plan(call, schedule)


def _get(call: Call) -> tuple[Call, StoredSchedule]:
    """Return the call at the schedule's time, and the schedule in the path."""
    schedule = call.objects.get(kinds.SCHEDULE, call.path["schedule"])
    return clock.for_customer(call, call.objects.find(kinds.CUSTOMER, schedule["customer"])), schedule


def _alive(schedule: StoredSchedule, verb: str) -> None:
    """Raise ApiError 400 if the schedule has ended."""
    if schedule["status"] in _ENDED:
        raise invalid(
            f"You cannot {verb} a subscription schedule that is currently in the `{schedule['status']}` status."
            f" Only schedules in the"
            " `active` or `not_started` status can be changed.",
            retry=False,
        )


def update(call: Call, params: operations.PostSubscriptionSchedulesSchedule) -> StoredSchedule:
    """Change a schedule: its phases from the current one on, its settings, its metadata."""
    return change(*_get(call), params)


def change(call: Call, schedule: StoredSchedule, params: Mapping[str, Any]) -> StoredSchedule:
    """Change a schedule and store it. Raises ApiError 400 if it has ended.

    params: those of the update endpoint.
    """
    if set(params) - {"metadata"}:
        _alive(schedule, "update")
    rules.check_schedule(call, schedule["customer"], params)
    phase_discounts.check(call, schedule["customer"], params.get("phases") or (), None, schedule["phases"])
    if "metadata" in params:
        schedule["metadata"] = merged_metadata(schedule["metadata"], params["metadata"])
    if params.get("end_behavior"):
        schedule["end_behavior"] = params["end_behavior"]
    if params.get("default_settings"):
        schedule["default_settings"] = phase_building.default_settings(
            {**schedule["default_settings"], **params["default_settings"]}
        )
    if params.get("phases"):
        _rephase(call, schedule, params)
    subscription = call.objects.find(kinds.SUBSCRIPTION, schedule["subscription"] or "")
    if subscription is not None and (params.get("end_behavior") or params.get("phases")):
        work.derive_end(call, schedule, subscription)
        call.objects.save(subscription, "customer.subscription.updated")
    return call.objects.save(schedule, "subscription_schedule.updated")


def _rephase(call: Call, schedule: StoredSchedule, params: Mapping[str, Any]) -> None:
    """Replace the phases, and apply the current one to the subscription."""
    if not any(phase.get("start_date") is not None for phase in params["phases"]):
        # The text that integrations report (stripe-dotnet#1754).
        raise invalid(
            "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates"
            " to.",
            "phases",
        )
    phases = phase_building.build_phases(call, params["phases"], schedule["phases"][0]["start_date"], changed=True)
    schedule["phases"] = phases
    phase_rules.check(call, schedule, params["phases"])
    if schedule["status"] == "active":
        current = next((phase for phase in phases if phase["start_date"] <= call.now < phase["end_date"]), None)
        if current is None:
            raise invalid(
                "The subscription schedule update is missing at least one phase with a `start_date` before the current"
                " time.",
                "phases",
            )
        schedule["current_phase"] = {"end_date": current["end_date"], "start_date": current["start_date"]}
        subscription = call.objects.find(kinds.SUBSCRIPTION, schedule["subscription"] or "")
        if subscription is not None:
            behavior = fields.given(params, "proration_behavior", current["proration_behavior"])
            work.enter(call, schedule, subscription, {**current, "proration_behavior": behavior})
    work.plan(call, schedule)


def cancel(call: Call, params: operations.PostSubscriptionSchedulesScheduleCancel) -> StoredSchedule:
    """Cancel a schedule and its subscription immediately."""
    call, schedule = _get(call)
    _alive(schedule, "cancel")
    waiting = schedule["status"] == "not_started"
    subscription = call.objects.find(kinds.SUBSCRIPTION, schedule["subscription"] or "")
    states.SCHEDULE.set(schedule, "canceled")
    schedule.update({"canceled_at": call.now, "current_phase": None})
    call.schedule.cancel(work.STEP, schedule["id"])
    call.schedule.cancel(work.EXPIRING, schedule["id"])
    call.objects.save(schedule)
    if subscription is not None and subscription["status"] not in ("canceled", "incomplete_expired"):
        changes.cancel(
            call,
            subscription,
            {
                "invoice_now": fields.given(params, "invoice_now", True),
                "prorate": fields.given(params, "prorate", True),
            },
        )
    if waiting:
        call.emit("subscription_schedule.aborted", schedule)
    call.emit("subscription_schedule.canceled", schedule)
    return schedule


def release(call: Call, params: operations.PostSubscriptionSchedulesScheduleRelease) -> StoredSchedule:
    """Release the subscription from its schedule; it continues unchanged."""
    call, schedule = _get(call)
    _alive(schedule, "release")
    states.SCHEDULE.set(schedule, "released")
    schedule.update({"released_at": call.now, "released_subscription": schedule["subscription"], "current_phase": None})
    subscription = call.objects.find(kinds.SUBSCRIPTION, schedule["subscription"] or "")
    schedule["subscription"] = None
    call.schedule.cancel(work.STEP, schedule["id"])
    call.schedule.cancel(work.EXPIRING, schedule["id"])
    if subscription is not None:
        subscription["schedule"] = None
        if subscription["cancel_at"] is not None and not params.get("preserve_cancel_date"):
            clear_cancellation(subscription)
        schedule_jobs(call, subscription)
        call.objects.save(subscription, "customer.subscription.updated")
    call.objects.save(schedule)
    call.emit("subscription_schedule.released", schedule)
    return schedule


def list_schedules(call: Call, params: operations.GetSubscriptionSchedules) -> Page:
    """List schedules by customer, by when they were canceled, completed or released, or those not started."""
    equal: dict[str, str] = {"customer": params["customer"]} if params.get("customer") else {}
    if params.get("scheduled"):
        equal["status"] = "not_started"
    bounds = {
        name: created_ranges(params.get(name))
        for name in ("canceled_at", "completed_at", "released_at")
        if params.get(name) is not None
    }
    checks = {">": int.__gt__, ">=": int.__ge__, "<": int.__lt__, "<=": int.__le__}

    def fits(schedule: Mapping[str, Any]) -> bool:
        return all(
            schedule[name] is not None and checks[bound.operator](schedule[name], bound.value)
            for name, found in bounds.items()
            for bound in found
        )

    return list_page(
        call, kinds.SCHEDULE, params, equal, url="/v1/subscription_schedules", keep=fits if bounds else None
    )


SUBSCRIPTION_SCHEDULE = Resource(
    object="subscription_schedule",
    prefix="sub_sched",
    permission=PERMISSION,
    live=records(providers.UNPAID),
    path_param="schedule",
    indexed=("customer", "status", "subscription"),
    endpoints=(
        Endpoint("GET", "/v1/subscription_schedules", list_schedules),
        Endpoint("POST", "/v1/subscription_schedules", create, removed=versions.SCHEDULE_REMOVED),
        retrieve("subscription_schedule", "/v1/subscription_schedules/{schedule}"),
        Endpoint("POST", "/v1/subscription_schedules/{schedule}", update, removed=versions.SCHEDULE_REMOVED),
        Endpoint("POST", "/v1/subscription_schedules/{schedule}/cancel", cancel),
        Endpoint("POST", "/v1/subscription_schedules/{schedule}/release", release),
    ),
    changes=versions.SCHEDULE_CHANGES,
    on=(Reaction(events.MethodRemoved, removed_methods.of_schedules),),
    on_due={work.STEP: work.step, work.EXPIRING: work.expiring},
    title="Subscription schedules",
    columns=("id", "customer", "status", "subscription", "created"),
    actions=(
        Action("Cancel", "/v1/subscription_schedules/{schedule}/cancel", when=("active", "not_started")),
        Action("Release", "/v1/subscription_schedules/{schedule}/release", when=("active", "not_started")),
    ),
)
