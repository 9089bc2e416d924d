"""The settings of a draft, besides its lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import rendering as catalog_rendering
from tollkey.payments.charges import splitting
from tollkey.payments.invoices.shipping import shipping_cost
from tollkey.payments.shared import fields
from tollkey.payments.tax import automatic, tax_ids
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import operations

_FIELDS = (
    "account_tax_ids",
    "automatic_tax",
    "custom_fields",
    "default_payment_method",
    "default_source",
    "description",
    "effective_at",
    "footer",
    "on_behalf_of",
    "shipping_details",
    "statement_descriptor",
)


def check_sending(
    params: operations.PostInvoices | operations.PostInvoicesInvoice, invoice: StoredInvoice | None
) -> None:
    """Check the parameters about the due date of an invoice that is sent to the customer.

    invoice: the one to change; None for a new one. Raises ApiError 400 if they contradict each other.
    """
    usual = (invoice["collection_method"] if invoice else None) or params.get("billing") or "charge_automatically"
    sends = fields.given(params, "collection_method", usual) == "send_invoice"
    if params.get("days_until_due") is not None and params.get("due_date") is not None:
        raise exclusive("days_until_due", "due_date", param="due_date")
    dated = params.get("days_until_due") is not None or params.get("due_date") is not None
    if not sends and dated:
        raise invalid(
            "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'."
        )
    if sends and invoice is None and not dated:
        raise invalid(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
        )


def apply_settings(call: Call, invoice: StoredInvoice, params: Mapping[str, Any]) -> None:
    """Apply the settings in the parameters to a draft; the caller computes its totals and stores it.

    Raises ApiError 400 if a parameter names an object that does not exist.
    """
    tax_ids.check_account_ids(call, params)
    splitting.check_references(call, params)
    fields.assign_with_metadata(invoice, {name: value for name, value in params.items() if name != "metadata"}, _FIELDS)
    if "automatic_tax" in params:
        enabled = bool((params["automatic_tax"] or {}).get("enabled"))
        invoice["automatic_tax"] = {
            "disabled_reason": None,
            "enabled": enabled,
            "liability": automatic.liability_of(params["automatic_tax"]),
            "provider": None,
            "status": None,
        }
    if params.get("automatically_finalizes_at") is not None:
        invoice["automatically_finalizes_at"] = params["automatically_finalizes_at"]
    if params.get("due_date") is not None:
        invoice["due_date"] = params["due_date"]
    if params.get("number"):
        invoice["number"] = params["number"]
    shown = params.get("rendering") or params.get("rendering_options")  # its name in versions before 2024-04-10
    if shown:
        invoice["rendering"] = catalog_rendering.rendering(call, invoice["rendering"], shown)
    if "shipping_cost" in params:
        invoice["shipping_cost"] = shipping_cost(call, invoice, params["shipping_cost"])
    if params.get("payment_settings"):
        invoice["payment_settings"] = {**invoice["payment_settings"], **params["payment_settings"]}
    if "application_fee_amount" in params or "application_fee" in params:
        invoice["_application_fee"] = fields.given(params, "application_fee_amount", params.get("application_fee"))
    if "transfer_data" in params:
        invoice["_transfer_data"] = params["transfer_data"]
    if params.get("issuer"):
        invoice["issuer"] = params["issuer"]
