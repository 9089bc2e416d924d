"""How much a metered subscription item was used in a period: from usage records, or from a billing meter's events."""

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
    """The quantity to bill for a period (start included, end not), in whole units rounded up.

    A price with a meter asks the meter; another sums, takes the last or the greatest of its usage records, as its plan
    says.
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
