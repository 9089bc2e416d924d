"""What an invoice's fate means for its subscription: it becomes active, past due, unpaid or canceled.

    active ──attempt failed──▶ past_due ──last attempt failed──▶ canceled │ unpaid │ past_due   (setting ``after_last_retry``)
       ▲                          │                                          │         │
       └───── the latest invoice is paid or voided ──────────────────────────┴─────────┘

While unpaid, every new invoice stays a draft; while past due, it is still collected.
"""

from __future__ import annotations

from tollkey.payments._billing import DAY
from tollkey.payments._discounting import remove
from tollkey.payments._entitling import refresh as entitle
from tollkey.payments._invoicing.drafts import subscription_of
from tollkey.wire import Call, Json

UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"
#: Days from a failed attempt to the next one; when the last has failed too, the subscription ends.
RETRY_DAYS = (3, 5, 7)
#: How long the first invoice of a subscription may stay unpaid.
INCOMPLETE_SECONDS = 23 * 3_600
_WORK = (
    "subscription.renew",
    "subscription.trial_will_end",
    "subscription.upcoming",
    "subscription.cancel",
    "subscription.expire",
    "subscription.resume",
    "subscription.pending_items",
)


def paid(call: Call, invoice: Json) -> None:
    """An invoice was paid (or voided, or forgiven): the subscription is active again when it waited for that."""
    subscription = _of(call, invoice)
    if subscription is None:
        return
    if subscription["status"] == "incomplete" and invoice["id"] == subscription["latest_invoice"]:
        call.schedule.cancel("subscription.expire", subscription["id"])
        subscription["status"] = "trialing" if (subscription["trial_end"] or 0) > call.now else "active"
    elif subscription["status"] in ("past_due", "unpaid") and invoice["id"] == subscription["latest_invoice"]:
        subscription["status"] = "active"
    elif subscription["status"] == "paused" and subscription.get("_resuming") == invoice["id"]:
        subscription["status"] = "active"
        call.objects.save(subscription, UPDATED)
        call.emit("customer.subscription.resumed", subscription)
    _keep_method(call, subscription, invoice)
    call.objects.save(subscription, UPDATED)
    pending = subscription.get("_pending")
    if pending and pending["invoice"] == invoice["id"] and invoice["status"] == "paid":
        apply_pending(call, subscription)
    entitle(call, subscription["customer"])


def _keep_method(call: Call, subscription: Json, invoice: Json) -> None:
    """What paid an invoice pays the next ones too, when ``save_default_payment_method`` says so."""
    wanted = (subscription["payment_settings"] or {}).get("save_default_payment_method")
    if wanted != "on_subscription" or invoice["status"] != "paid":
        return
    intent = call.objects.find("payment_intent", invoice.get("_payment_intent") or "")
    method = call.objects.find("payment_method", (intent or {}).get("payment_method") or "")
    if intent is not None and intent["status"] == "succeeded" and method is not None:
        subscription["default_payment_method"] = method["id"]


def apply_pending(call: Call, subscription: Json) -> None:
    """The invoice of a pending update was paid: the update comes into force."""
    pending = subscription.pop("_pending")
    subscription.update(pending["fields"], pending_update=None)
    start, stop_at = subscription["_period"]
    there = {item["id"]: item for item in call.objects.query("subscription_item", {"subscription": subscription["id"]}, limit=100)}
    shown = []
    for item in pending["items"]:
        item["current_period_start"], item["current_period_end"] = start, stop_at
        known = there.pop(item["id"], None)
        if known is None:
            call.objects.insert(item)
        else:
            known.clear()
            known.update(item)
            call.objects.save(known)
        shown.append(call.objects.copy(item))
    for gone in there.values():
        call.objects.delete(gone)
    subscription["items"] = {**subscription["items"], "data": shown, "total_count": len(shown)}
    subscription["plan"] = shown[0]["plan"] if len(shown) == 1 else None
    subscription["quantity"] = shown[0].get("quantity") if len(shown) == 1 else None
    call.schedule.cancel("subscription.drop_pending", subscription["id"])
    call.schedule.add(stop_at, "subscription.renew", subscription["id"], subscription["test_clock"])
    call.objects.save(subscription, UPDATED)
    call.emit("customer.subscription.pending_update_applied", subscription)


def failed(call: Call, invoice: Json) -> None:
    """An attempt failed: the first invoice leaves the subscription incomplete, a later one makes it past due; the last attempt decides."""
    subscription = _of(call, invoice)
    if subscription is None or subscription["status"] in ("canceled", "incomplete", "incomplete_expired"):
        return
    if invoice["next_payment_attempt"] is None and invoice["collection_method"] == "charge_automatically" and invoice.get("_exhausted"):
        _after_last(call, subscription)
        return
    if invoice["id"] == subscription["latest_invoice"] and subscription["status"] in ("active", "trialing"):
        subscription["status"] = "past_due"
        call.objects.save(subscription, UPDATED)


def _after_last(call: Call, subscription: Json) -> None:
    """The last attempt failed: what the server's setting says becomes of the subscription."""
    wanted = call.service("settings").after_last_retry
    if wanted == "cancel":
        end(call, subscription, "payment_failed")
    elif subscription["status"] in ("active", "trialing", "past_due"):
        subscription["status"] = wanted
        call.objects.save(subscription, UPDATED)
        entitle(call, subscription["customer"])


def next_attempt(call: Call, invoice: Json) -> None:
    """Plan the next attempt of a failed invoice, on the clock it lives on."""
    done = max(invoice["attempt_count"], 1)
    subscription = _of(call, invoice)
    if subscription is not None and subscription["status"] == "incomplete":
        return  # the first invoice is the customer's to pay, within 23 hours
    if not invoice["auto_advance"] or done > len(RETRY_DAYS):
        invoice["_exhausted"] = invoice["auto_advance"]
        invoice["next_payment_attempt"] = None
        return
    invoice["next_payment_attempt"] = call.now + RETRY_DAYS[done - 1] * DAY
    call.schedule.add(invoice["next_payment_attempt"], "invoice.retry", invoice["id"], invoice["test_clock"])


def look_again(call: Call, invoice: Json) -> None:
    """Look on the days of the later attempts whether there is something to charge by then."""
    looked = invoice.get("_looked", 0)
    if looked < len(RETRY_DAYS):
        invoice["_looked"] = looked + 1
        call.schedule.add(call.now + RETRY_DAYS[looked] * DAY, "invoice.retry", invoice["id"], invoice["test_clock"])


def end(call: Call, subscription: Json, reason: str | None, *, status: str = "canceled") -> None:
    """Cancel a subscription now, with its event; nothing of it waits any more.

    reason: ``cancellation_details.reason``. status: canceled, or incomplete_expired.
    """
    subscription["status"] = status
    subscription["ended_at"] = call.now
    subscription["canceled_at"] = subscription["canceled_at"] or call.now
    if reason is not None:
        subscription["cancellation_details"] = {**subscription["cancellation_details"], "reason": reason}
    stop(call, subscription)
    for id in subscription["discounts"]:
        discount = call.objects.find("discount", id)
        if discount is not None:
            remove(call, discount)
    _end_schedule(call, subscription, reason)
    call.objects.save(subscription)
    call.emit(DELETED if status == "canceled" else UPDATED, subscription)
    entitle(call, subscription["customer"])


def _end_schedule(call: Call, subscription: Json, reason: str | None) -> None:
    """A schedule ends with its subscription: canceled by hand, aborted when payments failed."""
    schedule = call.objects.find("subscription_schedule", subscription["schedule"]) if subscription["schedule"] else None
    if schedule is None or schedule["status"] not in ("active", "not_started"):
        return
    schedule.update(status="canceled", canceled_at=call.now, current_phase=None)
    for kind in ("subscription_schedule.step", "subscription_schedule.expiring"):
        call.schedule.cancel(kind, schedule["id"])
    call.objects.save(schedule)
    call.emit("subscription_schedule.aborted" if reason == "payment_failed" else "subscription_schedule.canceled", schedule)


def stop(call: Call, subscription: Json) -> None:
    """Cancel every appointment of a subscription."""
    for kind in _WORK:
        call.schedule.cancel(kind, subscription["id"])


def _of(call: Call, invoice: Json) -> Json | None:
    id = subscription_of(invoice)
    return call.objects.find("subscription", id) if id else None
