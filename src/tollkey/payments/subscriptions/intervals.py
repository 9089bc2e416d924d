"""Billing intervals of the items of one subscription, and which of them may stand together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tollkey.payments.catalog import pricing

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredRecurring
    from tollkey.payments.subscriptions.stored import StoredSubscriptionItem
    from tollkey.wire import api

#: Units of each interval in the unit of its family: days, or months.
_UNITS = {"day": ("day", 1), "week": ("day", 7), "month": ("month", 1), "year": ("month", 12)}
_EVERY_DAY = ("day", 1)


def terms_of(price: api.Price) -> StoredRecurring:
    """``recurring`` of a price that a subscription has."""
    terms = pricing.recurring(price)
    assert terms is not None, "subscriptions have recurring prices only"
    return terms


def interval_of_price(price: api.Price) -> tuple[str, int]:
    """The interval of a price: its unit, and how many of them."""
    terms = terms_of(price)
    return terms["interval"], terms["interval_count"]


def interval_of(item: StoredSubscriptionItem) -> tuple[str, int]:
    """The interval of an item's price."""
    return interval_of_price(item["price"])


def shortest(intervals: Iterable[tuple[str, int]]) -> tuple[str, int]:
    """The shortest of these intervals."""
    return min(intervals, key=lambda one: _days(*one))


def _days(interval: str, count: int) -> float:
    unit, units = _UNITS[interval]
    return units * count * (1 if unit == "day" else 30.4)


def stand_together(intervals: Sequence[tuple[str, int]]) -> bool:
    """Whether each interval is a multiple of the shortest, as those of one subscription in the flexible mode must be.

    Days and weeks are no part of a month, but one day is a part of everything
    (docs.stripe.com/billing/subscriptions/mixed-interval, "Interval alignment").
    """
    least, count = shortest(intervals)
    if (least, count) == _EVERY_DAY:
        return True
    unit, units = _UNITS[least]
    return all(
        _UNITS[interval][0] == unit and _UNITS[interval][1] * times % (units * count) == 0
        for interval, times in intervals
    )
