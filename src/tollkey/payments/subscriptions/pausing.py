"""Pausing a subscription on request: what is billed when it is paused, and when it resumes.

Source: docs.stripe.com/changelog/endive/2026-09-30/pause-subscription.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tollkey.payments.invoices import lifecycle
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import jobs, kinds, states
from tollkey.payments.subscriptions.billing import collect_now, create_draft_invoice, usage_lines
from tollkey.payments.subscriptions.items import is_flexible, is_metered, load, store_items
from tollkey.payments.subscriptions.lifecycle import UPDATED, resume_now, stop
from tollkey.payments.subscriptions.periods import begin_periods
from tollkey.payments.subscriptions.proration import Charge, item_details, pending_entry, prorations
from tollkey.payments.subscriptions.trials import PAUSED
from tollkey.payments.usage import quantities
from tollkey.wire import Call, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice, StoredInvoiceItem, StoredLine
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import operations

#: How long an invoice of a resumption waits for its payment.
RESUME_SECONDS = 23 * 3_600
ON_SUCCESS: Final = "resume_on_payment_success"
_PAUSABLE = ("active", "past_due", "trialing")


def pause(
    call: Call, subscription: StoredSubscription, params: operations.PostSubscriptionsSubscriptionPause
) -> StoredSubscription:
    """Pause a subscription; it creates no invoices until it is resumed.

    ``bill_for`` selects the unused time to credit and the usage to bill; ``invoicing_behavior`` whether they are
    invoiced now or with the next invoice. Raises ApiError 400 if status, billing mode or a schedule do not allow it.
    """
    _check(subscription)
    items = load(call, subscription)
    lines: list[StoredLine] = []
    if subscription["status"] != "trialing":  # a trial has billed nothing
        for entry in _credits(call, subscription, items, value_at(params, "bill_for.unused_time_from.type") or "now"):
            call.objects.insert(entry, "invoiceitem.created")
        if value_at(params, "bill_for.outstanding_usage_through.type") != "none":
            lines = _usage(call, subscription, items)
    stop(call, subscription)
    states.pause(subscription, "pause_requested", call.now)
    if fields.given(params, "invoicing_behavior", "pending_invoice_item") == "invoice":
        _invoice(call, subscription, lines)
    else:
        for line in lines:
            call.objects.insert(_pending_item(call, subscription, line), "invoiceitem.created")
    call.objects.save(subscription, UPDATED)
    call.emit(PAUSED, subscription)
    return subscription


def _check(subscription: StoredSubscription) -> None:
    """Raise ApiError 400 for a subscription that cannot be paused."""
    if subscription["status"] not in _PAUSABLE:
        raise invalid(
            f"You can only pause subscriptions with a status of `active`, `past_due` or `trialing`."
            f" This subscription's status is `{subscription['status']}`.",
            retry=False,
        )
    if not is_flexible(subscription):
        raise invalid("You can only pause subscriptions whose `billing_mode[type]` is `flexible`.", retry=False)
    if subscription["schedule"] is not None:
        raise invalid("You cannot pause a subscription that a subscription schedule is attached to.", retry=False)
    if subscription["pending_update"] is not None:
        raise invalid("This subscription has a pending update; wait for it to be applied or to expire.", retry=False)


def _credits(
    call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem], since: str
) -> list[StoredInvoiceItem]:
    """Return the credits for unused time. since: a value of ``unused_time_from[type]``."""
    if since == "none":
        return []
    if since == "now":
        return prorations(call, subscription, items, [], at=call.now)
    return [
        entry for item in items for entry in prorations(call, subscription, [item], [], at=item["current_period_start"])
    ]


def _usage(call: Call, subscription: StoredSubscription, items: list[StoredSubscriptionItem]) -> list[StoredLine]:
    """Return the lines of the usage until now, and record it so that it is not billed again after the pause."""
    lines = [line for line in usage_lines(call, subscription, items, call.now) if line["amount"]]
    metered = [item for item in items if is_metered(item)]
    if metered:
        spans = {item["id"]: (item["current_period_start"], call.now) for item in metered}
        used = {item["id"]: quantities.used(call, subscription, item, spans[item["id"]]) for item in metered}
        subscription["_billed"] = {"items": used, "start": metered[0]["current_period_start"]}
    return lines


def _invoice(call: Call, subscription: StoredSubscription, lines: list[StoredLine]) -> None:
    """Invoice the credits and debits of the pause now; a credit is added to the customer's balance."""
    automatic = subscription["collection_method"] == "charge_automatically"
    invoice = create_draft_invoice(
        call, subscription, lines, reason="subscription_update", period=(call.now, call.now), advance=not automatic
    )
    call.objects.save(subscription)
    if automatic:
        collect_now(call, invoice, "allow_incomplete")


def _pending_item(call: Call, subscription: StoredSubscription, line: StoredLine) -> StoredInvoiceItem:
    """Return a line as a pending invoice item for the next invoice."""
    details = item_details(line)
    assert details is not None, "usage lines bill subscription items"
    item = call.objects.get(kinds.SUBSCRIPTION_ITEM, details["subscription_item"])
    period = line["period"]["start"], line["period"]["end"]
    charge = Charge(line["amount"], line["description"], period, line["quantity"], line["pricing"])
    return pending_entry(call, subscription, item, charge, proration=False)


def was_requested(subscription: StoredSubscription) -> bool:
    """Return whether a paused subscription was paused by ``pause``, not at the end of its trial."""
    return bool(value_at(subscription, "status_details.paused.subscription.type") == "pause_requested")


def resume_paused(
    call: Call, subscription: StoredSubscription, params: operations.PostSubscriptionsSubscriptionResume
) -> StoredSubscription:
    """Resume a subscription that was paused on request with its anchor unchanged, and debit the rest of its period.

    It becomes active now; with ``proration_behavior=always_invoice`` once the invoice is paid.
    """
    behavior = fields.given(params, "proration_behavior", "create_prorations")
    items = load(call, subscription)
    begin_periods(subscription, items, call.now)
    store_items(call, subscription, items)
    if behavior != "none":
        at = fields.given(params, "proration_date", call.now)
        for entry in prorations(call, subscription, [], items, at=at):
            call.objects.insert(entry, "invoiceitem.created")
    if behavior == "always_invoice":
        invoice = create_draft_invoice(
            call, subscription, [], reason="subscription_update", period=(call.now, call.now)
        )
        bill(call, subscription, invoice, params.get("payment_behavior"))
    else:
        resume_now(call, subscription)
    return subscription


def bill(call: Call, subscription: StoredSubscription, invoice: StoredInvoice, behavior: str | None) -> None:
    """Finalize the invoice of a resumption; the subscription becomes active once it is paid.

    behavior: ``payment_behavior``. With ``resume_on_payment_success`` the payment is attempted now and retried, and the
    subscription stays paused until it succeeds. Otherwise it waits for ``POST /v1/invoices/{invoice}/pay``, and becomes
    past due when that fails. An invoice that is not paid within ``RESUME_SECONDS`` is voided. Sources: Stripe's guide
    to pausing subscriptions, and the API reference, "Resume".
    """
    earlier = call.objects.find(kinds.INVOICE, subscription.get("_resuming") or "")
    subscription["_resuming"], subscription["_paused_until_paid"] = invoice["id"], behavior == ON_SUCCESS
    call.objects.save(subscription)
    if earlier is not None and earlier["status"] == "open":  # only one invoice of a resumption is to be paid
        lifecycle.void(call, earlier)
    if behavior == ON_SUCCESS:
        collect_now(call, invoice, "allow_incomplete")
    else:
        invoice["auto_advance"] = False
        lifecycle.finalize(call, invoice)
    call.schedule.cancel(jobs.SUBSCRIPTION_RESUME_EXPIRE, subscription["id"])
    if subscription["status"] == "paused":
        until = call.now + RESUME_SECONDS
        call.schedule.add(until, jobs.SUBSCRIPTION_RESUME_EXPIRE, subscription["id"], subscription["test_clock"])


def expire_resumption(call: Call, id: str) -> None:
    """Run the job ``subscription.resume_expire``: void the invoice of a resumption that was not paid. id: of the
    subscription, which stays paused.
    """
    subscription = call.objects.find(kinds.SUBSCRIPTION, id)
    if subscription is None or subscription["status"] != "paused":
        return
    invoice = call.objects.find(kinds.INVOICE, subscription.get("_resuming") or "")
    if invoice is not None and invoice["status"] == "open":
        lifecycle.void(call, invoice)
