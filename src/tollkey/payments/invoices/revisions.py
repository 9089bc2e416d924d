"""Revisions: drafts that replace a finalized invoice.

When the draft is finalized, the invoice is voided and its ``latest_revision`` is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.invoices import kinds, manual_taxes
from tollkey.payments.invoices.drafts import Bill, new_invoice
from tollkey.payments.invoices.lifecycle import customer_of
from tollkey.payments.invoices.lines import lines_of
from tollkey.payments.shared import clock
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice, StoredLine

_SAME = (
    "account_tax_ids", "automatic_tax", "custom_fields", "default_payment_method", "default_source",
    "default_tax_rates", "description",
    "footer", "issuer", "metadata", "on_behalf_of", "parent", "payment_settings", "rendering", "shipping_cost",
    "shipping_details",
    "statement_descriptor",
)  # fmt: skip


def revise(call: Call, id: str) -> StoredInvoice:
    """Return a draft that copies an invoice, with ``from_invoice``; not stored.

    Raises ApiError 400 if the invoice does not exist, is not open, or has a revision already.
    """
    original = call.objects.get(kinds.INVOICE, id, "from_invoice[invoice]")
    if original["status"] != "open":
        raise invalid(
            f"You can only revise open invoices. This invoice has a status of {original['status']}.",
            "from_invoice[invoice]",
        )
    if original["latest_revision"] is not None:
        raise invalid(
            "This invoice has been revised already. Revise its latest revision instead.", "from_invoice[invoice]"
        )
    customer = customer_of(call, original)
    call = clock.for_customer(call, customer)
    due = original["due_date"]
    copied: Mapping[str, Any] = call.objects.copy(original)
    invoice = new_invoice(
        call,
        customer,
        Bill(
            currency=original["currency"],
            reason="manual",
            lines=[_line(call, original, line) for line in lines_of(original)],
            discounts=original["discounts"],
            period=(original["period_start"], original["period_end"]),
        ),
        collection_method=original["collection_method"],
        days_until_due=original["_days"] if due is not None else None,
        **{name: copied[name] for name in _SAME},
    )
    invoice["from_invoice"] = {"action": "revision", "invoice": original["id"]}
    return invoice


def _line(call: Call, original: StoredInvoice, line: StoredLine) -> StoredLine:
    """Return a copy of a line for the revision."""
    made = call.objects.copy(line)
    made["id"] = call.ids.new("il")
    kept = original.get("_lines", {}).get(line["id"])
    made["_rates"] = list(kept["rates"]) if kept else []
    made["_taxes"] = manual_taxes.of_line(original, line["id"])
    return made
