"""What callers see of a customer beside its fields: its lists, what an app may see, and older API versions."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.methods import customer_sources
from tollkey.payments.shared import fields
from tollkey.wire import Call
from tollkey.wire.kinds import Kind
from tollkey.wire.objects import first_page
from tollkey.wire.pages import nested_list
from tollkey.wire.removed import removed_since
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.subscriptions.stored import StoredSubscription
    from tollkey.wire import api

_CUSTOMER: Kind[StoredCustomer] = Kind("customer")
_TAX_ID: Kind[api.TaxId] = Kind("tax_id")
_SUBSCRIPTION: Kind[StoredSubscription] = Kind("subscription")
LIVE = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused")
#: Fields of a customer that the mobile SDKs read.
_SHOWN = ("id", "object", "created", "default_source", "description", "email", "livemode", "shipping", "sources")
#: Parameters that newer versions no longer take.
REMOVED = (
    *removed_since("2019-10-17", "account_balance"),
    *removed_since("2019-12-03", "business_vat_id", "tax_info"),
    *removed_since("2020-08-27", "billing", "plan", "prorate", "quantity", "tax_percent", "trial_end"),
    *removed_since("2025-03-31", "coupon", "promotion_code"),
)


def _list(call: Call, customer: Mapping[str, Any], name: str, found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a nested list of a customer: copies of the first ten of the objects found."""
    listed: Mapping[str, Any] = first_page(
        nested_list(found, f"/v1/customers/{customer['id']}/{name}", total_count=len(found))
    )
    return {**listed, "data": [call.objects.copy(value) for value in listed["data"]]}


def sources(call: Call, customer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first page of a customer's legacy payment sources."""
    return _list(call, customer, "sources", customer_sources.sources_of(call, customer["id"]))


def tax_ids(call: Call, customer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first page of a customer's tax IDs; empty in versions that do not know them."""
    known = fields.knows(call, "tax_id")
    found = call.objects.query(_TAX_ID, {"customer": customer["id"]}) if known else []
    return _list(call, customer, "tax_ids", found)


def subscriptions(call: Call, customer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first page of a customer's subscriptions that have not ended."""
    live = call.objects.query(_SUBSCRIPTION, {"customer": customer["id"], "status": list(LIVE)})
    return _list(call, customer, "subscriptions", live)


def client_view(call: Call, customer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of its customer that an app may see: not the balance, billing settings or metadata."""
    return {name: customer[name] for name in _SHOWN if name in customer}


def _with_lists(call: Call, customer: MutableMapping[str, Any]) -> None:
    """Before 2020-08-27 sources, subscriptions and tax ids were included without ``expand``."""
    if customer.get("deleted"):
        return
    customer.setdefault("sources", sources(call, customer))
    customer.setdefault("subscriptions", subscriptions(call, customer))
    customer.setdefault("tax_ids", tax_ids(call, customer))


def _default_currency(call: Call, customer: MutableMapping[str, Any]) -> None:
    """Before 2022-11-15 ``currency`` was repeated as ``default_currency``."""
    if not customer.get("deleted"):
        customer["default_currency"] = customer["currency"]


def _old_names(call: Call, customer: MutableMapping[str, Any]) -> None:
    """Before 2019-10-17 ``balance`` was named ``account_balance``."""
    if not customer.get("deleted"):
        customer["account_balance"] = customer["balance"]


def _tax_info(call: Call, customer: MutableMapping[str, Any]) -> None:
    """Before 2019-12-03 a customer had one tax id in ``tax_info``, which nobody verifies here."""
    if not customer.get("deleted"):
        stored = call.objects.find(_CUSTOMER, customer["id"])
        told = stored.get("_tax_info") if stored is not None else None
        customer["tax_info"] = told
        customer["tax_info_verification"] = {"status": "unverified", "verified_name": ""} if told else None


def _vat_id(call: Call, customer: MutableMapping[str, Any]) -> None:
    """Before 2018-08-23 the tax id stood in ``business_vat_id``."""
    if not customer.get("deleted"):
        customer["business_vat_id"] = (customer.get("tax_info") or {}).get("tax_id")


def _cards(call: Call, customer: MutableMapping[str, Any]) -> None:
    """Before 2015-02-18 ``sources`` was named ``cards``."""
    if customer.get("deleted"):
        return
    listed = customer.get("sources") or sources(call, customer)
    customer["cards"] = {**listed, "url": f"/v1/customers/{customer['id']}/cards"}
    customer["default_card"] = customer["default_source"]


CHANGES = (
    Change("2022-11-15", _default_currency),
    Change("2020-08-27", _with_lists),
    Change("2019-12-03", _tax_info),
    Change("2019-10-17", _old_names),
    Change("2018-08-23", _vat_id),
    Change("2015-02-18", _cards),
)
