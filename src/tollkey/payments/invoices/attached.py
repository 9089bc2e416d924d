"""PaymentIntents that pay invoices outside of a collection: separately created ones, and those that succeed later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.payments.customers import balance
from tollkey.payments.intents import payment_intents
from tollkey.payments.invoices import collection, kinds, states
from tollkey.payments.invoices.lifecycle import customer_of, mark_paid, record_attempt, set_delinquent
from tollkey.payments.invoices.payments import Outcome, payment_canceled, remaining
from tollkey.payments.shared import clock, events, providers
from tollkey.wire import ApiError, Call, new_object
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import api


def intent_succeeded(call: Call, fact: events.IntentSucceeded) -> None:
    """Mark an invoice paid whose PaymentIntent succeeded outside of an attempt (challenge passed, debit settled)."""
    where = {"payment.payment_intent": fact.intent["id"]}
    of_invoice = bool(fact.intent.get("_invoice"))
    for payment in call.objects.query(kinds.INVOICE_PAYMENT, where, limit=1) if of_invoice else ():
        invoice = call.objects.get(kinds.INVOICE, payment["invoice"])
        if not payment["is_default"]:
            _apply_intent(
                clock.for_customer(call, customer_of(call, invoice)),
                invoice,
                payment,
                call.objects.get(kinds.PAYMENT_INTENT, fact.intent["id"]),
            )
        elif invoice["status"] in ("open", "uncollectible") and collection.collecting_key(invoice) not in call.memo:
            then = clock.for_customer(call, customer_of(call, invoice))
            collection.record_paid(then, invoice)
            mark_paid(then, invoice)


def intent_refused(call: Call, fact: events.IntentRefusedLater) -> None:
    """Record that an attempt to collect an invoice failed, which its processor has told later."""
    where = {"payment.payment_intent": fact.intent["id"]}
    of_invoice = bool(fact.intent.get("_invoice"))
    for payment in call.objects.query(kinds.INVOICE_PAYMENT, where, limit=1) if of_invoice else ():
        invoice = call.objects.get(kinds.INVOICE, payment["invoice"])
        if not payment["is_default"] or invoice["status"] != "open":
            return
        then = clock.for_customer(call, customer_of(call, invoice))
        record_attempt(then, invoice, Outcome("failed", fact.error))
        if fact.off_session:
            set_delinquent(then, invoice["customer"], yes=True)


def refusal(call: Call, invoice: StoredInvoice, reference: str) -> ApiError | None:
    """Return the error of a request to pay an invoice, whose processor has refused; None otherwise."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "")
    return payment_intents.refusal(call, intent, reference) if intent is not None else None


def attach_intent(call: Call, invoice: StoredInvoice, intent: StoredPaymentIntent) -> api.InvoicePayment:
    """Attach a separately created PaymentIntent to an open invoice, and return the invoice payment.

    A succeeded PaymentIntent is applied immediately.
    """
    payment = new_object(
        kinds.INVOICE_PAYMENT,
        id=call.ids.new("inpay"),
        amount_requested=min(Money(intent["amount"], intent["currency"]), remaining(invoice)).amount,
        created=call.now,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=False,
        livemode=call.livemode,
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
        status=states.PAYMENT.start("open"),
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    call.objects.insert(payment)
    intent["_invoice"] = invoice["id"]
    call.objects.save(intent)
    if intent["status"] == "succeeded":
        _apply_intent(call, invoice, payment, intent)
    return payment


def _apply_intent(call: Call, invoice: StoredInvoice, payment: api.InvoicePayment, intent: StoredPaymentIntent) -> None:
    """Apply a succeeded attached PaymentIntent: the invoice is paid, or its remaining amount is reduced."""
    if payment["status"] != "open" or invoice["status"] not in ("open", "uncollectible"):
        return
    call.require(providers.CHARGES)
    received = Money(intent["amount_received"], intent["currency"])
    paid = min(received, remaining(invoice))
    states.PAYMENT.set(payment, "paid")
    payment["amount_paid"] = paid.amount
    payment["status_transitions"]["paid_at"] = call.now
    call.objects.save(payment)
    call.emit("invoice_payment.paid", payment)
    if paid >= remaining(invoice):
        payment_canceled(call, invoice)
        collection.cancel_intent_of(call, invoice)
        mark_paid(call, invoice)
        _credit_excess(call, invoice, received - paid)
        return
    invoice["amount_paid"] += paid.amount
    invoice["amount_remaining"] -= paid.amount
    collection.adjust_intent_amount(call, invoice)
    call.objects.save(invoice, "invoice.updated")


def _credit_excess(call: Call, invoice: StoredInvoice, excess: Money) -> None:
    """Credit what was paid beyond the amount due to the customer's balance, with ``invoice.overpaid``.

    Source: ``amount_overpaid`` of invoices in Stripe's OpenAPI document.
    """
    if excess.is_positive:
        balance.change_balance(call, customer_of(call, invoice), -excess, "invoice_overpaid", invoice=invoice["id"])
        invoice["amount_overpaid"] = excess.amount
        call.objects.save(invoice, "invoice.overpaid")


#: What becomes of an invoice when its payment is decided later.
OF_INTENTS = (Reaction(events.IntentSucceeded, intent_succeeded), Reaction(events.IntentRefusedLater, intent_refused))
