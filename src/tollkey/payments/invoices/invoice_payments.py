"""Invoice payments: the PaymentIntents that pay an invoice.

open ──the intent succeeds──▶ paid
  └──the invoice is voided──▶ canceled
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.invoices import kinds
from tollkey.payments.shared import permissions
from tollkey.wire import Call, Endpoint, Page, Resource, invalid
from tollkey.wire.pages import list_page, retrieve

if TYPE_CHECKING:
    from tollkey.wire import operations


def list_payments(call: Call, params: operations.GetInvoicePayments) -> Page:
    """List invoice payments by ``invoice``, ``status`` and ``payment``."""
    equal = {name: params[name] for name in ("invoice", "status") if params.get(name)}
    payment = params.get("payment")
    if payment:
        equal["payment.type"] = payment["type"]
        for name in ("payment_intent", "payment_record"):  # no payment record has paid an invoice
            if payment.get(name) and name != payment["type"]:
                param = f"payment[{name}]"
                raise invalid(f"You may only specify `{param}` when `payment[type]` is `{name}`.", param)
        if payment.get("payment_intent"):
            equal["payment.payment_intent"] = payment["payment_intent"]
    return list_page(call, kinds.INVOICE_PAYMENT, params, equal, url="/v1/invoice_payments")


INVOICE_PAYMENT = Resource(
    object="invoice_payment",
    prefix="inpay",
    permission=permissions.INVOICE,
    path_param="invoice_payment",
    indexed=("invoice", "status", "payment.type", "payment.payment_intent"),
    endpoints=(
        Endpoint("GET", "/v1/invoice_payments", list_payments),
        retrieve("invoice_payment", "/v1/invoice_payments/{invoice_payment}"),
    ),
    title="Invoice payments",
    columns=("id", "invoice", "amount_paid", "currency", "status", "created"),
)
