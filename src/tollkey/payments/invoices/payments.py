"""Paying an invoice: which payment method, the PaymentIntent behind it, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tollkey.ledger import Money
from tollkey.payments.invoices import kinds, states
from tollkey.wire import ApiError, Call, invalid, new_object

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api

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


def method_of(
    call: Call, invoice: api.Invoice | None, subscription: api.Subscription | None, customer: StoredCustomer
) -> str | None:
    """The payment method or source to charge: the invoice's, the subscription's, the customer's; a payment method
    before a source.

    invoice: None when there is none yet.
    """
    settings = customer.get("invoice_settings")
    candidates = (
        invoice["default_payment_method"] if invoice else None,
        invoice["default_source"] if invoice else None,
        subscription["default_payment_method"] if subscription else None,
        subscription["default_source"] if subscription else None,
        settings["default_payment_method"] if settings else None,
        customer.get("default_source"),
    )
    return next((found for found in candidates if found), None)


def new_payment(call: Call, invoice: StoredInvoice, intent: str) -> api.InvoicePayment:
    """The invoice payment that ties an intent to an invoice, open."""
    payment = new_object(
        kinds.INVOICE_PAYMENT,
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


def remaining(invoice: api.Invoice) -> Money:
    """What is still to be paid of an invoice."""
    return Money(invoice["amount_remaining"], invoice["currency"])


def payment_of(call: Call, invoice: StoredInvoice) -> api.InvoicePayment | None:
    """The default invoice payment."""
    found = call.objects.query(kinds.INVOICE_PAYMENT, {"invoice": invoice["id"]})
    return next((payment for payment in found if payment["is_default"]), None)


def payment_paid(call: Call, invoice: StoredInvoice, amount: int) -> None:
    """The invoice's intent has succeeded."""
    payment = payment_of(call, invoice)
    if payment is not None and payment["status"] == "open":
        states.PAYMENT.set(payment, "paid")
        payment["amount_paid"] = amount
        payment["status_transitions"]["paid_at"] = call.now
        call.objects.save(payment)
        call.emit("invoice_payment.paid", payment)


def payment_canceled(call: Call, invoice: StoredInvoice) -> None:
    """The invoice will not be paid through its intent any more."""
    payment = payment_of(call, invoice)
    if payment is not None and payment["status"] == "open":
        states.PAYMENT.set(payment, "canceled")
        payment["status_transitions"]["canceled_at"] = call.now
        call.objects.save(payment)
