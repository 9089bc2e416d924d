"""The upcoming invoice of API versions before 2025-03-31: a preview under another path and with other parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from tollkey.payments.subscriptions.previews import preview_of
from tollkey.wire import Call, Endpoint, P, Page, Params
from tollkey.wire.pages import page_of_list
from tollkey.wire.params import Param, item_of, operation_params
from tollkey.wire.resource import MoreEndpoints

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import StoredInvoice
    from tollkey.wire import operations

_OLD = "subscription_"
#: Hashes that these versions took as previews do today. Stripe's document of today does not have the older operation.
_HASHES = (
    "automatic_tax", "customer_details", "discounts", "invoice_items", "issuer", "schedule_details",
    "subscription_details",
)  # fmt: skip


@cache
def _nodes() -> dict[str, Param]:
    """Return the types of the hashes, by their older names."""
    today = operation_params("POST", "/v1/invoices/create_preview")
    item = item_of(today, "subscription_details", "items").extended({"plan": P.string()})
    return {**{name: today.fields[name] for name in _HASHES}, "subscription_items": P.array(item)}


def upcoming(call: Call, params: operations.GetInvoicesUpcoming) -> StoredInvoice:
    """Return the upcoming invoice, as versions before 2025-03-31 do."""
    return _upcoming(call, params)


def _upcoming(call: Call, params: Mapping[str, Any]) -> StoredInvoice:
    """Return the upcoming invoice.

    The parameters ``subscription_*`` are fields of the present ``subscription_details``. Raises ApiError 400 with the
    path of a value in a hash that is not one.
    """
    nodes = _nodes()
    params = {
        name: nodes[name].read(value, (None, name)) if name in nodes and value is not None else value
        for name, value in params.items()
    }
    details: Params = {
        name.removeprefix(_OLD): value
        for name, value in params.items()
        if name.startswith(_OLD) and name != "subscription_details"
    }
    details = {**details, **(params.get("subscription_details") or {})}
    rest = {name: value for name, value in params.items() if not name.startswith(_OLD)}
    return preview_of(call, {**rest, "subscription_details": details}, "upcoming")


def upcoming_lines(call: Call, params: operations.GetInvoicesUpcomingLines) -> Page:
    """List the lines of the upcoming invoice."""
    invoice = _upcoming(
        call,
        {name: value for name, value in params.items() if name not in ("limit", "starting_after", "ending_before")},
    )
    return page_of_list(invoice["lines"]["data"], "/v1/invoices/upcoming/lines", params)


UPCOMING_INVOICES = MoreEndpoints(
    of="invoice",
    endpoints=(
        Endpoint("GET", "/v1/invoices/upcoming", upcoming, makes=True, until="2025-03-31"),
        Endpoint("GET", "/v1/invoices/upcoming/lines", upcoming_lines, makes=True, until="2025-03-31"),
    ),
)
