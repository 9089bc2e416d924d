"""Changes of a subscription: items within a period, trials, anchors, paused collection, cancellation.

Prorations are computed from the items' old and new cost.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tollkey.payments.catalog import arithmetic, redemption
from tollkey.payments.invoices import drafts, lifecycle
from tollkey.payments.invoices import jobs as invoice_jobs
from tollkey.payments.shared import fields as shared_fields
from tollkey.payments.subscriptions import jobs, kinds, pending_updates, states
from tollkey.payments.subscriptions.billing import (
    added_lines,
    apply_pause_behavior,
    collect_next,
    collect_now,
    create_draft_invoice,
    period_lines,
    usage_lines,
)
from tollkey.payments.subscriptions.entitlement_rules import refresh as entitle
from tollkey.payments.subscriptions.items import (
    apply_changes,
    cost_quantity,
    full_price,
    is_flexible,
    is_metered,
    load,
    store_items,
)
from tollkey.payments.subscriptions.lifecycle import end, stop
from tollkey.payments.subscriptions.pending_items import plan as plan_pending
from tollkey.payments.subscriptions.periods import (
    begin_periods,
    interval_of,
    period_of,
    schedule_jobs,
    set_period,
    terms_of,
    trial_end_of,
)
from tollkey.payments.subscriptions.proration import prorations
from tollkey.payments.subscriptions.settings import apply_settings, pause_of, set_cancel, set_details, translate
from tollkey.payments.subscriptions.trials import without_method
from tollkey.wire import Call, invalid
from tollkey.wire.metadata import merged_metadata

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import DiscountEntry
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice, StoredInvoiceItem, StoredLine
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem

    #: A subscription and its items before a change.
    Snapshot: TypeAlias = tuple[StoredSubscription, list[StoredSubscriptionItem]]

UPDATED: Final = "customer.subscription.updated"
_CANCELED = "A canceled subscription can only update its cancellation_details and metadata."


def update(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> StoredSubscription:
    """Change a subscription, bill the difference, and return it.

    params: those of the update endpoint. Raises ApiError for parameters that the subscription's status does not allow,
        and 402 for a failed payment with ``error_if_incomplete``.
    """
    params = translate(params)
    if subscription["status"] in ("canceled", "incomplete_expired") and set(params) - {
        "metadata",
        "cancellation_details",
    }:
        raise invalid(_CANCELED, code="invalid_canceled_subscription_fields", retry=False)
    if params.get("payment_behavior") == pending_updates.BEHAVIOR:
        pending_updates.check_supported(call, params)
    if subscription["pending_update"] is not None:
        pending_updates.replace(call, subscription, params, changes=_changes_items(params))
    customer = call.objects.get(kinds.CUSTOMER, subscription["customer"], "customer")
    before = copy.deepcopy(subscription)
    if "metadata" in params:
        subscription["metadata"] = merged_metadata(subscription["metadata"], params["metadata"])
    apply_settings(call, subscription, params)
    discounts = redemption.entries_of(params)
    if discounts is not None:
        _set_discounts(call, subscription, discounts, customer)
    if "pause_collection" in params:
        _pause(call, subscription, params)
    change(call, subscription, params, customer, before)
    if subscription["pending_update"] is None or before["pending_update"] is not None:  # the update is not pending
        _end_discounts(call, before["discounts"], subscription["discounts"])
        set_cancel(call, subscription, params)
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = period_of(subscription)[1]
    schedule_jobs(call, subscription)
    if "pending_invoice_item_interval" in params:
        plan_pending(call, subscription)
    call.objects.save(subscription, UPDATED)
    entitle(call, subscription["customer"])
    return subscription


def _changes_items(params: Mapping[str, Any]) -> bool:
    """Return whether the parameters change what a pending update may change."""
    return any(
        params.get(name) is not None
        for name in ("items", "plan", "quantity", "trial_end", "billing_cycle_anchor", "add_invoice_items")
    )


def _set_discounts(
    call: Call, subscription: StoredSubscription, entries: Sequence[DiscountEntry], customer: StoredCustomer
) -> None:
    """Replace the discounts of a subscription."""
    old = list(subscription["discounts"])
    made = redemption.redeem_all(
        call,
        entries,
        param="discounts",
        customer=customer,
        currency=subscription["currency"],
        place="subscription update",
        subscription=subscription["id"],
    )
    subscription["discounts"] = made
    for id in made:
        if id not in old:
            discount = call.objects.get(kinds.DISCOUNT, id)
            call.emit("customer.discount.created", discount)


def _end_discounts(call: Call, old: Sequence[str], kept: Sequence[str]) -> None:
    """End the discounts in ``old`` that are not in ``kept``."""
    for id in old:
        found = call.objects.find(kinds.DISCOUNT, id)
        if id not in kept and found is not None:
            redemption.remove(call, found)


def _pause(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> None:
    """Set ``pause_collection`` and schedule when collection resumes."""
    pause = pause_of(params)
    subscription["pause_collection"] = pause
    call.schedule.cancel(jobs.SUBSCRIPTION_RESUME, subscription["id"])
    resumes = pause["resumes_at"] if pause else None
    if resumes is not None:
        call.schedule.add(resumes, jobs.SUBSCRIPTION_RESUME, subscription["id"], subscription["test_clock"])


def wanted_changes(params: Mapping[str, Any], items: list[StoredSubscriptionItem]) -> Sequence[Mapping[str, Any]]:
    """Return the item changes of the parameters; ``plan`` and ``quantity`` at the top level change the only item.

    Raises ApiError 400 for those two if there are several items.
    """
    if params.get("items"):
        return list(params["items"])
    top = {name: params[name] for name in ("plan", "quantity") if params.get(name) is not None}
    if not top:
        return []
    if len(items) > 1:
        raise invalid(
            "You cannot update a subscription with multiple plans using `plan` or `quantity`; use `items` instead.",
            next(iter(top)),
        )
    return [{"id": items[0]["id"], **top}]


def change(
    call: Call,
    subscription: StoredSubscription,
    params: Mapping[str, Any],
    customer: StoredCustomer,
    old: StoredSubscription,
) -> None:
    """Change items, trial and anchor, and bill the difference. The caller saves the subscription.

    old: the subscription before the whole update. Raises ApiError as ``update`` does.
    """
    items = load(call, subscription)
    after = apply_changes(call, subscription, items, wanted_changes(params, items), customer)
    snapshot = old, copy.deepcopy(items)
    before = snapshot[1]
    trial_ended, resets = _move_periods(call, subscription, params, before, after)
    behavior = shared_fields.given(params, "proration_behavior", "create_prorations")
    at = shared_fields.given(params, "proration_date", call.now)
    credits: list[StoredInvoiceItem] = []
    charging = snapshot[0]["status"] in ("active", "past_due", "unpaid") or (
        trial_ended and snapshot[0]["status"] == "trialing"
    )
    if behavior != "none" and snapshot[0]["status"] in ("active", "past_due"):
        credits = prorations(call, subscription, before, after, at=at, debits=not resets)
    for entry in credits:
        call.objects.insert(entry, "invoiceitem.created")
    store_items(call, subscription, after)
    lines = []
    if resets and charging and subscription["status"] != "paused":
        lines = period_lines(call, subscription, after, trial=subscription["status"] == "trialing")
        if snapshot[0]["status"] != "trialing":
            lines = usage_lines(call, subscription, before, call.now) + lines
    id = call.ids.new("in")
    added = added_lines(call, subscription, params, customer, id)
    if lines or added or (behavior == "always_invoice" and credits):
        _bill(call, subscription, lines + added, params, snapshot, id)


def _bill(
    call: Call,
    subscription: StoredSubscription,
    lines: list[StoredLine],
    params: Mapping[str, Any],
    snapshot: Snapshot,
    id: str,
) -> None:
    """Invoice a change and collect the invoice; if the payment fails, the change may become a pending update."""
    automatic = _is_automatic(subscription)
    behavior = shared_fields.given(params, "payment_behavior", "allow_incomplete")
    invoice = create_draft_invoice(
        call,
        subscription,
        lines,
        reason="subscription_update",
        period=(call.now, call.now),
        id=id,
        advance=not automatic and subscription["pause_collection"] is None,
    )
    call.objects.save(subscription)
    if subscription["pause_collection"] is not None:
        apply_pause_behavior(call, subscription, invoice)
    elif automatic and params.get("_in_job"):
        collect_next(call, invoice)
    elif automatic:
        waits = behavior == pending_updates.BEHAVIOR
        if waits:
            call.memo[pending_updates.attempt_key(invoice)] = True
        outcome = collect_now(
            call,
            invoice,
            "allow_incomplete" if waits else behavior,
            off_session=shared_fields.given(params, "off_session", False),
        )
        if waits and outcome in ("requires_action", "failed"):
            pending_updates.suspend(call, subscription, invoice, snapshot, params)


def _move_periods(
    call: Call,
    subscription: StoredSubscription,
    params: Mapping[str, Any],
    before: list[StoredSubscriptionItem],
    after: list[StoredSubscriptionItem],
) -> tuple[bool, bool]:
    """Move period, anchor and trial; return whether a trial ended, and whether a new period begins now."""
    asked = params.get("trial_end") is not None or bool(params.get("trial_from_plan"))
    until = trial_end_of(call, params, terms_of(after[0]["price"])["trial_period_days"]) if asked else None
    ended = asked and until is None and subscription["status"] == "trialing"
    if until is not None:
        _set_trial(call, subscription, after, until)
    elif ended:
        subscription["trial_end"] = call.now
        if not without_method(call, subscription):
            states.activate(subscription)
    resets = subscription["status"] in ("active", "past_due", "unpaid") and (
        ended or params.get("billing_cycle_anchor") == "now" or _resets_anchor(call, subscription, before, after)
    )
    if resets:
        subscription["billing_cycle_anchor"] = call.now
        begin_periods(subscription, after, call.now)
    return ended, resets or until is not None


def _resets_anchor(
    call: Call,
    subscription: StoredSubscription,
    before: list[StoredSubscriptionItem],
    after: list[StoredSubscriptionItem],
) -> bool:
    """Return whether a change of items resets the anchor without ``billing_cycle_anchor``.

    It does in the classic mode, for another interval or from free prices to paid ones
    (docs.stripe.com/billing/subscriptions/billing-mode/compare).
    """
    return not is_flexible(subscription) and (
        interval_of(before[0]) != interval_of(after[0]) or _was_free(call, before, after)
    )


def _set_trial(call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem], until: int) -> None:
    """Start or extend a trial until ``until`` (UTC epoch seconds): the current periods end then.

    ``trial_start`` is the start of the first trial; in the flexible mode, of the latest.
    """
    if subscription["trial_start"] is None or (is_flexible(subscription) and subscription["status"] != "trialing"):
        subscription["trial_start"] = call.now
    subscription["trial_end"] = subscription["billing_cycle_anchor"] = until
    states.start_trial(subscription)
    for item in items:
        set_period(item, (call.now, until))
    subscription["_trial_notice"] = False


def _was_free(call: Call, before: list[StoredSubscriptionItem], after: list[StoredSubscriptionItem]) -> bool:
    """Return whether a change replaces free prices with paid ones."""

    def whole(items: list[StoredSubscriptionItem]) -> int:
        return sum(arithmetic.cost(full_price(call, item), cost_quantity(item)) for item in items)

    return not any(is_metered(item) for item in before) and whole(before) == 0 and whole(after) > 0


def cancel(call: Call, subscription: StoredSubscription, params: Mapping[str, Any]) -> StoredSubscription:
    """Cancel a subscription now and return it.

    params: ``prorate`` credits the unused time, ``invoice_now`` bills pending invoice items and usage. Raises ApiError
        404 if the subscription has ended.
    """
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise call.objects.missing(kinds.SUBSCRIPTION, subscription["id"])
    items = load(call, subscription)
    active = subscription["status"] in ("active", "past_due")
    if params.get("prorate") and active:
        for entry in prorations(call, subscription, items, [], at=call.now):
            call.objects.insert(entry, "invoiceitem.created")
    set_details(subscription, params)
    subscription.update({"canceled_at": call.now, "cancel_at": None, "cancel_at_period_end": False})
    stop(call, subscription)
    invoice = _final_invoice(call, subscription, items) if params.get("invoice_now") and active else None
    end(call, subscription, "cancellation_requested")
    if invoice is not None and invoice["status"] == "open" and _is_automatic(subscription):
        lifecycle.attempt_collection(call, invoice)  # after the end: a failure must not make it past due
    _stop_collection(call, subscription)
    return subscription


def _is_automatic(subscription: StoredSubscription) -> bool:
    return subscription["collection_method"] == "charge_automatically"


def _final_invoice(
    call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem]
) -> StoredInvoice | None:
    """Finalize an invoice of the pending invoice items and the usage; None without either. It is not collected yet."""
    lines = [line for line in usage_lines(call, subscription, items, call.now) if line["amount"]]
    invoice = None
    if lines or drafts.pending_items(call, subscription["customer"], subscription["currency"], subscription["id"]):
        period = period_of(subscription)
        invoice = create_draft_invoice(call, subscription, lines, reason="subscription_update", period=period)
        call.objects.save(subscription)
        invoice["auto_advance"] = _is_automatic(subscription) and invoice["total"] > 0
        lifecycle.finalize(call, invoice)
    return invoice


def _stop_collection(call: Call, subscription: StoredSubscription) -> None:
    """Stop the automatic collection of a canceled subscription's open invoices."""
    for invoice in call.objects.query(
        kinds.INVOICE,
        {"parent.subscription_details.subscription": subscription["id"], "status": ["open", "draft"]},
        limit=20,
    ):
        invoice["auto_advance"], invoice["next_payment_attempt"], invoice["automatically_finalizes_at"] = (
            False,
            None,
            None,
        )
        call.schedule.cancel(invoice_jobs.INVOICE_ADVANCE, invoice["id"])
        call.schedule.cancel(invoice_jobs.INVOICE_RETRY, invoice["id"])
        call.objects.save(invoice, "invoice.updated")
