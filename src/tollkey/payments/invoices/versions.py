"""Invoices and their lines in older API versions."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import pricing
from tollkey.payments.invoices import kinds
from tollkey.wire import Call
from tollkey.wire.objects import public
from tollkey.wire.removed import removed_since
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredDiscount
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.payments.invoices.stored import OlderTax, TaxEntry


def _intent(call: Call, invoice: Mapping[str, Any]) -> StoredPaymentIntent | None:
    """Return the PaymentIntent of an invoice, else None."""
    stored = call.objects.find(kinds.INVOICE, invoice.get("id") or "")
    id = stored.get("_payment_intent") if stored else None
    return call.objects.find(kinds.PAYMENT_INTENT, id) if id and "payment_intent" in call.setup.tables.of else None


def _single_payment(call: Call, invoice: MutableMapping[str, Any]) -> None:
    """Add the charge, intent, subscription and tax sums that invoices had before 2025-03-31."""
    found = call.objects.find(kinds.INVOICE, invoice.get("id") or "")
    stored: Mapping[str, Any] = found or invoice
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    intent = _intent(call, invoice)
    taxes = [tax_amount(tax) for tax in invoice.get("total_taxes") or []]
    older = {
        "application_fee_amount": stored.get("_application_fee"),
        "charge": intent["latest_charge"] if intent else None,
        "discount": _first_discount(call, invoice),
        "paid": invoice["status"] == "paid",
        "paid_out_of_band": bool(stored.get("_out_of_band")),
        "payment_intent": stored.get("_payment_intent"),
        "quote": ((invoice.get("parent") or {}).get("quote_details") or {}).get("quote"),
        "subscription": details.get("subscription"),
        "subscription_details": {"metadata": details.get("metadata")},
        "tax": sum(tax["amount"] for tax in taxes) if taxes else None,
        "total_tax_amounts": taxes,
        "transfer_data": stored.get("_transfer_data"),
    }
    for name, value in older.items():
        invoice.setdefault(name, value)


def tax_amount(tax: TaxEntry) -> OlderTax:
    """Return a tax in the form of versions before 2025-03-31."""
    details = tax["tax_rate_details"]
    return {
        "amount": tax["amount"],
        "inclusive": tax["tax_behavior"] == "inclusive",
        "tax_rate": details["tax_rate"] if details else None,
        "taxability_reason": None if tax["taxability_reason"] == "not_available" else tax["taxability_reason"],
        "taxable_amount": tax["taxable_amount"],
    }


def _first_discount(call: Call, value: Mapping[str, Any]) -> StoredDiscount | None:
    """Return the first discount of an invoice, else None."""
    entries: Sequence[str | StoredDiscount] = value.get("discounts") or []
    for entry in entries:
        found = call.objects.find(kinds.DISCOUNT, entry) if isinstance(entry, str) else entry
        if found is not None:
            return call.objects.copy(found)
    return None


def _billing(call: Call, invoice: MutableMapping[str, Any]) -> None:
    """Add ``billing``, ``date`` and ``finalized_at``, which invoices had before 2019-03-14."""
    invoice["billing"] = invoice.get("collection_method")
    invoice["date"] = invoice.get("created")
    invoice["finalized_at"] = (invoice.get("status_transitions") or {}).get("finalized_at")


def _closed(call: Call, invoice: MutableMapping[str, Any]) -> None:
    """Add ``closed`` and ``forgiven``, which versions before 2018-11-08 have in place of statuses.

    An invoice is closed when nothing more is tried to collect it.
    """
    idle = invoice.get("status") == "open" and not invoice.get("auto_advance")
    invoice["closed"] = idle or invoice.get("status") in ("paid", "void", "uncollectible")
    invoice["forgiven"] = invoice.get("status") in ("void", "uncollectible")


def _percent(call: Call, invoice: MutableMapping[str, Any]) -> None:
    """Add ``tax_percent`` and ``application_fee``, which invoices had before 2020-08-27."""
    exclusive = [rate for rate in invoice.get("default_tax_rates") or [] if not rate["inclusive"]]
    invoice["tax_percent"] = sum(rate["percentage"] for rate in exclusive) if exclusive else None
    invoice["application_fee"] = invoice.get("application_fee_amount")


#: Parameters of creating and updating invoices that newer versions refuse.
_REMOVED = (
    *removed_since("2019-10-17", "billing"),
    *removed_since("2020-08-27", "tax_percent"),
    *removed_since("2024-04-10", "rendering_options"),
)
CREATE_REMOVED = (*_REMOVED, *removed_since("2020-08-27", "application_fee"), *removed_since("2025-03-31", "coupon"))
UPDATE_REMOVED = (*_REMOVED, *removed_since("2018-11-08", "closed", "forgiven", "paid"))
#: Removed parameters of invoice items.
ITEM_UPDATE_REMOVED = removed_since("2025-03-31", "price", "unit_amount")
ITEM_CREATE_REMOVED = (*ITEM_UPDATE_REMOVED, *removed_since("2025-03-31", "plan"))


def _rendering(call: Call, invoice: MutableMapping[str, Any]) -> None:
    """Replace ``rendering`` by ``rendering_options``, its name before 2024-04-10."""
    shown = invoice.pop("rendering", None)
    invoice["rendering_options"] = None if shown is None else {"amount_tax_display": shown.get("amount_tax_display")}


CHANGES = (
    Change("2025-03-31", _single_payment),
    Change("2024-04-10", _rendering),
    Change("2020-08-27", _percent),
    Change("2019-03-14", _billing),
    Change("2018-11-08", _closed),
)


def _priced_line(call: Call, line: MutableMapping[str, Any]) -> None:
    """Add price, plan, subscription and tax amounts, which lines had before 2025-03-31."""
    parent: Mapping[str, Any] = line.get("parent") or {}
    of_subscription = parent.get("subscription_item_details") or {}
    details = of_subscription or parent.get("invoice_item_details") or {}
    found = call.objects.find(kinds.PRICE, ((line.get("pricing") or {}).get("price_details") or {}).get("price") or "")
    excluding = line["amount"] - sum(tax["amount"] for tax in line["taxes"] if tax["tax_behavior"] == "inclusive")
    unit = Decimal(excluding) / line["quantity"] if line.get("quantity") else None
    invoice = call.objects.find(kinds.INVOICE, line.get("invoice") or "")
    kept = invoice.get("_lines", {}).get(line["id"]) if invoice else None
    rates = kept["rates"] if kept else []
    line.update(
        {
            "amount_excluding_tax": excluding,
            "plan": pricing.plan_of(found) if found and found["recurring"] else None,
            "price": public(found) if found else None,
            "proration": bool(details.get("proration")),
            "proration_details": {"credited_items": (details.get("proration_details") or {}).get("credited_items")},
            "subscription": details.get("subscription"),
            "tax_amounts": [tax_amount(tax) for tax in line["taxes"]],
            "tax_rates": [
                call.objects.copy(rate) for rate in (call.objects.find(kinds.TAX_RATE, id) for id in rates) if rate
            ],
            "type": "subscription" if of_subscription and not details.get("invoice_item") else "invoiceitem",
            "unit_amount_excluding_tax": None if unit is None else pricing.decimal_text(unit),
        }
    )
    if of_subscription:
        line["subscription_item"] = of_subscription["subscription_item"]
    if details.get("invoice_item"):
        line["invoice_item"] = details["invoice_item"]


LINE_CHANGES = (Change("2025-03-31", _priced_line),)
