"""Paying an invoice: which payment method, the PaymentIntent behind it, and what came of it."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.payments.invoices import states
from tollkey.wire import ApiError, Call, Json, blank, invalid

NO_METHOD = (
    "This customer has no attached payment source or default payment method."
    " Please consider adding a default payment method. For more"
    " information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)
ACTION_REQUIRED = (
    "Payment for this invoice requires additional user action before it can be completed successfully."
    " Payment can be completed using the"
    " PaymentIntent associated with the invoice. For more details see:"
    " https://stripe.com/docs/billing/subscriptions/overview#requires-action"
)


class Outcome(NamedTuple):
    """What came of an attempt. status: paid, requires_action, processing or failed.

    error: why it failed, as the API would answer it.
    """

    status: str
    error: ApiError | None = None


def no_method() -> ApiError:
    """400: there is nothing to charge."""
    return invalid(NO_METHOD, code="resource_missing", retry=False)


def method_of(call: Call, invoice: Json, subscription: Json | None, customer: Json) -> str | None:
    """The payment method or source to charge: the invoice's, the subscription's, the customer's; a payment method
    before a source.
    """
    settings = customer.get("invoice_settings") or {}
    candidates = (
        invoice["default_payment_method"],
        invoice["default_source"],
        (subscription or {}).get("default_payment_method"),
        (subscription or {}).get("default_source"),
        settings.get("default_payment_method"),
        customer.get("default_source"),
    )
    return next((found for found in candidates if found), None)


def new_payment(call: Call, invoice: Json, intent: str) -> Json:
    """The invoice payment that ties an intent to an invoice, open."""
    payment = blank(
        "invoice_payment",
        id=call.ids.new("inpay"),
        amount_requested=invoice["amount_remaining"],
        created=call.now,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        livemode=call.livemode,
        payment={"payment_intent": intent, "type": "payment_intent"},
        status=states.PAYMENT.start("open"),
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    invoice["_payment_intent"] = intent
    return call.objects.insert(payment)


def payment_of(call: Call, invoice: Json) -> Json | None:
    """The default invoice payment."""
    found = call.objects.query("invoice_payment", {"invoice": invoice["id"]}, limit=10)
    return next((payment for payment in found if payment["is_default"]), None)


def payment_paid(call: Call, invoice: Json, amount: int) -> None:
    """The invoice's intent has succeeded."""
    payment = payment_of(call, invoice)
    if payment is not None and payment["status"] == "open":
        states.PAYMENT.set(payment, "paid")
        payment["amount_paid"] = amount
        payment["status_transitions"]["paid_at"] = call.now
        call.objects.save(payment)
        call.emit("invoice_payment.paid", payment)


def payment_canceled(call: Call, invoice: Json) -> None:
    """The invoice will not be paid through its intent any more."""
    payment = payment_of(call, invoice)
    if payment is not None and payment["status"] == "open":
        states.PAYMENT.set(payment, "canceled")
        payment["status_transitions"]["canceled_at"] = call.now
        call.objects.save(payment)
