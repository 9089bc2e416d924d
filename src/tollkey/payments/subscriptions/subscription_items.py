"""Subscription items: the prices of a subscription, each with its quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.shared import clock, providers
from tollkey.payments.subscriptions import changes, kinds, rules, versions
from tollkey.payments.subscriptions.items import load
from tollkey.payments.subscriptions.subscriptions import PERMISSION
from tollkey.wire import ApiError, Call, Endpoint, Page, Params, Resource
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import list_page, retrieve

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import operations

_ID = re.compile(r"si_[A-Za-z0-9]{14,}")
_BILLING = ("payment_behavior", "proration_behavior", "proration_date", "prorate", "off_session")


def _subscription(call: Call, id: str, param: str | None = None) -> tuple[Call, StoredSubscription]:
    """Return the call at the subscription's time, and the subscription. param: its name in the error."""
    subscription = call.objects.get(kinds.SUBSCRIPTION, id, param)
    return clock.for_customer(call, call.objects.find(kinds.CUSTOMER, subscription["customer"])), subscription


def _split(params: Mapping[str, Any]) -> tuple[Params, Params]:
    """Split the parameters into those about billing and those of the item."""
    billing = {name: params[name] for name in _BILLING if name in params}
    return billing, {name: value for name, value in params.items() if name not in (*_BILLING, "subscription")}


def _change(call: Call, subscription: StoredSubscription, billing: Params, entry: Params) -> None:
    """Change one item with an update of its subscription; errors name the item's parameters as this endpoint does."""
    change = {**billing, "items": [entry]}
    try:
        rules.check_change(call, subscription, change)
        rules.check_whole(call, changes.update(call, subscription, change), change)
    except ApiError as problem:
        problem.param = re.sub(r"^items\[0\]\[(\w+)\]", r"\1", problem.param) if problem.param else None
        raise


def create(call: Call, params: operations.PostSubscriptionItems) -> StoredSubscriptionItem:
    """Add an item to a subscription, with prorations."""
    call, subscription = _subscription(call, params["subscription"], "subscription")
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise call.objects.missing(kinds.SUBSCRIPTION, subscription["id"], path_param="subscription")
    known = {item["id"] for item in load(call, subscription)}
    billing, entry = _split(params)
    _change(call, subscription, billing, entry)
    return next(item for item in load(call, subscription) if item["id"] not in known)


def update(call: Call, params: operations.PostSubscriptionItemsItem) -> StoredSubscriptionItem:
    """Change an item's price, quantity or metadata, with prorations."""
    item = call.objects.get(kinds.SUBSCRIPTION_ITEM, call.path["item"])
    call, subscription = _subscription(call, item["subscription"])
    billing, entry = _split(params)
    _change(call, subscription, billing, {"id": item["id"], **entry})
    return call.objects.get(kinds.SUBSCRIPTION_ITEM, item["id"])


def delete(call: Call, params: operations.DeleteSubscriptionItemsItem) -> Deleted:
    """Remove an item from its subscription, with prorations."""
    item = call.objects.get(kinds.SUBSCRIPTION_ITEM, call.path["item"])
    call, subscription = _subscription(call, item["subscription"])
    billing, entry = _split(params)
    _change(call, subscription, billing, {**entry, "id": item["id"], "deleted": True})
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def list_items(call: Call, params: operations.GetSubscriptionItems) -> Page:
    """List the items of a subscription."""
    subscription = call.objects.get(kinds.SUBSCRIPTION, params["subscription"], "subscription")
    return list_page(
        call, kinds.SUBSCRIPTION_ITEM, params, {"subscription": subscription["id"]}, url="/v1/subscription_items"
    )


def _malformed(id: str, livemode: bool) -> ApiError | None:
    """Return the 404 for a text that has not the form of an item's id."""
    if _ID.fullmatch(id):
        return None
    return ApiError(404, message=f"Invalid subscription_item id: {id}")


SUBSCRIPTION_ITEM = Resource(
    object="subscription_item",
    prefix="si",
    permission=PERMISSION,
    live=records(providers.UNPAID),
    path_param="item",
    unknown=_malformed,
    indexed=("subscription", "price.id"),
    endpoints=(
        Endpoint("GET", "/v1/subscription_items", list_items),
        Endpoint("POST", "/v1/subscription_items", create, removed=versions.ITEM_REMOVED),
        retrieve("subscription_item", "/v1/subscription_items/{item}"),
        Endpoint("POST", "/v1/subscription_items/{item}", update, removed=versions.ITEM_REMOVED),
        Endpoint("DELETE", "/v1/subscription_items/{item}", delete),
    ),
    title="Subscription items",
)
