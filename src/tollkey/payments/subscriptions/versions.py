"""Subscriptions and their items in older API versions."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from tollkey.payments.subscriptions import kinds
from tollkey.payments.subscriptions.periods import period_of
from tollkey.wire import Call
from tollkey.wire.removed import removed_since
from tollkey.wire.versions import Change


def _one_period(call: Call, subscription: MutableMapping[str, Any]) -> None:
    """Add the period and the single discount that subscriptions had before 2025-03-31."""
    items = (subscription.get("items") or {}).get("data") or []
    stored = call.objects.find(kinds.SUBSCRIPTION, subscription["id"])
    begin, end = (items[0]["current_period_start"], items[0]["current_period_end"]) if items else (None, None)
    if stored is not None and stored.get("_period"):
        begin, end = period_of(stored)
    subscription["current_period_start"], subscription["current_period_end"] = begin, end
    discount = None
    for id in subscription.get("discounts") or []:
        found = call.objects.find(kinds.DISCOUNT, id) if isinstance(id, str) else id
        discount = discount or (call.objects.copy(found) if found else None)
    subscription["discount"] = discount


def _older_names(call: Call, subscription: MutableMapping[str, Any]) -> None:
    """Add ``billing``, ``start`` and ``tax_percent``, which subscriptions had in older versions."""
    subscription["billing"] = subscription.get("collection_method")
    subscription["start"] = subscription.get("start_date")
    exclusive = [rate for rate in subscription.get("default_tax_rates") or [] if not rate["inclusive"]]
    subscription["tax_percent"] = sum(rate["percentage"] for rate in exclusive) if exclusive else None


#: Parameters of subscriptions that newer versions refuse.
REMOVED = (
    *removed_since("2019-10-17", "billing"),
    *removed_since("2020-08-27", "prorate", "tax_percent"),
    *removed_since("2025-03-31", "coupon", "promotion_code"),
)
#: Removed parameters of canceling a subscription.
CANCEL_REMOVED = removed_since("2018-08-23", "at_period_end")
#: Removed parameters of subscription items.
ITEM_REMOVED = removed_since("2020-08-27", "prorate")
#: Removed parameters of subscription schedules.
SCHEDULE_REMOVED = (
    *removed_since("2025-03-31", "phases[].coupon"),
    *removed_since("2025-09-30", "phases[].iterations"),
)


def _one_coupon(call: Call, schedule: MutableMapping[str, Any]) -> None:
    """Before 2025-03-31 a phase had one coupon, in ``coupon``."""
    for phase in schedule.get("phases") or []:
        entry: Mapping[str, Any] = next(iter(phase.get("discounts") or []), {})
        found = call.objects.find(kinds.DISCOUNT, entry.get("discount") or "")
        phase["coupon"] = entry.get("coupon") or (found["source"]["coupon"] if found else None)


CHANGES = (Change("2025-03-31", _one_period), Change("2019-12-03", _older_names))
SCHEDULE_CHANGES = (Change("2025-03-31", _one_coupon),)
