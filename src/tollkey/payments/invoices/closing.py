"""How an invoice was closed, forgiven or marked as paid under versions before 2018-11-08, which had no statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.invoices.lifecycle import finalize, mark_paid, write_off
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import operations


def check_ending(invoice: StoredInvoice, params: operations.PostInvoicesInvoice) -> None:
    """Raise ApiError 400 for ``paid`` or ``forgiven`` of false on an invoice that is, and for both at once."""
    if params.get("paid") and params.get("forgiven"):
        raise exclusive("forgiven", "paid", param="paid")
    if params.get("paid") is False and invoice["status"] == "paid":
        raise invalid("A paid invoice stays paid.", "paid", retry=False)
    if params.get("forgiven") is False and invoice["status"] == "uncollectible":
        raise invalid("A forgiven invoice stays forgiven.", "forgiven", retry=False)


def advances(invoice: StoredInvoice, params: operations.PostInvoicesInvoice) -> bool:
    """Return whether an invoice advances by itself: as ``auto_advance`` says, or ``closed``, its older name."""
    wanted = params.get("auto_advance")
    if wanted is None and params.get("closed") is not None:
        wanted = not params["closed"]
    return invoice["auto_advance"] if wanted is None else wanted


def end(call: Call, invoice: StoredInvoice, params: operations.PostInvoicesInvoice) -> None:
    """Mark an invoice as paid out of band (``paid``) or as uncollectible (``forgiven``); a draft is finalized first.

    Raises ApiError 400 for an invoice that has ended otherwise.
    """
    wanted = "paid" if params.get("paid") else "uncollectible" if params.get("forgiven") else invoice["status"]
    if invoice["status"] == wanted:
        return
    if invoice["status"] == "void":
        raise invalid("This invoice can no longer be paid", retry=False)
    if invoice["status"] == "draft":
        finalize(call, invoice)
    if wanted == "uncollectible":
        write_off(call, invoice)
    elif invoice["status"] != "paid":
        mark_paid(call, invoice, out_of_band=True)
