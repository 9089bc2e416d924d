"""The end of a trial without a payment method: the subscription is paused, canceled, or invoiced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tollkey.payments.invoices import payments
from tollkey.payments.subscriptions import kinds, states
from tollkey.payments.subscriptions.lifecycle import end, stop
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription

PAUSED: Final = "customer.subscription.paused"


def without_method(call: Call, subscription: StoredSubscription) -> bool:
    """Apply ``trial_settings`` at the end of a trial without a payment method; return whether it paused or ended."""
    customer = call.objects.get(kinds.CUSTOMER, subscription["customer"], "customer")
    settings = subscription["trial_settings"]
    assert settings is not None, "every subscription has trial_settings"
    behavior = settings["end_behavior"]["missing_payment_method"]
    if (
        behavior == "create_invoice"
        or subscription["collection_method"] == "send_invoice"
        or payments.method_of(call, None, subscription, customer)
    ):
        return False
    if behavior == "cancel":
        end(call, subscription, "payment_failed")
        return True
    states.pause(subscription, "trial_end_without_payment_method", call.now)
    stop(call, subscription)
    call.objects.save(subscription, "customer.subscription.updated")
    call.emit(PAUSED, subscription)
    return True
