"""Manual tax amounts: taxes of invoice lines that the caller computed. They are shown and added as they are given.

Source: the guide "Manual tax amounts" of docs.stripe.com/invoicing/taxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic
from tollkey.payments.invoices import kinds
from tollkey.payments.shared import fields
from tollkey.payments.tax import automatic
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice, TaxEntry
    from tollkey.payments.tax.stored import StoredTaxRate

#: Two tax rates that agree in these are one.
_SAME = ("percentage", "inclusive", "display_name", "jurisdiction", "country", "state", "tax_type")
_SHOWN = ("country", "description", "display_name", "jurisdiction", "jurisdiction_level", "state", "tax_type")
_NO_REASON = "not_available"


def tax_amounts(call: Call, wanted: Iterable[Mapping[str, Any]]) -> list[TaxEntry]:
    """Return the taxes that ``tax_amounts`` of a line describe; their tax rates are found or stored."""
    return [
        _entry(one, _rate(call, one["tax_rate_data"]), fields.given(one, "taxability_reason", _NO_REASON))
        for one in wanted
    ]


def of_line(invoice: StoredInvoice, line: str) -> list[TaxEntry]:
    """Return the manual taxes of a line (its id); empty without any."""
    kept = invoice.get("_lines", {}).get(line)
    return list(kept.get("taxes") or ()) if kept else []


def to_compute(call: Call, taxes: Iterable[TaxEntry]) -> list[arithmetic.Tax]:
    """Return manual taxes in the form that the arithmetic of invoices uses."""
    made = []
    for tax in taxes:
        assert tax["tax_rate_details"] is not None, "manual taxes have tax rates"
        rate = automatic.rate_of(call, tax["tax_rate_details"]["tax_rate"])
        made.append(arithmetic.Tax(rate, tax["amount"], tax["taxable_amount"] or 0))
    return made


def check_rates(call: Call, ids: Iterable[str], param: str) -> None:
    """Raise ApiError 400 for a tax rate that was created automatically: only credit notes may name those."""
    for place, id in enumerate(ids):
        rate = call.objects.find(kinds.TAX_RATE, id)
        if rate is not None and rate.get("_automatic") is not None:
            raise invalid(
                f"The tax rate `{id}` was created automatically, so it cannot be used here.", f"{param}[{place}]"
            )


def of_rates(call: Call, wanted: Iterable[Mapping[str, Any]], named: str) -> list[TaxEntry]:
    """Return the taxes that ``tax_amounts`` of a line of a credit note describe.

    named: the line in messages, ``lines[0]``. Raises ApiError 400 for a tax rate that was not created automatically.
    """
    made = []
    for place, one in enumerate(wanted):
        param = f"{named}[tax_amounts][{place}][tax_rate]"
        rate = call.objects.get(kinds.TAX_RATE, one["tax_rate"], param)
        if rate.get("_automatic") is None:
            raise invalid(f"The tax rate `{rate['id']}` was not created automatically.", param)
        made.append(_entry(one, rate, _NO_REASON))
    return made


def _entry(given: Mapping[str, Any], rate: StoredTaxRate, reason: str) -> TaxEntry:
    return {
        "amount": given["amount"],
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": reason,
        "taxable_amount": given["taxable_amount"],
        "type": "tax_rate_details",
    }


def _rate(call: Call, data: Mapping[str, Any]) -> StoredTaxRate:
    """Return the archived tax rate of these data; the same data give the same rate."""
    key = "|".join(["manual", *(str(data.get(name)) for name in _SAME)])
    shown = {name: data[name] for name in _SHOWN if name in data}
    return automatic.archived_rate(call, key, float(data["percentage"]), inclusive=data["inclusive"], shown=shown)
