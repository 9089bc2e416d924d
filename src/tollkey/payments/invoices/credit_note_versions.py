"""Credit notes and their lines in older API versions."""

from __future__ import annotations

from collections.abc import MutableMapping
from decimal import Decimal
from typing import Any

from tollkey.payments.catalog import pricing
from tollkey.payments.invoices import kinds
from tollkey.payments.invoices.versions import tax_amount
from tollkey.wire import Call
from tollkey.wire.removed import removed_since
from tollkey.wire.versions import Change


def _one_refund(call: Call, note: MutableMapping[str, Any]) -> None:
    """Add ``refund`` and ``tax_amounts``, which credit notes had before 2025-03-31."""
    refunds = note.get("refunds") or []
    note["refund"] = refunds[0]["refund"] if refunds else None
    note["tax_amounts"] = [tax_amount(tax) for tax in note.get("total_taxes") or []]


def _taxed_line(call: Call, line: MutableMapping[str, Any]) -> None:
    """Add tax amounts, tax rates and amounts excluding tax, which lines had before 2025-03-31."""
    taxes = line.get("taxes") or []
    excluding = line["amount"] - sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    rates = [tax["tax_rate_details"]["tax_rate"] for tax in taxes if tax.get("tax_rate_details")]
    line.update(
        {
            "amount_excluding_tax": excluding,
            "tax_amounts": [tax_amount(tax) for tax in taxes],
            "tax_rates": [
                call.objects.copy(rate) for rate in (call.objects.find(kinds.TAX_RATE, id) for id in rates) if rate
            ],
            "unit_amount_excluding_tax": pricing.decimal_text(Decimal(excluding) / line["quantity"])
            if line.get("quantity")
            else None,
        }
    )


#: Removed parameters of new credit notes and their previews.
CREATE_REMOVED = removed_since("2025-03-31", "refund")
CHANGES = (Change("2025-03-31", _one_refund),)
LINE_CHANGES = (Change("2025-03-31", _taxed_line),)
