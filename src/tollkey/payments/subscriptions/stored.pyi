"""What this room stores, with its private fields."""

from typing import NotRequired, TypedDict

from tollkey.wire import api

class UsageRecord(TypedDict):
    """Usage that an integration has reported. timestamp: UTC epoch seconds. quantity: units."""

    timestamp: int
    quantity: int

class StoredSubscriptionItem(api.SubscriptionItem):
    """An item of a subscription.

    _usage: what was reported for it, in the order of the reports; absent before the first.
    """

    _usage: NotRequired[list[UsageRecord]]
