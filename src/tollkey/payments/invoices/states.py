"""The states of invoices, invoice payments and credit notes.

invoice.status:

    ● ──created──▶ draft
    draft ──finalized──▶ open
    open ──paid, or nothing is due──▶ paid
         ──voided, or replaced by a revision──▶ void
         ──marked uncollectible──▶ uncollectible
    uncollectible ──paid──▶ paid
                  ──voided, or replaced by a revision──▶ void

A draft may also be deleted.

invoice_payment.status:

    ● ──created──▶ open
    open ──its PaymentIntent succeeds──▶ paid
         ──the invoice is voided, or paid otherwise──▶ canceled

credit_note.status:

    ● ──issued──▶ issued
    issued ──voided──▶ void
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.payments.shared import states

INVOICE = states.States(
    "invoice",
    {
        "draft": ("open",),
        "open": ("paid", "void", "uncollectible"),
        "uncollectible": ("paid", "void"),
        "paid": (),
        "void": (),
    },
    initial=("draft",),
)
PAYMENT = states.States(
    "invoice_payment", {"open": ("paid", "canceled"), "paid": (), "canceled": ()}, initial=("open",)
)
CREDIT_NOTE = states.States("credit_note", {"issued": ("void",), "void": ()}, initial=("issued",))


def status_now(value: Mapping[str, Any]) -> str:
    """Return the status of an invoice or a PaymentIntent after a step that may have changed it.

    A type checker would narrow ``value["status"]`` to the value compared before that step.
    """
    return str(value["status"])
