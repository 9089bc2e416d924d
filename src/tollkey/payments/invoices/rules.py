"""Rules between the parameters of an invoice, its lines or a credit note, and other objects.

Source: the sentences of Stripe's specification that ``tests/payments/invoices/spec_rules.jsonl`` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic
from tollkey.payments.charges import splitting
from tollkey.payments.invoices import kinds, manual_taxes
from tollkey.payments.invoices.lines import details_of, lines_of
from tollkey.payments.methods import customer_sources, instruments
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice, StoredLine
    from tollkey.wire import operations

MOST_ITEMS = 250
_MOST_TAXES, _YEARS = 10, 5
_CARD = "payment_settings[payment_method_options][card][installments][plan]"
_PERMISSIONS = "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions]"


def check_settings(call: Call, params: operations.PostInvoices | operations.PostInvoicesInvoice, customer: str) -> None:
    """Raise ApiError 400 for invalid settings of an invoice, or ones that name objects of another customer.

    customer: an id.
    """
    own = call.account == call.platform and not value_at(params, "transfer_data.destination")
    if params.get("application_fee_amount") and own:
        raise invalid(
            "Can only apply an application_fee_amount when the request is made with an OAuth key or the"
            " Stripe-Account header, or with `transfer_data[destination]`.",
            "application_fee_amount",
        )
    destination = value_at(params, "transfer_data.destination")
    if params.get("application_fee_amount") and value_at(params, "transfer_data.amount") is not None:
        raise exclusive("application_fee_amount", "transfer_data[amount]")  # as on the PaymentIntent
    if destination:
        splitting.check_destination(call, destination, params.get("on_behalf_of"))
    behalf = params.get("on_behalf_of")
    if behalf:
        splitting.check_on_behalf_of(call, behalf)
    fields.check_future(call, params, "due_date", "automatically_finalizes_at")
    at = params.get("automatically_finalizes_at")
    if at is not None and at > arithmetic.shift(call.now, "year", _YEARS):
        raise invalid("Invalid timestamp: can be no more than five years in the future", "automatically_finalizes_at")
    descriptor = params.get("statement_descriptor")
    if descriptor and not any(letter.isalpha() for letter in descriptor):
        raise invalid("The statement descriptor must contain at least one letter.", "statement_descriptor")
    _check_payment_settings(params)
    mandate = value_at(params, "payment_settings.default_mandate")
    if mandate and "mandate" in call.setup.tables.of:
        call.objects.get(kinds.MANDATE, mandate, "payment_settings[default_mandate]")
    _check_method(call, params, customer)


def check_time(params: operations.PostInvoices | operations.PostInvoicesInvoice, advances: bool) -> None:
    """Raise ApiError 400 for a time at which nothing would happen, as the invoice does not advance by itself."""
    if params.get("automatically_finalizes_at") is not None and not advances:
        raise invalid(
            "You can only set `automatically_finalizes_at` when `auto_advance` is true.", "automatically_finalizes_at"
        )


def _check_payment_settings(params: operations.PostInvoices | operations.PostInvoicesInvoice) -> None:
    """Raise ApiError 400 for incomplete options of a payment method type."""
    options = value_at(params, "payment_settings.payment_method_options")
    plan = value_at(options, "card.installments.plan")
    if plan and plan.get("type") == "fixed_count" and plan.get("count") is None:
        raise missing_param(f"{_CARD}[count]")
    permissions = value_at(options, "us_bank_account.financial_connections.permissions")
    if permissions and "payment_method" not in permissions:
        raise invalid("The `payment_method` permission must be included.", _PERMISSIONS)


def _check_method(call: Call, params: operations.PostInvoices | operations.PostInvoicesInvoice, customer: str) -> None:
    """Raise ApiError 400 unless default payment method and source belong to the customer."""
    id = params.get("default_payment_method")
    if id and "payment_method" in call.setup.tables.of:
        method = instruments.resolve_payment_method(call, id, "default_payment_method")
        if method.get("customer") != customer:
            raise instruments.not_attached(id, "default_payment_method")
    source = params.get("default_source")
    if source:
        customer_sources.source_of(call, customer, source, "default_source")


def check_line(invoice: StoredInvoice, line: StoredLine, wanted: Mapping[str, Any], param: str) -> None:
    """Raise ApiError 400 for a change that a line of a draft does not allow.

    param: the line's path in errors, ``lines[0]``; empty if the parameters are those of the line.
    """

    def named(name: str) -> str:
        return f"{param}[{name}]" if param else name

    if wanted.get("discountable") and details_of(line).get("proration"):
        raise invalid("You cannot set `discountable` to true for prorations.", named("discountable"))
    if wanted.get("tax_rates") and "tax_amounts" not in wanted and manual_taxes.of_line(invoice, line["id"]):
        raise invalid("You cannot set `tax_rates` on a line item that has `tax_amounts`.", named("tax_rates"))
    taxes = wanted.get("tax_amounts")
    if not taxes:
        return
    if len(taxes) > _MOST_TAXES:
        raise invalid(f"Array tax_amounts exceeded maximum {_MOST_TAXES} allowed elements.", named("tax_amounts"))
    for place, tax in enumerate(taxes):
        percentage = Decimal(str(value_at(tax, "tax_rate_data.percentage") or 0))
        if not 0 <= percentage <= 100 or percentage != round(percentage, 4):
            raise invalid(
                "A percentage must be between 0 and 100, with at most 4 decimal places.",
                named("tax_amounts") + f"[{place}][tax_rate_data][percentage]",
            )
    has = (
        "`automatic_tax`"
        if invoice["automatic_tax"]["enabled"]
        else "`default_tax_rates`"
        if invoice["default_tax_rates"]
        else "line items with `tax_rates`"
        if wanted.get("tax_rates") or any(kept["rates"] for kept in invoice.get("_lines", {}).values())
        else None
    )
    if has is not None:
        raise invalid(f"You cannot set `tax_amounts` on an invoice that has {has}.", named("tax_amounts"))


def check_automatic_tax(invoice: StoredInvoice, param: str = "automatic_tax", line: StoredLine | None = None) -> None:
    """Raise ApiError 400 for tax rates or negative invoice items on an invoice with automatic tax.

    line: the only line to check, None for the whole invoice. param: the parameter that the error names. Prorations may
    be negative. Source: ``automatic_tax[enabled]`` of invoices in Stripe's OpenAPI document.
    """
    if not invoice["automatic_tax"]["enabled"]:
        return
    if line is None and invoice["default_tax_rates"]:
        raise invalid("You cannot use `default_tax_rates` when `automatic_tax` is enabled.", param)
    kept = invoice.get("_lines", {})
    for one in lines_of(invoice) if line is None else [line]:
        own = one.get("_rates") or (kept[one["id"]]["rates"] if one["id"] in kept else ())
        if own:
            raise invalid("Invoice items with `tax_rates` cannot be added to invoices with automatic tax.", param)
        if one["amount"] < 0 and details_of(one).get("invoice_item") and not details_of(one).get("proration"):
            raise invalid("Invoice items with negative amounts cannot be added to invoices with automatic tax.", param)


def check_room(invoice: StoredInvoice) -> None:
    """Raise ApiError 400 if an invoice has the largest number of items."""
    if len(lines_of(invoice)) >= MOST_ITEMS:
        raise invalid(f"An invoice can have at most {MOST_ITEMS} items.", "invoice")


#: Parameters of a credit note's line -> the only type of line that may have them.
_ONLY_OF = {
    "amount": "invoice_line_item",
    "invoice_line_item": "invoice_line_item",
    "description": "custom_line_item",
    "tax_rates": "custom_line_item",
    "unit_amount": "custom_line_item",
    "unit_amount_decimal": "custom_line_item",
}


def check_credit_line(invoice: StoredInvoice, entry: Mapping[str, Any], param: str) -> None:
    """Raise ApiError 400 for parameters that the type of a credit note's line does not allow.

    param: the line's path in errors, ``lines[0]``.
    """
    kind = entry["type"]
    for name, only in _ONLY_OF.items():
        if entry.get(name) not in (None, "", []) and kind != only:
            raise invalid(f"`{name}` is only valid for lines with `type={only}`.", f"{param}[{name}]")
    if invoice["automatic_tax"]["enabled"] and kind == "custom_line_item":
        raise invalid("Custom line items cannot be credited on an invoice with automatic tax.", f"{param}[type]")
    if entry.get("tax_amounts") and (invoice["automatic_tax"]["enabled"] or entry.get("tax_rates")):
        raise invalid(
            "You cannot set `tax_amounts` together with `tax_rates` or on an invoice with automatic tax.",
            f"{param}[tax_amounts]",
        )


def check_mandate(call: Call, mandate: str, method: str | None) -> None:
    """Raise ApiError 400 unless a mandate belongs to the payment method that pays. method: its id, or None."""
    if "mandate" not in call.setup.tables.of:
        return
    found = call.objects.get(kinds.MANDATE, mandate, "mandate")
    if found["payment_method"] != method:
        raise invalid("The mandate must correspond to the payment method used to pay the invoice.", "mandate")
