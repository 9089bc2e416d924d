"""Changing the status of a PaymentIntent, and the errors of requests that its status does not allow."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from tollkey.payments.intents import kinds, states
from tollkey.payments.methods import instruments
from tollkey.wire import ApiError, Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.intents.stored import AnyIntent, Instrument, StoredPaymentIntent

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
UPDATABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
#: In the order of the recorded error message.
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
CODE = "payment_intent_unexpected_state"
_CONFIRMED = "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
_NOT_CONFIRMABLE = (
    "You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of the"
    " following statuses may be confirmed: requires_confirmation, requires_action."
)
_UNTIL_CAPTURED = (*UPDATABLE, "requires_capture")
_ANY = (*UPDATABLE, "processing", "requires_capture", "succeeded", "canceled")
#: Parameter of an update -> the statuses in which it may change; ``UPDATABLE`` for others.
#: Source for ``receipt_email``: craft-freeform issue 2644.
_WHEN = MappingProxyType({
    **dict.fromkeys(("description", "expand", "metadata", "payment_details", "shipping", "transfer_group"), _ANY),
    "application_fee_amount": _UNTIL_CAPTURED,
    "receipt_email": (*_UNTIL_CAPTURED, "succeeded"),
})  # fmt: skip
#: Parameter and status -> another text than the general one.
#: Sources: woocommerce-gateway-stripe issue 2503, commerce-stripe issue 133.
_LATE_TEXTS = MappingProxyType({
    ("application_fee_amount", "succeeded"): (
        "The parameter application_fee_amount cannot be updated on a PaymentIntent after a capture has already been"
        " made."
    ),
    ("payment_method", "requires_capture"): (
        "You cannot provide a new payment method to a PaymentIntent when it has a status of requires_capture. You"
        " should either capture the remaining funds, or cancel this PaymentIntent and try again with a new"
        " PaymentIntent."
    ),
})  # fmt: skip
_CAPTURED = "This PaymentIntent could not be captured because it has already been captured."
_RELEASED = (
    "The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized amount"
    " has been released."
)
_NOT_CAPTURABLE = (
    "This PaymentIntent could not be captured because it has a status of {status}. Only a PaymentIntent with one of the"
    " following statuses may be captured: requires_capture."
)


def move(intent: StoredPaymentIntent, status: str) -> None:
    """Set the intent's status. Raises InvalidTransition if ``PAYMENT_INTENT`` has no such transition."""
    states.move(states.PAYMENT_INTENT, intent, status)


def method_of(call: Call, intent: AnyIntent) -> Instrument:
    """Return the payment method of an intent beyond ``requires_payment_method``."""
    id = intent["payment_method"]
    assert id is not None, f"{intent['id']} has a payment method once it was confirmed"
    return instruments.resolve_payment_method(call, id)


def charge_of(call: Call, intent: StoredPaymentIntent) -> StoredCharge:
    """Return the latest charge of an intent that was authorized or is being processed."""
    id = intent["latest_charge"]
    assert id is not None, f"{intent['id']} has a charge once it was authorized"
    return call.objects.get(kinds.CHARGE, id)


def unexpected(call: Call, intent: AnyIntent, message: str, param: str | None = None) -> ApiError:
    """Return the 400 error ``…_intent_unexpected_state``, which contains the intent."""
    kind = intent["object"]
    return invalid(message, param, f"{kind}_unexpected_state", retry=False, **{kind: call.objects.copy(intent)})


def check_cancelable(call: Call, intent: StoredPaymentIntent) -> None:
    """Raise the recorded error if the intent cannot be canceled."""
    if intent["status"] not in CANCELABLE:
        raise unexpected(
            call,
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
            f" Only a PaymentIntent with one of the"
            f" following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )


def check_confirmable(call: Call, intent: StoredPaymentIntent) -> None:
    """Raise ApiError if the intent was confirmed before or can no longer be confirmed."""
    if intent["status"] not in CONFIRMABLE:
        raise unexpected(
            call,
            intent,
            _CONFIRMED if intent["status"] == "succeeded" else _NOT_CONFIRMABLE.format(status=intent["status"]),
        )


def missing_method(call: Call, intent: StoredPaymentIntent) -> ApiError:
    """Return the error of a confirmation without a payment method."""
    hint = (
        "You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again"
        " directly with a payment method or ConfirmationToken."
    )
    if intent["customer"] is not None and not call.client:  # its id is hidden from a publishable key
        hint = (
            f"To confirm the PaymentIntent with {intent['customer']}, specify a payment method attached to this"
            " customer along with the customer ID."
        )
    return unexpected(
        call,
        intent,
        f"You cannot confirm this PaymentIntent because it's missing a payment method. {hint}",
    )


def check_updatable(call: Call, intent: StoredPaymentIntent, name: str) -> None:
    """Raise ApiError if the status no longer allows a change of that parameter."""
    allowed = _WHEN.get(name, UPDATABLE)
    if intent["status"] not in allowed:
        text = (
            f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}."
            f" You may only update the {name} of a PaymentIntent with one of the following statuses:"
            f" {', '.join(allowed)}."
        )
        raise unexpected(call, intent, _LATE_TEXTS.get((name, intent["status"]), text), name)


def check_capturable(call: Call, intent: StoredPaymentIntent) -> None:
    """Raise ApiError if the intent is not authorized."""
    if intent["status"] != "requires_capture":
        message = _NOT_CAPTURABLE.format(status=intent["status"])
        if intent["status"] == "succeeded":
            message = _RELEASED if intent["amount_received"] < intent["amount"] else _CAPTURED
        raise unexpected(call, intent, message)
