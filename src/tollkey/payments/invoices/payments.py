"""Payments of an invoice: the payment method to charge, the PaymentIntent, and the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tollkey.ledger import Money
from tollkey.payments.invoices import kinds, states
from tollkey.payments.shared import events
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
    """The outcome of a collection attempt. status: paid, requires_action, processing or failed.

    error: the API error of a failure.
    """

    status: str
    error: ApiError | None = None


def no_method() -> ApiError:
    """Return the error 400 for a customer without a payment method."""
    return invalid(NO_METHOD, code="resource_missing", retry=False)


def method_of(
    call: Call, invoice: api.Invoice | None, subscription: api.Subscription | None, customer: StoredCustomer
) -> str | None:
    """Return the id of the payment method or source to charge; None if there is none.

    The order is: invoice, subscription, customer; for each, a payment method before a source. invoice: None if it does
    not exist yet.
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


def method_removed(call: Call, fact: events.MethodRemoved) -> None:
    """Clear the default payment method or source of the customer's drafts and open invoices.

    Inferred: Stripe's specification says of both that they must belong to the customer.
    """
    for invoice in call.objects.query(kinds.INVOICE, {"customer": fact.customer, "status": ["draft", "open"]}):
        if invoice["default_payment_method"] == fact.method:
            invoice["default_payment_method"] = None
        if invoice["default_source"] == fact.method:
            invoice["default_source"] = None
        call.objects.save(invoice, "invoice.updated")


def new_payment(call: Call, invoice: StoredInvoice, intent: str) -> api.InvoicePayment:
    """Create the invoice payment, open, that links a PaymentIntent to an invoice. intent: an id."""
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
    """Return the amount that remains to be paid of an invoice."""
    return Money(invoice["amount_remaining"], invoice["currency"])


def payment_of(call: Call, invoice: StoredInvoice) -> api.InvoicePayment | None:
    """Return the default invoice payment, else None."""
    found = call.objects.query(kinds.INVOICE_PAYMENT, {"invoice": invoice["id"]})
    return next((payment for payment in found if payment["is_default"]), None)


def payment_paid(call: Call, invoice: StoredInvoice, amount: int) -> None:
    """Mark the default invoice payment as paid. amount: minor units."""
    payment = payment_of(call, invoice)
    if payment is not None and payment["status"] == "open":
        states.PAYMENT.set(payment, "paid")
        payment["amount_paid"] = amount
        payment["status_transitions"]["paid_at"] = call.now
        call.objects.save(payment)
        call.emit("invoice_payment.paid", payment)


def payment_canceled(call: Call, invoice: StoredInvoice) -> None:
    """Cancel the default invoice payment."""
    payment = payment_of(call, invoice)
    if payment is not None and payment["status"] == "open":
        states.PAYMENT.set(payment, "canceled")
        payment["status_transitions"]["canceled_at"] = call.now
        call.objects.save(payment)
