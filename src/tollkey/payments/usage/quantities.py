"""How much a metered subscription item was used in a period: from usage records, or from a billing meter's events."""

from __future__ import annotations

from decimal import Decimal

from tollkey.payments.usage.events import measured
from tollkey.wire import Call, Json


def used(call: Call, subscription: Json, item: Json, period: tuple[int, int]) -> int:
    """The quantity to bill for a period (start included, end not), in whole units rounded up.

    A price with a meter asks the meter; another sums, takes the last or the greatest of its usage records, as its plan
    says.
    """
    recurring = item["price"]["recurring"]
    if recurring["meter"] is not None:
        meter = call.objects.find("billing.meter", recurring["meter"])
        if meter is None:
            return 0
        amount = measured(call, meter, subscription["customer"], *period)
        return int(amount.to_integral_value()) if amount == amount.to_integral_value() else int(amount) + 1
    records = [record for record in item.get("_usage") or [] if period[0] <= record["timestamp"] < period[1]]
    if not records:
        return 0
    price = call.objects.find("price", item["price"]["id"]) or {}
    how = price.get("_aggregate_usage") or "sum"
    if how == "max":
        return int(max(record["quantity"] for record in records))
    if how.startswith("last"):
        return int(max(records, key=lambda record: record["timestamp"])["quantity"])
    return int(sum(Decimal(record["quantity"]) for record in records))
