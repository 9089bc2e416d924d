"""Intents that another object holds: a Checkout Session's and an invoice's are changed through that object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tollkey.payments.intents import payment_states
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent, StoredPaymentIntent

#: From this version on the intent of a Checkout Session is out of reach (Sylius/PayumStripe issue 28).
_OF_SESSION_SINCE = "2020-08-27"
#: What an invoice decides of its payment.
_OF_INVOICE = frozenset({"amount", "currency", "customer", "application_fee_amount", "transfer_data"})


def check_session(call: Call, intent: AnyIntent, verb: str) -> None:
    """Raise ApiError 400 for an intent that a Checkout Session confirms and cancels.

    verb: ``confirm`` or ``cancel``. A PaymentIntent that waits for its capture can be canceled. Source of the text:
    stripe-ios issue 1951.
    """
    if call.version < _OF_SESSION_SINCE or not intent.get("_checkout") or intent["status"] == "requires_capture":
        return
    name = "PaymentIntents" if intent["object"] == "payment_intent" else "SetupIntents"
    hint = " Expire the Checkout Session instead." if verb == "cancel" else ""
    message = f"You cannot perform this action on {name} created by Checkout.{hint}"
    raise payment_states.unexpected(call, intent, message)


def check_invoice(call: Call, intent: StoredPaymentIntent, names: Iterable[str] | None = None) -> None:
    """Raise ApiError 400 for the PaymentIntent of an invoice, which follows what the invoice still asks for.

    names: the parameters of an update; None for a cancellation.
    """
    if intent.get("_invoice") and (names is None or _OF_INVOICE & set(names)):
        verb = "canceled" if names is None else "updated"
        message = f"This PaymentIntent cannot be {verb} directly because it is managed by the invoice"
        raise payment_states.unexpected(call, intent, f"{message} `{intent['_invoice']}`.")
