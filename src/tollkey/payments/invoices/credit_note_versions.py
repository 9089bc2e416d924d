"""What older API versions saw of credit notes and their lines."""

from __future__ import annotations

from collections.abc import MutableMapping
from decimal import Decimal
from typing import Any

from tollkey.payments.catalog import pricing
from tollkey.payments.invoices import kinds
from tollkey.payments.invoices.versions import tax_amount
from tollkey.wire import Call, Change


def _one_refund(call: Call, note: MutableMapping[str, Any]) -> None:
    """Before 2025-03-31 a note named its one refund, and told taxes as amounts of rates."""
    refunds = note.get("refunds") or []
    note["refund"] = refunds[0]["refund"] if refunds else None
    note["tax_amounts"] = [tax_amount(tax) for tax in note.get("total_taxes") or []]


def _taxed_line(call: Call, line: MutableMapping[str, Any]) -> None:
    """Before 2025-03-31 a line told taxes as amounts of rates, and what is left without them."""
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


CHANGES = (Change("2025-03-31", _one_refund),)
LINE_CHANGES = (Change("2025-03-31", _taxed_line),)
