"""``pending_setup_intent``: saves or authenticates a payment method while nothing is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.intents import actions, setup_intents
from tollkey.payments.invoices import payments
from tollkey.payments.methods import instruments
from tollkey.payments.shared import events, providers
from tollkey.payments.subscriptions import kinds
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import operations


def prepare(call: Call, subscription: StoredSubscription, customer: StoredCustomer, behavior: str) -> None:
    """Create the SetupIntent of a new subscription that has nothing to pay, if later payments need one.

    The caller saves the subscription. behavior: ``payment_behavior``. A SetupIntent is created if the customer has no
    payment method and the integration collects one (``default_incomplete`` or
    ``save_default_payment_method=on_subscription``), or if the card requires authentication. Source: the guides to
    deferred payments and to strong customer authentication.
    """
    if subscription["collection_method"] != "charge_automatically" or not call.has(providers.SETUPS):
        return
    id = payments.method_of(call, None, subscription, customer)
    saves = (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription"
    if id is None and not saves and behavior != "default_incomplete":
        return
    now = call.at(call.real)
    method = instruments.resolve_payment_method(now, id) if id is not None else None
    if method is not None and actions.card_challenge(method, off_session=False, requested=False) != "challenge":
        return
    types = (subscription["payment_settings"] or {}).get("payment_method_types") or ["card"]
    params: operations.PostSetupIntents = {
        "customer": customer["id"],
        "payment_method_types": types,
        "usage": "off_session",
    }
    if id is not None:
        params["payment_method"] = id
    intent = setup_intents.create_setup(now, params)
    intent["_subscription"] = subscription["id"]
    now.objects.save(intent)
    if method is not None:
        setup_intents.confirm_setup(now, intent, {})
    subscription["pending_setup_intent"] = intent["id"]


def succeeded(call: Call, fact: events.SetupSucceeded) -> None:
    """Clear a succeeded ``pending_setup_intent``, and use its payment method if the subscription saves it."""
    intent = fact.intent
    subscription = call.objects.find(kinds.SUBSCRIPTION, intent.get("_subscription") or "")
    if subscription is None or subscription["pending_setup_intent"] != intent["id"]:
        return
    subscription["pending_setup_intent"] = None
    if (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription":
        subscription["default_payment_method"] = intent["payment_method"]
    call.objects.save(subscription, "customer.subscription.updated")
