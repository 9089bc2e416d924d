"""Listing, adding, changing and removing lines of a draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import redemption
from tollkey.payments.invoices import kinds, manual_taxes
from tollkey.payments.invoices.drafts import refresh
from tollkey.payments.invoices.invoiceitems import attach, check_amount, check_period, check_price, pricing_of
from tollkey.payments.invoices.lifecycle import customer_of, invoice_of_path
from tollkey.payments.invoices.line_terms import Priced, Terms
from tollkey.payments.invoices.lines import details_of, lines_of, new_line
from tollkey.payments.invoices.rules import check_line, check_room
from tollkey.payments.shared import fields as shared_fields
from tollkey.payments.tax import tax_rates
from tollkey.wire import Call, Page, invalid
from tollkey.wire.errors import missing_object
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.objects import value_at
from tollkey.wire.pages import page_of_list

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice, StoredLine
    from tollkey.wire import operations


def _draft(call: Call) -> tuple[Call, StoredInvoice]:
    """Return the call at the invoice's time, and the draft in the path. Raises ApiError 400 if it is finalized."""
    call, invoice = invoice_of_path(call)
    if invoice["status"] != "draft":
        message = "Invalid invoice: This invoice is no longer editable"
        raise invalid(message, code="invoice_not_editable", retry=False)
    return call, invoice


def _metadata(
    invoice: StoredInvoice,
    params: operations.PostInvoicesInvoiceAddLines
    | operations.PostInvoicesInvoiceUpdateLines
    | operations.PostInvoicesInvoiceRemoveLines,
) -> None:
    """Merge ``invoice_metadata`` into the invoice."""
    if "invoice_metadata" in params:
        invoice["metadata"] = merged_metadata(invoice["metadata"], params["invoice_metadata"])


def _priced(call: Call, invoice: StoredInvoice, wanted: Mapping[str, Any], param: str) -> Priced:
    """Return amount and price of a line. Raises ApiError 400 for a price without the invoice's currency."""
    check_price(call, wanted, param)
    priced = pricing_of(call, wanted, invoice["currency"])
    if priced.currency != invoice["currency"]:
        raise invalid(
            f"The currency of the price ({priced.currency}) must match the invoice's ({invoice['currency']}).",
            f"{param}[pricing][price]" if param else "pricing[price]",
        )
    return priced


def list_lines(call: Call, params: operations.GetInvoicesInvoiceLines) -> Page:
    """List the lines of an invoice in their order."""
    invoice = call.objects.get(kinds.INVOICE, call.path["invoice"])
    return page_of_list(invoice["lines"]["data"], f"/v1/invoices/{invoice['id']}/lines", params)


def add_lines(call: Call, params: operations.PostInvoicesInvoiceAddLines) -> StoredInvoice:
    """Add lines to a draft: pending invoice items, or new amounts."""
    call, invoice = _draft(call)
    for place, wanted in enumerate(params["lines"]):
        if wanted.get("invoice_item"):
            item = call.objects.get(kinds.INVOICE_ITEM, wanted["invoice_item"], f"lines[{place}][invoice_item]")
            if item["invoice"] is not None:
                message = f"The invoice item `{item['id']}` is already attached to the invoice `{item['invoice']}`."
                raise invalid(message, f"lines[{place}][invoice_item]")
            attach(call, item, invoice)
            call.objects.save(item, "invoiceitem.updated")
            continue
        check_room(invoice)
        check_amount(wanted, f"lines[{place}][amount]")
        priced = _priced(call, invoice, wanted, f"lines[{place}]")
        period = wanted.get("period") or {"start": call.now, "end": call.now}
        discounts = redemption.redeem_all(
            call,
            redemption.entries(wanted.get("discounts")),
            param=f"lines[{place}][discounts]",
            customer=customer_of(call, invoice),
            currency=invoice["currency"],
        )
        discountable = shared_fields.given(wanted, "discountable", priced.amount >= 0)
        line = new_line(
            call,
            priced,
            Terms(discountable, discounts, wanted.get("tax_rates") or ()),
            period=(period["start"], period["end"]),
            parent=None,
            description=wanted.get("description") or priced.description,
            metadata=shared_fields.new_metadata(wanted),
        )
        check_line(invoice, line, wanted, f"lines[{place}]")
        _check_rates(call, wanted, f"lines[{place}]", ())
        line["_taxes"] = manual_taxes.tax_amounts(call, wanted.get("tax_amounts") or ())
        line["invoice"] = invoice["id"]
        invoice["lines"]["data"].append(line)
    _metadata(invoice, params)
    refresh(call, invoice)
    return call.objects.save(invoice, "invoice.updated")


def _check_rates(call: Call, wanted: Mapping[str, Any], param: str, used: Iterable[str]) -> None:
    """Raise ApiError 400 for tax rates that a line cannot use. param: its path. used: ids of those that it has."""
    named = f"{param}[tax_rates]" if param else "tax_rates"
    manual_taxes.check_rates(call, wanted.get("tax_rates") or (), named)
    tax_rates.check_active(call, wanted.get("tax_rates"), named, used)


def _change(call: Call, invoice: StoredInvoice, line: StoredLine, wanted: Mapping[str, Any], param: str) -> None:
    """Change a line of a draft. param: the line's path in errors."""
    check_line(invoice, line, wanted, param)
    for name in ("description", "discountable"):
        if name in wanted:
            line[name] = wanted[name]
    if "metadata" in wanted:
        line["metadata"] = merged_metadata(line["metadata"], wanted["metadata"])
    check_period(wanted.get("period"), f"{param}[period]" if param else "period")
    if wanted.get("period"):
        line["period"] = {"start": wanted["period"]["start"], "end": wanted["period"]["end"]}
    kept = invoice.setdefault("_lines", {}).setdefault(line["id"], {"rates": [], "off": None})
    if "tax_rates" in wanted:
        _check_rates(call, wanted, param, kept["rates"])
        kept["rates"] = list(wanted["tax_rates"] or ())
    if "tax_amounts" in wanted:
        kept["taxes"] = manual_taxes.tax_amounts(call, wanted["tax_amounts"] or ())
    if "discounts" in wanted:
        line["discounts"] = redemption.redeem_all(
            call,
            wanted["discounts"] or [],
            param=f"{param}[discounts]",
            customer=customer_of(call, invoice),
            currency=invoice["currency"],
        )
    changes = any(wanted.get(name) is not None for name in ("amount", "price_data", "pricing"))
    counts = any(wanted.get(name) is not None for name in ("quantity", "quantity_decimal"))
    if changes or counts:
        fields = {**({} if counts else {"quantity_decimal": line["quantity_decimal"]}), **wanted}
        if not changes:
            fields["unit_amount_decimal"] = value_at(line, "pricing.unit_amount_decimal") or str(line["amount"])
        priced = _priced(call, invoice, fields, param)
        line["amount"], line["quantity"] = priced.amount, priced.quantity
        line["quantity_decimal"] = priced.quantity_decimal
        if changes or line["pricing"] is None:
            line["pricing"] = priced.pricing


def update_lines(call: Call, params: operations.PostInvoicesInvoiceUpdateLines) -> StoredInvoice:
    """Change several lines of a draft."""
    call, invoice = _draft(call)
    for place, wanted in enumerate(params["lines"]):
        _change(call, invoice, find_line(invoice, wanted["id"], f"lines[{place}][id]"), wanted, f"lines[{place}]")
    _metadata(invoice, params)
    refresh(call, invoice)
    return call.objects.save(invoice, "invoice.updated")


def update_line(call: Call, params: operations.PostInvoicesInvoiceLinesLineItemId) -> StoredLine:
    """Change one line of a draft."""
    call, invoice = _draft(call)
    line = find_line(invoice, call.path["line_item_id"], None)
    _change(call, invoice, line, params, "")
    refresh(call, invoice)
    call.objects.save(invoice, "invoice.updated")
    return line


def remove_lines(call: Call, params: operations.PostInvoicesInvoiceRemoveLines) -> StoredInvoice:
    """Remove lines of a draft; their invoice items are deleted or pending again (``behavior``)."""
    call, invoice = _draft(call)
    for place, wanted in enumerate(params["lines"]):
        line = find_line(invoice, wanted["id"], f"lines[{place}][id]")
        invoice["lines"]["data"].remove(line)
        item = call.objects.find(kinds.INVOICE_ITEM, details_of(line).get("invoice_item") or "")
        if item is not None and wanted["behavior"] == "delete":
            call.objects.delete(item, "invoiceitem.deleted")
        elif item is not None:
            item["invoice"], item["_pending"] = None, True
            call.objects.save(item, "invoiceitem.updated")
    _metadata(invoice, params)
    refresh(call, invoice)
    return call.objects.save(invoice, "invoice.updated")


def find_line(invoice: StoredInvoice, id: str, param: str | None) -> StoredLine:
    """Return the line of an invoice with that id. Raises ApiError if there is none.

    param: the parameter with the id; None if the id is in the path.
    """
    for line in lines_of(invoice):
        if line["id"] == id:
            return line
    raise missing_object("line_item", id, param or "line_item_id", in_path=param is None)
