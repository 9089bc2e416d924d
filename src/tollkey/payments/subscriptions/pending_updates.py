"""Pending updates: changes of a subscription that are applied when their invoice is paid.

● ──payment fails, ``payment_behavior=pending_if_incomplete``──▶ pending ──its invoice is paid──▶ applied
pending ──its invoice is voided, or another change replaces it──▶ discarded
        ──23 hours pass, or the period or the trial ends before──▶ expired (its invoice is voided)
        ──a billing threshold is reached, or a schedule begins a new phase──▶ expired
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from tollkey.payments.catalog import redemption
from tollkey.payments.invoices import lifecycle
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import jobs, kinds, states
from tollkey.payments.subscriptions.items import load, store_items
from tollkey.payments.subscriptions.periods import period_of, schedule_jobs
from tollkey.payments.subscriptions.settings import set_cancel
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.payments.subscriptions.stored import (
        PendingFields,
        PendingParams,
        StoredSubscription,
        StoredSubscriptionItem,
    )
    from tollkey.wire import api

UPDATED: Final = "customer.subscription.updated"
BEHAVIOR = "pending_if_incomplete"
#: The time within which a pending update must be paid.
_SECONDS = 23 * 3_600
_SUPPORTED = frozenset(
    {
        "add_invoice_items",
        "billing_cycle_anchor",
        "expand",
        "items",
        "payment_behavior",
        "plan",
        "proration_behavior",
        "proration_date",
        "quantity",
        "trial_end",
        "trial_from_plan",
    }
)
_SUPPORTED_OF_ITEMS = frozenset({"clear_usage", "deleted", "id", "plan", "price", "price_data", "quantity"})
#: The version since which a pending update supports a parameter. Source: the changelog entries of these dates.
_SUPPORTED_SINCE = {
    "metadata": "2026-05-27",
    "discounts": "2026-05-27",
    "coupon": "2026-05-27",
    "promotion_code": "2026-05-27",
    "cancel_at_period_end": "2026-09-30",
}
_SUPPORTED_OF_ITEMS_SINCE = {"metadata": "2026-05-27", "discounts": "2026-07-29"}


def check_supported(call: Call, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for the first parameter that a pending update does not support in the call's version.

    Source: the reference of pending updates; for the text, codecov-api issue 839.
    """
    for name in _unsupported(call, params):
        raise invalid(
            "When `payment_behavior` is set to `pending_if_incomplete`, you can only pass supported params."
            f" `{name}` is not supported. See"
            " https://stripe.com/docs/billing/subscriptions/pending-updates-reference#supported-attributes for more"
            " details.",
            retry=False,
        )


def _unsupported(call: Call, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of unsupported parameters."""
    for name in params:
        if name not in _SUPPORTED and call.version < _SUPPORTED_SINCE.get(name, "9"):
            yield name
    for place, entry in enumerate(params.get("items") or []):
        for name in entry:
            if name not in _SUPPORTED_OF_ITEMS and call.version < _SUPPORTED_OF_ITEMS_SINCE.get(name, "9"):
                yield f"items[{place}][{name}]"


def suspend(
    call: Call,
    subscription: StoredSubscription,
    invoice: StoredInvoice,
    before: tuple[StoredSubscription, list[StoredSubscriptionItem]],
    params: Mapping[str, Any],
) -> None:
    """Undo a change until its invoice is paid, and keep it in ``pending_update``.

    before: the subscription and its items before the change. params: those of the change.
    """
    after = [copy.deepcopy(item) for item in load(call, subscription)]
    kept: PendingFields = {
        "billing_cycle_anchor": subscription["billing_cycle_anchor"],
        "_period": subscription["_period"],
        "trial_start": subscription["trial_start"],
        "trial_end": subscription["trial_end"],
        "discounts": subscription["discounts"],
    }
    old, items = before
    fields.assign(subscription, old, (*kept, "metadata"))
    states.restore(subscription, old["status"])
    store_items(call, subscription, items)
    moments = (call.now + _SECONDS, period_of(old)[1], old["trial_end"])
    expires = min(at for at in moments if at is not None and at > call.now)
    new = kept["discounts"] if kept["discounts"] != old["discounts"] else None
    discount = call.objects.find(kinds.DISCOUNT, new[0]) if new else None
    moved = kept["billing_cycle_anchor"] != old["billing_cycle_anchor"]
    shown: api.SubscriptionsResourcePendingUpdate = {
        "billing_cycle_anchor": kept["billing_cycle_anchor"] if moved else None,
        "discount": call.objects.copy(discount) if discount else None,
        "discounts": new,
        "expires_at": expires,
        "metadata": params.get("metadata") or None,
        "subscription_items": [call.objects.copy(item) for item in after],
        "trial_end": kept["trial_end"] if kept["trial_end"] != old["trial_end"] else None,
        "trial_from_plan": params.get("trial_from_plan"),
    }
    sent: PendingParams = {}
    fields.assign(sent, params, ("metadata", "cancel_at_period_end"))
    fields.assign(shown, params, ("cancel_at_period_end",))
    subscription["pending_update"] = shown
    subscription["_pending"] = {"items": after, "fields": kept, "invoice": invoice["id"], "params": sent}
    call.schedule.add(expires, jobs.SUBSCRIPTION_DROP_PENDING, subscription["id"], subscription["test_clock"])


def waits_for(subscription: StoredSubscription, invoice: StoredInvoice) -> bool:
    """Return whether the payment of this invoice applies a pending update of the subscription."""
    pending = subscription.get("_pending")
    return pending is not None and pending["invoice"] == invoice["id"]


def attempt_key(invoice: StoredInvoice) -> tuple[str, str]:
    """Return the key in ``call.memo`` that marks the collection of an invoice for an update that may become pending."""
    return "pending_update", invoice["id"]


def apply(call: Call, subscription: StoredSubscription) -> None:
    """Apply a pending update whose invoice was paid."""
    pending = subscription.pop("_pending")
    assert pending is not None, "an update is pending when its invoice is paid"
    replaced = [id for id in subscription["discounts"] if id not in pending["fields"]["discounts"]]
    names = [name for name in pending["fields"] if name != "status"]  # only in rows of older versions
    fields.assign(subscription, pending["fields"], names)
    sent = pending.get("params") or {}
    fields.merge_metadata(subscription, sent)
    subscription["pending_update"] = None
    if (subscription["trial_end"] or 0) > call.now:
        states.start_trial(subscription)
    else:
        states.activate(subscription)
    store_items(call, subscription, pending["items"])
    set_cancel(call, subscription, {name: value for name, value in sent.items() if name == "cancel_at_period_end"})
    _end_discounts(call, replaced)
    call.schedule.cancel(jobs.SUBSCRIPTION_DROP_PENDING, subscription["id"])
    schedule_jobs(call, subscription)
    call.objects.save(subscription, UPDATED)
    call.emit("customer.subscription.pending_update_applied", subscription)


def clear(call: Call, subscription: StoredSubscription) -> None:
    """Remove a pending update whose invoice was voided."""
    pending = subscription.get("_pending")
    assert pending is not None, "an update is pending"
    subscription["pending_update"] = subscription["_pending"] = None
    _end_discounts(call, [id for id in pending["fields"]["discounts"] if id not in subscription["discounts"]])
    call.schedule.cancel(jobs.SUBSCRIPTION_DROP_PENDING, subscription["id"])
    call.objects.save(subscription, UPDATED)


def _end_discounts(call: Call, ids: list[str]) -> None:
    """End these discounts, given by their ids."""
    for id in ids:
        discount = call.objects.find(kinds.DISCOUNT, id)
        if discount is not None:
            redemption.remove(call, discount)


def replace(call: Call, subscription: StoredSubscription, params: Mapping[str, Any], *, changes: bool) -> None:
    """Discard or expire the pending update if an update with these parameters replaces it.

    changes: whether the new update changes what a pending one may change.
    """
    pending = subscription.get("_pending")
    if pending is None:
        return
    wanted = params.get("cancel_at_period_end")
    if changes:
        discard(call, subscription)
    elif wanted is not None and wanted != (pending.get("params") or {}).get("cancel_at_period_end", wanted):
        expire(call, subscription)


def discard(call: Call, subscription: StoredSubscription) -> None:
    """Discard the pending update of a subscription, if it has one, and void its invoice."""
    pending = subscription.get("_pending")
    if pending is None:
        return
    invoice = call.objects.find(kinds.INVOICE, pending["invoice"])
    if invoice is not None and invoice["status"] in ("open", "uncollectible"):
        lifecycle.void(call, invoice)  # which clears the update
    else:
        clear(call, subscription)


def expire(call: Call, subscription: StoredSubscription) -> None:
    """Discard the pending update of a subscription, if it has one, and emit ``pending_update_expired``."""
    if subscription.get("_pending") is not None:
        discard(call, subscription)
        call.emit("customer.subscription.pending_update_expired", subscription)


def due(call: Call, id: str) -> None:
    """Run the job ``subscription.drop_pending``: a pending update was not paid in time. id: of the subscription."""
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is not None:
        expire(call, subscription)
