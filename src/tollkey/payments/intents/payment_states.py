"""Setting the status of a PaymentIntent, and the errors of requests that its status does not allow."""

from __future__ import annotations

from tollkey.payments.intents import states
from tollkey.wire import ApiError, Call, Json, invalid

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
UPDATABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
#: In the order of the recorded message.
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
CODE = "payment_intent_unexpected_state"


def move(intent: Json, status: str) -> None:
    """Set the intent's status. Raises InvalidTransition when ``PAYMENT_INTENT`` has no such transition."""
    states.move(states.PAYMENT_INTENT, intent, status)


def unexpected(call: Call, intent: Json, message: str) -> ApiError:
    """400 ``payment_intent_unexpected_state``, with the intent as it is."""
    return invalid(message, None, CODE, retry=False, payment_intent=call.objects.copy(intent))


def check_cancelable(call: Call, intent: Json) -> None:
    """Raise the recorded error unless the intent can be canceled."""
    if intent["status"] not in CANCELABLE:
        raise unexpected(
            call,
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
            f" Only a PaymentIntent with one of the"
            f" following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )


def check_confirmable(call: Call, intent: Json) -> None:
    """Raise the error of a second confirmation, or of one that comes too late."""
    status = intent["status"]
    if status in CONFIRMABLE:
        return
    if status == "succeeded":
        raise unexpected(
            call,
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
        )
    raise unexpected(
        call,
        intent,
        f"You cannot confirm this PaymentIntent because it has a status of {status}."
        f" Only a PaymentIntent with one of the following"
        " statuses may be confirmed: requires_confirmation, requires_action.",
    )


def missing_method(call: Call, intent: Json) -> ApiError:
    """The error of a confirmation with nothing to pay with."""
    return unexpected(
        call,
        intent,
        "You cannot confirm this PaymentIntent because it's missing a payment method."
        " You can either update the PaymentIntent with a"
        " payment method and then confirm it again, or confirm it again directly with a payment method or"
        " ConfirmationToken.",
    )


def check_updatable(call: Call, intent: Json, name: str) -> None:
    """Raise the error of changing that parameter too late."""
    if intent["status"] not in UPDATABLE:
        raise unexpected(
            call,
            intent,
            f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}."
            f" You may only update the"
            f" {name} of a PaymentIntent with one of the following statuses: {', '.join(UPDATABLE)}.",
        )


def check_capturable(call: Call, intent: Json) -> None:
    """Raise the error of capturing what is not authorized, or no longer."""
    if intent["status"] == "requires_capture":
        return
    if intent["status"] == "succeeded":
        raise unexpected(call, intent, "This PaymentIntent could not be captured because it has already been captured.")
    raise unexpected(
        call,
        intent,
        f"This PaymentIntent could not be captured because it has a status of {intent['status']}."
        f" Only a PaymentIntent with one of the"
        " following statuses may be captured: requires_capture.",
    )
