"""Running subscription schedules: one phase after another changes the subscription."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic
from tollkey.payments.invoices import invoiceitems
from tollkey.payments.subscriptions import jobs, kinds, pending_updates, phase_discounts, states
from tollkey.payments.subscriptions.changes import update
from tollkey.payments.subscriptions.creation import create
from tollkey.payments.subscriptions.items import apply_changes, is_flexible, load, store_items
from tollkey.payments.subscriptions.lifecycle import end
from tollkey.payments.subscriptions.periods import interval_of, period_of, schedule_jobs, set_period
from tollkey.payments.subscriptions.settings import clear_cancellation, set_reason
from tollkey.wire import Call, Params, invalid

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import (
        Phase,
        StoredSchedule,
        StoredSubscription,
        StoredSubscriptionItem,
    )
    from tollkey.wire import api

#: Days between the notice and the end of a schedule. The official CLI's fixture expects the notice nine days
#: before.
NOTICE_DAYS = 10
STEP, EXPIRING = jobs.SCHEDULE_STEP, jobs.SCHEDULE_EXPIRING
_COPIED = (
    "collection_method",
    "default_payment_method",
    "description",
    "on_behalf_of",
    "transfer_data",
    "application_fee_percent",
    "billing_thresholds",
)


def start(call: Call, schedule: StoredSchedule) -> None:
    """Begin the first phase: create the subscription, or use the one that the schedule was created from.

    The caller saves the schedule.
    """
    phase = schedule["phases"][0]
    states.SCHEDULE.set(schedule, "active")
    schedule["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    if schedule["subscription"] is None:
        params = _creation(call, schedule, phase)
        subscription = create(call, params, schedule=schedule["id"])
        schedule["subscription"] = subscription["id"]
        derive_end(call, schedule, subscription)
        call.objects.save(subscription)
    plan(call, schedule)


def check_unmanaged(subscription: StoredSubscription) -> None:
    """Raise ApiError 400 if a schedule manages when the subscription is canceled.

    Sources of the text: laravel/cashier-stripe issue 1748, dust-tt/dust issue 32051.
    """
    if subscription["schedule"] is not None:
        raise invalid(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any"
            " cancelation behavior directly is not allowed. Please update the schedule instead.",
            retry=False,
        )


def derive_end(call: Call, schedule: StoredSchedule, subscription: StoredSubscription) -> None:
    """Set ``cancel_at`` of a schedule's subscription to the end of the last phase if ``end_behavior`` is ``cancel``.

    With another end behavior it is None. The caller saves the subscription.
    """
    at = schedule["phases"][-1]["end_date"] if schedule["end_behavior"] == "cancel" else None
    if at is None and subscription["cancel_at"] is not None:
        clear_cancellation(subscription)
    elif at != subscription["cancel_at"]:
        subscription["cancel_at"], subscription["canceled_at"] = at, call.now
        set_reason(subscription, "cancellation_requested")
    else:
        return
    subscription["cancel_at_period_end"] = subscription["_leave_prorates"] = False
    schedule_jobs(call, subscription)


def _creation(call: Call, schedule: StoredSchedule, phase: Phase) -> Params:
    """Return the parameters that create the subscription of the first phase."""
    settings = schedule["default_settings"]
    params: Params = {
        **_settings(phase, settings),
        "customer": schedule["customer"],
        "items": [_item_params(call, item) for item in phase["items"]],
        "metadata": {**(phase["metadata"] or {})},
        "currency": phase["currency"],
        "billing_mode": schedule["billing_mode"],
        "off_session": True,
    }
    if phase["discounts"]:
        params["discounts"] = phase_discounts.promised(call, phase["discounts"])
    if phase["trial_end"] is not None and phase["trial_end"] > call.now:
        params["trial_end"] = phase["trial_end"]
    if phase["add_invoice_items"]:
        params["add_invoice_items"] = [_added_params(call, entry) for entry in phase["add_invoice_items"]]
    if phase["start_date"] < call.now:
        params["backdate_start_date"] = phase["start_date"]
    return params


def _settings(phase: Phase, defaults: api.SubscriptionSchedulesResourceDefaultSettings) -> Params:
    """Return the settings of a phase as parameters of its subscription; the schedule's defaults where it has none."""
    made: Params = {}
    for name in _COPIED:
        value = phase.get(name) if phase.get(name) is not None else defaults.get(name)
        if value is not None:
            made[name] = value
    due = (phase["invoice_settings"] or {}).get("days_until_due") or defaults["invoice_settings"]["days_until_due"]
    own, usual = phase["invoice_settings"] or {}, defaults["invoice_settings"]
    made["invoice_settings"] = {
        "account_tax_ids": own.get("account_tax_ids") or usual.get("account_tax_ids"),
        "issuer": own.get("issuer") or usual["issuer"],
    }
    if made.get("collection_method") == "send_invoice":
        made["days_until_due"] = 30 if due is None else due
    made["automatic_tax"] = phase.get("automatic_tax", defaults["automatic_tax"])
    if phase["default_tax_rates"]:
        made["default_tax_rates"] = [rate["id"] for rate in phase["default_tax_rates"]]
    return made


def _item_params(call: Call, item: api.SubscriptionScheduleConfigurationItem) -> Params:
    """Return the parameters of a subscription item for an item of a phase."""
    wanted: Params = {
        "_inline": True,
        "price": item["price"],
        "metadata": item["metadata"],
        "tax_rates": [rate["id"] for rate in item["tax_rates"] or ()],
    }
    if "quantity" in item:
        wanted["quantity"] = item["quantity"]
    if item["discounts"]:
        wanted["discounts"] = phase_discounts.promised(call, item["discounts"])
    if item.get("billing_thresholds"):
        wanted["billing_thresholds"] = item["billing_thresholds"]
    return wanted


def _added_params(call: Call, entry: api.SubscriptionScheduleAddInvoiceItem) -> Params:
    """Return the parameters of an item that a phase adds to its first invoice."""
    return {
        "price": entry["price"],
        "quantity": entry["quantity"],
        "discounts": phase_discounts.promised(call, entry["discounts"]),
        "metadata": entry["metadata"],
        "tax_rates": [rate["id"] for rate in entry.get("tax_rates") or ()],
    }


def current_of(schedule: StoredSchedule) -> api.SubscriptionScheduleCurrentPhase:
    """Return the current phase of an active schedule."""
    current = schedule["current_phase"]
    assert current is not None, "an active schedule is in one of its phases"
    return current


def plan(call: Call, schedule: StoredSchedule) -> None:
    """Schedule the end of the current phase, and the notice before the schedule's end."""
    clock = schedule["test_clock"]
    call.schedule.cancel(STEP, schedule["id"])
    call.schedule.cancel(EXPIRING, schedule["id"])
    if schedule["status"] == "not_started":
        call.schedule.add(schedule["phases"][0]["start_date"], STEP, schedule["id"], clock)
    elif schedule["status"] == "active":
        call.schedule.add(current_of(schedule)["end_date"], STEP, schedule["id"], clock)
        last = schedule["phases"][-1]["end_date"]
        notice = last - NOTICE_DAYS * arithmetic.DAY
        if notice > call.now:
            call.schedule.add(notice, EXPIRING, schedule["id"], clock)


def step(call: Call, id: str) -> None:
    """Run the job ``subscription_schedule.step``: begin the next phase, or complete the schedule after the last.

    id: of the schedule.
    """
    schedule = call.objects.find(kinds.SCHEDULE, id)
    if schedule is None or schedule["status"] not in ("not_started", "active"):
        return
    if schedule["status"] == "not_started":
        start(call, schedule)
        call.objects.save(schedule, "subscription_schedule.updated")
        return
    following = [phase for phase in schedule["phases"] if phase["start_date"] >= current_of(schedule)["end_date"]]
    subscription = call.objects.find(kinds.SUBSCRIPTION, schedule["subscription"] or "")
    if not following or subscription is None:
        complete(call, schedule, subscription)
        return
    phase = following[0]
    over = next((one for one in schedule["phases"] if one["start_date"] == current_of(schedule)["start_date"]), None)
    schedule["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    call.objects.save(schedule, "subscription_schedule.updated")
    enter(call, schedule, subscription, phase, over, in_job=True)
    plan(call, schedule)


def phase_items(
    call: Call, old: list[StoredSubscriptionItem], phase: Phase, over: Phase | None = None
) -> list[Mapping[str, Any]]:
    """Return the changes, as ``items`` of an update, that turn a subscription's items into those of a phase.

    over: the phase that ends then; the discounts of its items end with it.
    """
    wanted: list[Mapping[str, Any]] = []
    left = list(old)
    discounted = {item["price"] for item in over["items"] if item["discounts"]} if over is not None else set()
    for item in phase["items"]:
        same = next((known for known in left if known["price"]["id"] == item["price"]), None)
        if same is not None:
            left.remove(same)
        ended: Params = {"discounts": []} if item["price"] in discounted else {}
        wanted.append({**ended, **_item_params(call, item), **({"id": same["id"]} if same else {})})
    return wanted + [{"id": gone["id"], "deleted": True} for gone in left]


def phase_at(phases: list[Phase], at: int) -> Phase | None:
    """Return the phase that contains ``at`` (UTC epoch seconds), else None."""
    return next((phase for phase in phases if phase["start_date"] <= at < phase["end_date"]), None)


def enter(
    call: Call,
    schedule: StoredSchedule,
    subscription: StoredSubscription,
    phase: Phase,
    over: Phase | None = None,
    *,
    in_job: bool = False,
) -> None:
    """Apply a phase to its subscription.

    At the end of a period nothing is prorated, since the renewal bills the new items.
    over: the phase that ends now; its discounts end with it. in_job: whether its time has come; nobody is told then if
        its invoice cannot be paid.
    """
    if subscription["status"] in ("canceled", "incomplete_expired"):
        return
    pending_updates.expire(call, subscription)
    old = load(call, subscription)
    wanted = phase_items(call, old, phase, over)
    params: Params = {
        **_settings(phase, schedule["default_settings"]),
        "proration_behavior": phase["proration_behavior"],
        "off_session": True,
        "_in_job": in_job,
    }
    if phase["metadata"]:
        params["metadata"] = phase["metadata"]
    if phase["trial_end"] is not None and phase["trial_end"] > call.now:
        params["trial_end"] = phase["trial_end"]
    if phase["billing_cycle_anchor"] == "phase_start":
        params["billing_cycle_anchor"] = "now"
    if period_of(subscription)[1] > call.now or "billing_cycle_anchor" in params:
        params["items"] = wanted
        if phase["add_invoice_items"]:
            params["add_invoice_items"] = [_added_params(call, entry) for entry in phase["add_invoice_items"]]
    else:
        _replace_items(call, subscription, old, wanted)
        for entry in phase["add_invoice_items"]:  # the renewal that follows bills them
            once = {**_added_params(call, entry), "pricing": {"price": entry["price"]}}
            del once["price"]
            invoiceitems.add(call, {**once, "customer": subscription["customer"], "subscription": subscription["id"]})
    if phase["discounts"] or (over is not None and over["discounts"]):
        params["discounts"] = phase_discounts.promised(call, phase["discounts"])
    update(call, subscription, params)


def _replace_items(
    call: Call, subscription: StoredSubscription, old: list[StoredSubscriptionItem], wanted: Sequence[Mapping[str, Any]]
) -> None:
    """Replace the items between two periods; the renewal that follows bills the new ones."""
    customer = call.objects.get(kinds.CUSTOMER, subscription["customer"], "customer")
    over = period_of(subscription)
    kept = {item["id"]: interval_of(item) for item in old}
    after = apply_changes(call, subscription, old, wanted, customer)
    for item in after:
        if kept.get(item["id"]) != interval_of(item):
            set_period(item, over)  # as if theirs had ended too, so that the renewal begins the next one
    if not is_flexible(subscription) and interval_of(after[0]) != interval_of(old[0]):
        subscription["billing_cycle_anchor"] = period_of(subscription)[1]
    store_items(call, subscription, after)
    call.objects.save(subscription, "customer.subscription.updated")


def complete(call: Call, schedule: StoredSchedule, subscription: StoredSubscription | None) -> None:
    """Complete a schedule after its last phase; ``end_behavior`` decides whether the subscription continues."""
    states.SCHEDULE.set(schedule, "completed")
    schedule.update({"completed_at": call.now, "current_phase": None})
    if subscription is not None:
        subscription["schedule"] = None
        if schedule["end_behavior"] == "cancel" and subscription["status"] not in ("canceled", "incomplete_expired"):
            end(call, subscription, "cancellation_requested")
        else:
            call.objects.save(subscription, "customer.subscription.updated")
    if schedule["end_behavior"] in ("release", "none", "renew"):
        schedule["released_subscription"] = None
    call.schedule.cancel(EXPIRING, schedule["id"])
    call.objects.save(schedule, "subscription_schedule.updated")
    call.emit("subscription_schedule.completed", schedule)


def expiring(call: Call, id: str) -> None:
    """Run the job ``subscription_schedule.expiring``: emit the notice before the end. id: of the schedule."""
    schedule = call.objects.find(kinds.SCHEDULE, id)
    if schedule is not None and schedule["status"] == "active":
        call.emit("subscription_schedule.expiring", schedule)


def phase_due(call: Call, subscription: StoredSubscription) -> None:
    """Begin the next phase first if a renewal falls on the boundary of two phases."""
    schedule = call.objects.find(kinds.SCHEDULE, subscription["schedule"] or "")
    if schedule is not None and schedule["status"] == "active" and current_of(schedule)["end_date"] <= call.now:
        call.schedule.cancel(STEP, schedule["id"])
        step(call, schedule["id"])


__all__ = [
    "EXPIRING",
    "STEP",
    "check_unmanaged",
    "derive_end",
    "expiring",
    "phase_at",
    "phase_due",
    "phase_items",
    "plan",
    "start",
    "step",
]
