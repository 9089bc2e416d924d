"""Updates of subscription items when the name or metadata of their price changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.catalog.pricing import plan_of
from tollkey.wire import Call
from tollkey.wire.kinds import Kind
from tollkey.wire.objects import public

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem

_ITEM: Kind[StoredSubscriptionItem] = Kind("subscription_item")
_SUBSCRIPTION: Kind[StoredSubscription] = Kind("subscription")


def refresh_items(call: Call, price: StoredPrice) -> None:
    """Copy a changed price into the subscription items that use it, and into their subscriptions. Emits no event."""
    if not price["recurring"]:
        return
    for item in call.objects.query(_ITEM, {"price.id": price["id"]}, limit=10_000):
        item["price"], item["plan"] = public(price), plan_of(price)
        call.objects.save(item)
        subscription = call.objects.find(_SUBSCRIPTION, item["subscription"])
        if subscription is not None:
            entries = subscription["items"]["data"]
            subscription["items"]["data"] = [
                call.objects.copy(item) if entry["id"] == item["id"] else entry for entry in entries
            ]
            if subscription.get("plan") is not None:
                subscription["plan"] = plan_of(price)
            call.objects.save(subscription)
