"""Discounts: a coupon applied to a customer, a subscription, an invoice or an invoice line.

in force ──used once, or its months are over, or removed──▶ ended
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import kinds
from tollkey.payments.catalog.coupons import PERMISSION
from tollkey.payments.catalog.redemption import remove
from tollkey.payments.shared import permissions
from tollkey.wire import Call, Endpoint, Resource, invalid
from tollkey.wire.errors import missing_object
from tollkey.wire.kinds import Kind
from tollkey.wire.live import records
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import RemovedDiscount, StoredDiscount
    from tollkey.wire import api, operations

_CUSTOMER: Kind[api.Customer] = Kind("customer")
_SUBSCRIPTION: Kind[api.Subscription] = Kind("subscription")


def _discount_of(call: Call, customer: api.Customer) -> StoredDiscount:
    shown = customer.get("discount")
    if not shown:
        raise missing_object("discount for customer", customer["id"], "customer", in_path=True)
    return call.objects.get(kinds.DISCOUNT, shown["id"])


def retrieve_customers(call: Call, params: operations.GetCustomersCustomerDiscount) -> StoredDiscount:
    """Retrieve the discount of a customer."""
    customer = call.objects.get(_CUSTOMER, call.path["customer"])
    return _discount_of(call, customer)


def retrieve_subscriptions(
    call: Call, params: operations.GetCustomersCustomerSubscriptionsSubscriptionExposedIdDiscount
) -> StoredDiscount:
    """Retrieve the first discount of a customer's subscription."""
    id = call.path["subscription_exposed_id"]
    subscription = call.objects.get(_SUBSCRIPTION, id)
    if subscription["customer"] != call.path["customer"]:
        raise call.objects.missing("subscription", id)
    if not subscription["discounts"]:
        raise invalid(f"No active discount for subscription: {id}", code="resource_missing")
    return call.objects.get(kinds.DISCOUNT, subscription["discounts"][0])


def delete_customers(call: Call, params: operations.DeleteCustomersCustomerDiscount) -> RemovedDiscount:
    """Remove the discount of a customer."""
    customer = call.objects.get(_CUSTOMER, call.path["customer"])
    answer = remove(call, _discount_of(call, customer))
    customer["discount"] = None
    call.objects.save(customer, "customer.updated")
    return answer


def delete_subscriptions(
    call: Call,
    params: operations.DeleteCustomersCustomerSubscriptionsSubscriptionDiscount
    | operations.DeleteSubscriptionsSubscriptionExposedIdDiscount,
) -> RemovedDiscount:
    """Remove the discounts of a subscription."""
    name = "subscription_exposed_id" if "subscription_exposed_id" in call.path else "subscription"
    subscription = call.objects.get(_SUBSCRIPTION, call.path[name])
    if call.path.get("customer", subscription["customer"]) != subscription["customer"]:
        raise call.objects.missing("subscription", subscription["id"])
    if not subscription["discounts"]:
        raise invalid(f"No active discount for subscription: {subscription['id']}", code="resource_missing")
    removed = [remove(call, call.objects.get(kinds.DISCOUNT, id)) for id in subscription["discounts"]]
    subscription["discounts"] = []
    call.objects.save(subscription, "customer.subscription.updated")
    return removed[-1]


def _coupon_inside(call: Call, discount: MutableMapping[str, Any]) -> None:
    """Before 2025-09-30 a discount contained its coupon."""
    coupon = (discount.get("source") or {}).get("coupon")
    if isinstance(coupon, str):
        found = call.objects.find(kinds.COUPON, coupon)
        stored = call.objects.find(kinds.DISCOUNT, discount["id"])
        kept: Mapping[str, Any] = (stored and stored.get("_coupon")) or {}
        coupon = call.objects.copy(found) if found else {"id": coupon, "object": "coupon", **kept, "valid": False}
    discount["coupon"] = coupon


DISCOUNT = Resource(
    object="discount",
    prefix="di",
    permission=PERMISSION,
    live=records(),
    indexed=("customer", "subscription"),
    endpoints=(
        Endpoint("GET", "/v1/customers/{customer}/discount", retrieve_customers, permission=permissions.CUSTOMER),
        Endpoint(
            "GET", "/v1/customers/{customer}/subscriptions/{subscription_exposed_id}/discount", retrieve_subscriptions
        ),
        Endpoint("DELETE", "/v1/customers/{customer}/discount", delete_customers, permission=permissions.CUSTOMER),
        Endpoint("DELETE", "/v1/subscriptions/{subscription_exposed_id}/discount", delete_subscriptions),
        Endpoint("DELETE", "/v1/customers/{customer}/subscriptions/{subscription}/discount", delete_subscriptions),
    ),
    changes=(Change("2025-09-30", _coupon_inside),),
    title="Discounts",
)
