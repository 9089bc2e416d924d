"""Discounts: a coupon in force for a customer, a subscription, an invoice or one line.

in force ──used once, or its months are over, or removed──▶ ended
"""

from __future__ import annotations

from tollkey.payments.catalog.coupons import PERMISSION
from tollkey.payments.catalog.redemption import remove
from tollkey.payments.shared import permissions
from tollkey.wire import Call, Change, Endpoint, Json, Params, Resource, invalid, missing_object, records


def retrieve_customers(call: Call, params: Params) -> Json:
    """The discount in force for a customer."""
    customer = call.objects.get("customer", call.path["customer"])
    if not customer.get("discount"):
        raise missing_object("discount for customer", customer["id"], "customer", in_path=True)
    return call.objects.get("discount", customer["discount"]["id"])


def retrieve_subscriptions(call: Call, params: Params) -> Json:
    """The discount in force for a customer's subscription; the first of several."""
    id = call.path["subscription_exposed_id"]
    subscription = call.objects.get("subscription", id)
    if subscription["customer"] != call.path["customer"]:
        raise call.objects.missing("subscription", id)
    if not subscription["discounts"]:
        raise invalid(f"No active discount for subscription: {id}", code="resource_missing")
    return call.objects.get("discount", subscription["discounts"][0])


def delete_customers(call: Call, params: Params) -> Json:
    """Remove the discount of a customer."""
    customer = call.objects.get("customer", call.path["customer"])
    if not customer.get("discount"):
        raise missing_object("discount for customer", customer["id"], "customer", in_path=True)
    discount = call.objects.get("discount", customer["discount"]["id"])
    answer = remove(call, discount)
    customer["discount"] = None
    call.objects.save(customer, "customer.updated")
    return answer


def delete_subscriptions(call: Call, params: Params) -> Json:
    """Remove the discounts of a subscription."""
    name = "subscription_exposed_id" if "subscription_exposed_id" in call.path else "subscription"
    subscription = call.objects.get("subscription", call.path[name])
    if not subscription["discounts"]:
        raise invalid(f"No active discount for subscription: {subscription['id']}", code="resource_missing")
    answer: Json = {}
    for id in subscription["discounts"]:
        answer = remove(call, call.objects.get("discount", id))
    subscription["discounts"] = []
    call.objects.save(subscription, "customer.subscription.updated")
    return answer


def _coupon_inside(call: Call, discount: Json) -> None:
    """Before 2025-09-30 a discount showed its whole coupon."""
    coupon = (discount.get("source") or {}).get("coupon")
    if isinstance(coupon, str):
        found = call.objects.find("coupon", coupon)
        kept = (call.objects.find("discount", discount["id"]) or {}).get("_coupon") or {}
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
