"""Customers: whom payments belong to.

    created ──update──▶ created ──delete──▶ deleted   (a deleted one is still retrievable, as ``deleted: true``)
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.wire import Call, Endpoint, Json, Params, Resource, blank, listing, retrieve

PERMISSION = Permission("customer", "Customers", "Core")


def create(call: Call, params: Params) -> Json:
    """Create a customer."""
    customer = blank("customer", id=call.ids.new("cus"), created=call.now, livemode=call.livemode, invoice_prefix=call.ids.text(8).upper())
    customer.update(params)
    return call.objects.insert(customer, "customer.created")


def update(call: Call, params: Params) -> Json:
    """Change a customer; metadata is merged."""
    customer = call.objects.get("customer", call.path["customer"])
    customer.update(params)
    return call.objects.save(customer, "customer.updated")


CUSTOMER = Resource(
    object="customer",
    prefix="cus",
    permission=PERMISSION,
    indexed=("email", "test_clock"),
    endpoints=(
        listing("customer", "/v1/customers"),
        Endpoint("POST", "/v1/customers", create),
        retrieve("customer", "/v1/customers/{customer}"),
        Endpoint("POST", "/v1/customers/{customer}", update),
    ),
    title="Customers",
    columns=("name", "email", "id", "created"),
)
