"""Subscriptions: recurring prices billed to a customer.

    create ──▶ trialing ──trial ends──▶ active ──payment fails──▶ past_due ──paid──▶ active
       │          └──no payment method──▶ paused ──resume──▶ active   └──last attempt fails──▶ canceled
       ├──▶ active ──cancel, cancel_at, cancel_at_period_end──▶ canceled
       └──▶ incomplete ──first invoice paid──▶ active
                 └──23 hours pass, or canceled──▶ incomplete_expired

A renewal creates a draft invoice, finalized and collected an hour later. Usage that reaches a billing threshold is
invoiced before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from tollkey.keys import Permission
from tollkey.payments.methods import customer_sources
from tollkey.payments.shared import clock, events, fields, permissions, providers
from tollkey.payments.subscriptions import (
    changes,
    creation,
    jobs,
    kinds,
    lifecycle,
    pausing,
    pending_items,
    pending_updates,
    removed_methods,
    rules,
    settings,
    setups,
    thresholds,
    versions,
)
from tollkey.payments.subscriptions.billing import create_draft_invoice, period_lines
from tollkey.payments.subscriptions.items import load
from tollkey.payments.subscriptions.periods import period_of
from tollkey.payments.subscriptions.phases import check_unmanaged
from tollkey.payments.subscriptions.previews import preview_renewal
from tollkey.payments.subscriptions.renewal import (
    end_at_cancel_at,
    expire,
    renew,
    resume_collection,
    start_again,
    trial_will_end,
)
from tollkey.payments.subscriptions.versions import CHANGES
from tollkey.payments.tax import tax_ids
from tollkey.wire import Action, ApiError, Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import missing_object
from tollkey.wire.live import records
from tollkey.wire.pages import created_ranges, list_page, retrieve
from tollkey.wire.removed import Removed
from tollkey.wire.resource import Reaction
from tollkey.wire.search import searching

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import api, operations
    from tollkey.wire.resource import Handler

PERMISSION = Permission("subscription", "Subscriptions", "Billing")
_ENDED = ("canceled", "incomplete_expired")
_LISTED = ["incomplete", "trialing", "active", "past_due", "unpaid", "paused"]
#: Parameters that are refused while a schedule manages the subscription.
_MANAGED_BY_SCHEDULE = frozenset({"cancel_at", "cancel_at_period_end"})
#: Of changes of a subscription, at both of its paths.
_ANCHOR = settings.anchor_hash("now", "unchanged")
_UPDATE_REMOVED = (*versions.REMOVED, _ANCHOR)


def _find(call: Call) -> tuple[Call, StoredSubscription]:
    """Return the call at the subscription's time, and the subscription in the path. Raises ApiError 404."""
    id = call.path.get("subscription_exposed_id") or call.path["subscription"]
    subscription = call.objects.get(kinds.SUBSCRIPTION, id)
    if call.path.get("customer", subscription["customer"]) != subscription["customer"]:
        raise missing_object("subscription", id, "id", in_path=True)
    return clock.for_customer(call, call.objects.find(kinds.CUSTOMER, subscription["customer"])), subscription


def create(
    call: Call, params: operations.PostSubscriptions | operations.PostCustomersCustomerSubscriptions
) -> StoredSubscription:
    """Create a subscription and bill its first period."""
    if "customer" in call.path:
        call.objects.get(kinds.CUSTOMER, call.path["customer"])
        return _create(call, {**params, "customer": call.path["customer"]})
    return _create(call, params)


def _create(call: Call, params: Mapping[str, Any]) -> StoredSubscription:
    tax_ids.check_account_ids(call, params)
    _save_source(call, params.get("customer") or "", params)
    rules.check_new(clock.for_customer(call, call.objects.find(kinds.CUSTOMER, params.get("customer") or "")), params)
    made = creation.create(call, params)
    rules.check_purchase(call, made, params)
    return made


def _save_source(call: Call, customer: str, params: Mapping[str, Any]) -> None:
    """Save ``source`` or ``card``, as older clients send them, as the default source of the customer with that id.

    Raises ApiError 400 for both, 403 for a key that may not write customers, else as adding a source does.
    """
    given, name = customer_sources.given_source(params)
    found = call.objects.find(kinds.CUSTOMER, customer) if given is not None else None
    if found is not None:
        call.needs(permissions.CUSTOMER, "write")
        customer_sources.replace_source(call, found, given, name)


def subscribe(call: Call, fact: events.CustomerSubscribed) -> None:
    """Subscribe a customer to the plan that its own parameters named, or move its only subscription to that plan.

    Raises ApiError 403 for a key that may not write subscriptions, 400 if there are several, else as creating and
    changing a subscription do.
    """
    call.needs(PERMISSION, "write")
    id = fact.customer["id"]
    found = call.objects.query(kinds.SUBSCRIPTION, {"customer": id, "status": _LISTED})
    if not found:
        _create(call, {**fact.terms, "customer": id})
    elif len(found) == 1:
        _change(clock.for_customer(call, fact.customer), found[0], {**fact.terms})
    else:
        raise invalid(f"Customer {id} has several subscriptions; change one of them by its ID instead.", "plan")


def show(call: Call, params: operations.GetCustomersCustomerSubscriptionsSubscriptionExposedId) -> StoredSubscription:
    """Retrieve a subscription of a customer."""
    return _find(call)[1]


def update(
    call: Call,
    params: operations.PostSubscriptionsSubscriptionExposedId
    | operations.PostCustomersCustomerSubscriptionsSubscriptionExposedId,
) -> StoredSubscription:
    """Change a subscription; changed items are prorated."""
    call, subscription = _find(call)
    _save_source(call, subscription["customer"], params)
    return _change(call, subscription, params)


def _change(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> StoredSubscription:
    tax_ids.check_account_ids(call, params)
    if not _MANAGED_BY_SCHEDULE.isdisjoint(params):
        check_unmanaged(subscription)
    rules.check_change(call, subscription, params)
    changed = changes.update(call, subscription, params)
    rules.check_whole(call, changed, params)
    return changed


def cancel(
    call: Call,
    params: operations.DeleteSubscriptionsSubscriptionExposedId
    | operations.DeleteCustomersCustomerSubscriptionsSubscriptionExposedId,
) -> StoredSubscription:
    """Cancel a subscription now, or at the end of its period (``at_period_end`` in older versions)."""
    call, subscription = _find(call)
    if params.get("at_period_end"):
        check_unmanaged(subscription)
        return changes.update(call, subscription, {"cancel_at_period_end": True})
    return changes.cancel(call, subscription, params)


def resume(call: Call, params: operations.PostSubscriptionsSubscriptionResume) -> StoredSubscription:
    """Resume a paused subscription with a new period, or within its old one; it is active once the invoice is paid."""
    call, subscription = _find(call)
    if subscription["status"] in _ENDED:
        raise call.objects.missing(kinds.SUBSCRIPTION, subscription["id"])
    rules.check_resume(subscription, params)
    anew = fields.given(settings.translate(params), "billing_cycle_anchor", "now") == "now"
    if not anew and pausing.was_requested(subscription):
        return call.objects.save(pausing.resume_paused(call, subscription, params))
    if anew:
        start_again(call, subscription)
    lines = period_lines(call, subscription, load(call, subscription))
    invoice = create_draft_invoice(call, subscription, lines, reason="subscription_update", period=(call.now, call.now))
    pausing.bill(call, subscription, invoice, params.get("payment_behavior"))
    return call.objects.save(subscription)


def pause(call: Call, params: operations.PostSubscriptionsSubscriptionPause) -> StoredSubscription:
    """Pause a subscription until it is resumed; it creates no invoices meanwhile."""
    call, subscription = _find(call)
    return pausing.pause(call, subscription, params)


def migrate(call: Call, params: operations.PostSubscriptionsSubscriptionMigrate) -> StoredSubscription:
    """Change the billing mode of a subscription to flexible."""
    call, subscription = _find(call)
    if subscription["status"] in _ENDED:
        raise invalid(
            f"Cannot migrate a subscription that is currently in the {subscription['status']} status", retry=False
        )
    sent = params["billing_mode"].get("flexible") or {}
    flexible: api.SubscriptionsResourceBillingModeFlexible = {
        "proration_discounts": sent.get("proration_discounts", "included")
    }
    subscription["billing_mode"] = {"flexible": flexible, "type": "flexible", "updated_at": call.now}
    return call.objects.save(subscription, "customer.subscription.updated")


def list_subscriptions(
    call: Call, params: operations.GetSubscriptions | operations.GetCustomersCustomerSubscriptions
) -> Page:
    """List subscriptions; ended ones only with ``status``."""
    equal: dict[str, str | list[str]] = {"status": _LISTED}
    if "customer" in call.path:
        equal["customer"] = call.objects.get(kinds.CUSTOMER, call.path["customer"])["id"]
    elif "customer" in params:
        equal["customer"] = params["customer"]
    if "collection_method" in params:
        equal["collection_method"] = params["collection_method"]
    if "test_clock" in params:
        equal["test_clock"] = params["test_clock"]
    if "status" in params and params["status"] == "all":
        del equal["status"]
    elif "status" in params:
        equal["status"] = list(_ENDED) if params["status"] == "ended" else params["status"]
    if "price" in params:
        equal["id"] = sorted(
            {
                item["subscription"]
                for item in call.objects.query(kinds.SUBSCRIPTION_ITEM, {"price.id": params["price"]}, limit=10_000)
            }
        ) or [""]
    checks = {">": int.__gt__, ">=": int.__ge__, "<": int.__lt__, "<=": int.__le__}
    bounds = [(0, bound) for bound in created_ranges(params.get("current_period_start"))] + [
        (1, bound) for bound in created_ranges(params.get("current_period_end"))
    ]

    taxed = params["automatic_tax"]["enabled"] if "automatic_tax" in params else None

    def fits(subscription: StoredSubscription) -> bool:
        if taxed is not None and subscription["automatic_tax"]["enabled"] != taxed:
            return False
        return all(checks[bound.operator](period_of(subscription)[side], bound.value) for side, bound in bounds)

    url = f"/v1/customers/{call.path['customer']}/subscriptions" if "customer" in call.path else "/v1/subscriptions"
    return list_page(
        call, kinds.SUBSCRIPTION, params, equal, url=url, keep=fits if bounds or taxed is not None else None
    )


def upcoming(call: Call, id: str) -> None:
    """Run the job ``subscription.upcoming``: emit the next invoice, not stored, some days before a renewal.

    id: of the subscription.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is None or subscription["status"] in _ENDED or subscription["cancel_at_period_end"]:
        return
    try:
        invoice = preview_renewal(call, subscription)
    except ApiError:
        return
    call.emit("invoice.upcoming", {name: value for name, value in invoice.items() if name != "id"})


def _customers(
    endpoint: str, method: Literal["GET", "POST", "DELETE"], handler: Handler, removed: tuple[Removed, ...] = ()
) -> Endpoint:
    """Return an endpoint below ``/v1/customers/{customer}/subscriptions``."""
    return Endpoint(method, "/v1/customers/{customer}/subscriptions" + endpoint, handler, removed=removed)


SUBSCRIPTION = Resource(
    object="subscription",
    prefix="sub",
    permission=PERMISSION,
    live=records(providers.UNPAID),
    indexed=("customer", "status", "collection_method", "test_clock"),
    searchable={"created": "created", "metadata": "metadata", "status": "status", "canceled_at": "canceled_at"},
    endpoints=(
        Endpoint("GET", "/v1/subscriptions", list_subscriptions),
        Endpoint("POST", "/v1/subscriptions", create, removed=versions.REMOVED),
        searching("subscription", "/v1/subscriptions/search"),
        retrieve("subscription", "/v1/subscriptions/{subscription_exposed_id}"),
        Endpoint(
            "POST",
            "/v1/subscriptions/{subscription_exposed_id}",
            update,
            removed=_UPDATE_REMOVED,
        ),
        Endpoint("DELETE", "/v1/subscriptions/{subscription_exposed_id}", cancel, removed=versions.CANCEL_REMOVED),
        Endpoint("POST", "/v1/subscriptions/{subscription}/pause", pause),
        Endpoint(
            "POST",
            "/v1/subscriptions/{subscription}/resume",
            resume,
            removed=(_ANCHOR,),
        ),
        Endpoint("POST", "/v1/subscriptions/{subscription}/migrate", migrate),
        _customers("", "GET", list_subscriptions),
        _customers("", "POST", create, versions.REMOVED),
        _customers("/{subscription_exposed_id}", "GET", show),
        _customers("/{subscription_exposed_id}", "POST", update, _UPDATE_REMOVED),
        _customers("/{subscription_exposed_id}", "DELETE", cancel),
    ),
    changes=CHANGES,
    on_due={
        jobs.SUBSCRIPTION_RENEW: renew,
        jobs.SUBSCRIPTION_TRIAL_WILL_END: trial_will_end,
        jobs.SUBSCRIPTION_UPCOMING: upcoming,
        jobs.SUBSCRIPTION_CANCEL: end_at_cancel_at,
        jobs.SUBSCRIPTION_EXPIRE: expire,
        jobs.SUBSCRIPTION_RESUME: resume_collection,
        jobs.SUBSCRIPTION_RESUME_EXPIRE: pausing.expire_resumption,
        jobs.SUBSCRIPTION_DROP_PENDING: pending_updates.due,
        thresholds.JOB: thresholds.check,
        pending_items.JOB: pending_items.bill,
    },
    on=(
        Reaction(events.InvoicePaid, lifecycle.paid),
        Reaction(events.InvoicePaymentFailed, lifecycle.failed),
        Reaction(events.InvoiceVoided, lifecycle.voided),
        Reaction(events.InvoiceWrittenOff, lifecycle.written_off),
        Reaction(events.InvoiceOverdue, lifecycle.overdue),
        Reaction(events.TaxLocationMissing, lifecycle.without_tax),
        Reaction(events.CustomerSubscribed, subscribe),
        Reaction(events.CustomerDeleted, lifecycle.customer_deleted),
        Reaction(events.UsageReported, thresholds.usage_reported),
        Reaction(events.SetupSucceeded, setups.succeeded),
        Reaction(events.MethodRemoved, removed_methods.of_subscriptions),
    ),
    title="Subscriptions",
    columns=("id", "customer", "status", "created"),
    actions=(
        Action("Cancel", "/v1/subscriptions/{subscription_exposed_id}", method="DELETE"),
        Action("Resume", "/v1/subscriptions/{subscription}/resume", when=("paused",)),
    ),
)
