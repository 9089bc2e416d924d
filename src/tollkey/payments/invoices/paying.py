"""Paying an invoice on request: with a payment method, out of band, or with a separate PaymentIntent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.invoices import collection, kinds, states
from tollkey.payments.invoices.attached import attach_intent
from tollkey.payments.invoices.drafts import subscription_of
from tollkey.payments.invoices.lifecycle import (
    attempt_collection,
    customer_of,
    finalize,
    invoice_of_path,
    mark_paid,
)
from tollkey.payments.invoices.payments import ACTION_REQUIRED, method_of, payment_canceled
from tollkey.payments.invoices.rules import check_mandate
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.methods import source_limits
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid
from tollkey.wire.errors import card_error, exclusive, missing_param
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import operations

#: Parameters about a charge, of which there is none when an invoice is paid out of band.
_CHARGING = ("payment_method", "source", "mandate", "forgive")


def pay(call: Call, params: operations.PostInvoicesInvoicePay) -> StoredInvoice:
    """Collect an invoice now, or mark it as paid out of band. A draft is finalized first.

    Raises ApiError 402 for a declined card; the failed attempt and its events are kept.
    """
    call, invoice = invoice_of_path(call, "id")
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", retry=False)
    if invoice["status"] == "void":
        raise invalid("This invoice can no longer be paid", retry=False)
    chosen = params.get("payment_method") or params.get("source")
    if params.get("source"):
        _check_source(call, invoice, params["source"])
    _check_together(params)
    charges = not params.get("paid_out_of_band") and invoice["total"] > 0
    if charges and chosen is None and _default_method(call, invoice) is None:
        attempt_collection(call, invoice)  # raises ApiError: no payment method
    if invoice["status"] == "draft":
        finalize(call, invoice)
    if states.status_now(invoice) == "paid":
        return invoice
    if params.get("paid_out_of_band"):
        payment_canceled(call, invoice)
        collection.cancel_intent_of(call, invoice)
        mark_paid(call, invoice, out_of_band=True)
        return invoice
    mandate = params.get("mandate")
    if mandate is not None:
        check_mandate(call, mandate, chosen or _default_method(call, invoice))
    missing = _forgiven(call, invoice, params, chosen or _default_method(call, invoice))
    if missing:
        _lower_due(call, invoice, missing)
    outcome = attempt_collection(
        call, invoice, method=chosen, off_session=fields.given(params, "off_session", chosen is None), by_hand=True
    )
    if missing and outcome.status != "paid":
        _lower_due(call, invoice, -missing)
    if outcome.status == "requires_action":
        intent = call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "")
        raise card_error(
            "invoice_payment_intent_requires_action",
            ACTION_REQUIRED,
            payment_intent=call.objects.copy(intent) if intent is not None else None,
        )
    if outcome.error is not None:
        outcome.error.keep = True
        raise outcome.error
    return invoice


def _check_together(params: operations.PostInvoicesInvoicePay) -> None:
    """Raise ApiError 400 for parameters of which only one could act."""
    for one, two in (*(("paid_out_of_band", name) for name in _CHARGING), ("payment_method", "source")):
        if params.get(one) and params.get(two):
            raise exclusive(one, two, param=two)


def _forgiven(
    call: Call, invoice: StoredInvoice, params: operations.PostInvoicesInvoicePay, method: str | None
) -> int | None:
    """Return what a receiver lacks for the invoice, in minor units, if ``forgive`` is sent and it has something.

    method: the id of what is charged. Payment methods and sources of other flows are charged in full or not at all.
    Raises ApiError 400 if more than the receiver has is to go to others.
    """
    source = call.objects.find(methods_kinds.SOURCE, method or "") if params.get("forgive") else None
    funds = source_limits.available(source) if source is not None else None
    intent = call.objects.find(kinds.PAYMENT_INTENT, invoice.get("_payment_intent") or "") if funds else None
    if intent is not None and funds is not None:
        shares = (intent["application_fee_amount"], value_at(intent, "transfer_data.amount"))
        if max(share or 0 for share in shares) > funds:
            raise invalid(
                f"The source has {funds} {invoice['currency']}, which is less than what other accounts get.", "forgive"
            )
    return max(0, invoice["amount_remaining"] - funds) if funds else None


def _lower_due(call: Call, invoice: StoredInvoice, amount: int) -> None:
    """Let less be due of an open invoice; a negative amount (minor units) raises it again."""
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    collection.adjust_intent_amount(call, invoice)
    call.objects.save(invoice)


def _default_method(call: Call, invoice: StoredInvoice) -> str | None:
    """Return the id of the invoice's default payment method or source, else None."""
    id = subscription_of(invoice)
    subscription = call.objects.find(kinds.SUBSCRIPTION, id) if id else None
    return method_of(call, invoice, subscription, customer_of(call, invoice))


def _check_source(call: Call, invoice: StoredInvoice, source: str) -> None:
    """Raise ApiError 400 if the source does not exist."""
    for object in ("card", "source", "bank_account"):
        if object in call.setup.tables.of and call.objects.find(object, source) is not None:
            return
    raise call.objects.missing("source" if "source" in call.setup.tables.of else "customer", source, "source")


def attach_payment(call: Call, params: operations.PostInvoicesInvoiceAttachPayment) -> StoredInvoice:
    """Attach a PaymentIntent to an open invoice; it is applied when it has succeeded.

    Raises ApiError 400 if the invoice is not open, or the PaymentIntent belongs to another customer, has another
    currency, is canceled or is attached already.
    """
    call, invoice = invoice_of_path(call)
    if params.get("payment_record"):
        raise invalid("Payment records cannot be attached to invoices on this server.", "payment_record")
    if not params.get("payment_intent"):
        raise missing_param("payment_intent")
    intent = call.objects.get(kinds.PAYMENT_INTENT, params["payment_intent"], "payment_intent")
    if invoice["status"] != "open":
        raise invalid(
            f"You can only attach payments to open invoices. This invoice has a status of {invoice['status']}.",
            retry=False,
        )
    if intent["customer"] not in (None, invoice["customer"]):
        raise invalid("The PaymentIntent belongs to another customer than the invoice.", "payment_intent")
    if intent["currency"] != invoice["currency"]:
        raise invalid("The PaymentIntent has another currency than the invoice.", "payment_intent")
    if intent["status"] == "canceled":
        raise invalid("You cannot attach a PaymentIntent that was canceled.", "payment_intent")
    if intent.get("_invoice"):
        raise invalid("This PaymentIntent is attached to an invoice already.", "payment_intent")
    attach_intent(call, invoice, intent)
    return invoice
