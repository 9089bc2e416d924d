"""The usage of a metered subscription item in a period: from usage records, or from a billing meter."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tollkey.payments.usage import kinds
from tollkey.payments.usage.events import measured
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscriptionItem
    from tollkey.wire import api


def used(call: Call, subscription: api.Subscription, item: StoredSubscriptionItem, period: tuple[int, int]) -> int:
    """Return the quantity to bill for a period (UTC epoch seconds, end exclusive), rounded up to an integer.

    A price with a meter uses the meter's aggregation; for others, the plan's ``aggregate_usage`` decides how usage
    records are combined.
    """
    recurring = item["price"]["recurring"]
    assert recurring is not None, "a subscription has recurring prices only"
    if recurring["meter"] is not None:
        meter = call.objects.find(kinds.METER, recurring["meter"])
        if meter is None:
            return 0
        amount = measured(call, meter, subscription["customer"], *period)
        return int(amount.to_integral_value()) if amount == amount.to_integral_value() else int(amount) + 1
    records = [record for record in item.get("_usage") or [] if period[0] <= record["timestamp"] < period[1]]
    if not records:
        return 0
    price = call.objects.find(kinds.PRICE, item["price"]["id"])
    how = price.get("_aggregate_usage") if price is not None else None
    how = how or "sum"
    if how == "max":
        return int(max(record["quantity"] for record in records))
    if how.startswith("last"):
        return int(max(records, key=lambda record: record["timestamp"])["quantity"])
    return int(sum(Decimal(record["quantity"]) for record in records))
