"""The states of PaymentIntents, SetupIntents and the attempts of SetupIntents.

payment_intent.status:

    ● ──created──▶ requires_payment_method
    requires_payment_method ──a payment method is given──▶ requires_confirmation
                            ──confirmed──▶ requires_action │ processing │ requires_capture │ succeeded
                            ──declined──▶ requires_payment_method
                            ──canceled──▶ canceled
    requires_confirmation ──another payment method is given──▶ requires_confirmation
                          ──confirmed──▶ requires_action │ processing │ requires_capture │ succeeded
                          ──declined, or the payment method is taken away──▶ requires_payment_method
                          ──canceled──▶ canceled
    requires_action ──authenticated, manual confirmation──▶ requires_confirmation
                    ──authenticated, or confirmed again──▶ requires_action │ processing │ requires_capture │ succeeded
                    ──declined, or not authenticated──▶ requires_payment_method
                    ──canceled──▶ canceled
    processing ──the debit settles, or the processor approves──▶ succeeded
               ──the processor authorizes──▶ requires_capture
               ──the processor sends the customer to authenticate──▶ requires_action
               ──the debit fails, or the processor declines──▶ requires_payment_method
               ──canceled──▶ canceled
    requires_capture ──captured──▶ succeeded
                     ──the authorization is incremented──▶ requires_capture
                     ──canceled, or the authorization expires──▶ canceled

setup_intent.status:

    ● ──created──▶ requires_payment_method
    requires_payment_method ──a payment method is given──▶ requires_confirmation
                            ──confirmed──▶ requires_action │ processing │ succeeded
                            ──declined──▶ requires_payment_method
                            ──canceled──▶ canceled
    requires_confirmation ──another payment method is given──▶ requires_confirmation
                          ──confirmed──▶ requires_action │ processing │ succeeded
                          ──declined──▶ requires_payment_method
                          ──canceled──▶ canceled
    requires_action ──another payment method is given──▶ requires_confirmation
                    ──authenticated, or confirmed again──▶ requires_action │ processing │ succeeded
                    ──declined, or not authenticated──▶ requires_payment_method
                    ──canceled──▶ canceled
    processing ──the bank answers──▶ succeeded │ requires_payment_method
               ──the processor sends the customer to authenticate──▶ requires_action
               ──canceled──▶ canceled

setup_attempt.status:

    ● ──the intent is confirmed──▶ requires_action │ succeeded │ failed │ abandoned
    requires_action ──confirmed again──▶ requires_action
                    ──authenticated──▶ succeeded
                    ──declined, or not authenticated──▶ failed
                    ──the intent is canceled──▶ abandoned
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.shared import states

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent

PAYMENT_INTENT = states.States(
    "payment_intent",
    {
        "requires_payment_method": (
            "requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture",
            "succeeded", "canceled",
        ),
        "requires_confirmation": (
            "requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture",
            "succeeded", "canceled",
        ),
        "requires_action": (
            "requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture",
            "succeeded", "canceled",
        ),
        "processing": ("requires_payment_method", "requires_action", "requires_capture", "succeeded", "canceled"),
        "requires_capture": ("requires_capture", "succeeded", "canceled"),
        "succeeded": (),
        "canceled": (),
    },
    initial=("requires_payment_method",),
)  # fmt: skip
SETUP_INTENT = states.States(
    "setup_intent",
    {
        "requires_payment_method": (
            "requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded",
            "canceled",
        ),
        "requires_confirmation": (
            "requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded",
            "canceled",
        ),
        "requires_action": (
            "requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded",
            "canceled",
        ),
        "processing": ("requires_payment_method", "requires_action", "succeeded", "canceled"),
        "succeeded": (),
        "canceled": (),
    },
    initial=("requires_payment_method",),
)  # fmt: skip
SETUP_ATTEMPT = states.States(
    "setup_attempt",
    {
        "requires_action": ("requires_action", "succeeded", "failed", "abandoned"),
        "succeeded": (),
        "failed": (),
        "abandoned": (),
    },
    initial=("requires_action", "succeeded", "failed", "abandoned"),
)


def move(table: states.States, intent: AnyIntent, status: str) -> None:
    """Set the status of an intent and, unless it is ``requires_action``, clear ``next_action``.

    Raises InvalidTransition if the table has no such transition.
    """
    table.set(intent, status)
    if status != "requires_action":
        intent["next_action"] = None
