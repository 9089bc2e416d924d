"""The times of a subscription: intervals and periods of its items, its anchor, and its scheduled jobs.

Each item has its own period, and all are counted from one anchor. The period of the subscription is from the latest
start to the earliest end of them (docs.stripe.com/billing/subscriptions/mixed-interval).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic, pricing
from tollkey.payments.subscriptions import jobs
from tollkey.wire import Call, invalid
from tollkey.wire.errors import exclusive
from tollkey.wire.kinds import Job

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredRecurring
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import api

TRIAL_NOTICE = 3 * arithmetic.DAY
UPCOMING_NOTICE = 7 * arithmetic.DAY
#: Each interval as a number of days or of months.
_UNITS = {"day": ("day", 1), "week": ("day", 7), "month": ("month", 1), "year": ("month", 12)}
_EVERY_DAY = ("day", 1)


def terms_of(price: api.Price) -> StoredRecurring:
    """Return ``recurring`` of a price that is known to be recurring."""
    terms = pricing.recurring(price)
    assert terms is not None, "subscriptions have recurring prices only"
    return terms


def interval_of_price(price: api.Price) -> tuple[str, int]:
    """Return the interval of a price: unit and count."""
    terms = terms_of(price)
    return terms["interval"], terms["interval_count"]


def interval_of(item: StoredSubscriptionItem) -> tuple[str, int]:
    """Return the interval of an item's price: unit and count."""
    return interval_of_price(item["price"])


def shortest(intervals: Iterable[tuple[str, int]]) -> tuple[str, int]:
    """Return the shortest of these intervals."""
    return min(intervals, key=lambda one: _days(*one))


def _days(interval: str, count: int) -> float:
    """Return the approximate length of an interval in days."""
    unit, units = _UNITS[interval]
    return units * count * (1 if unit == "day" else 30.4)


def are_multiples(intervals: Sequence[tuple[str, int]]) -> bool:
    """Return whether each interval is a multiple of the shortest, which the flexible mode requires.

    A month is no multiple of days or weeks, but everything is a multiple of one day
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


def period_of(subscription: StoredSubscription) -> tuple[int, int]:
    """Return the current period of a subscription: start and end, UTC epoch seconds."""
    start, end = subscription["_period"]
    return start, end


def period_of_item(item: api.SubscriptionItem) -> arithmetic.Period:
    """Return the current period of an item: start and end, UTC epoch seconds."""
    return arithmetic.Period(item["current_period_start"], item["current_period_end"])


def begin_periods(subscription: StoredSubscription, items: Sequence[StoredSubscriptionItem], at: int) -> None:
    """Set the periods of items to those that contain ``at`` (UTC epoch seconds).

    Before the anchor, a period lasts from ``at`` to the anchor, whatever the interval; the last one ends at
    ``cancel_at``. The caller sets the subscription's period (``span``) or calls ``store_items``, which does.
    """
    anchor = subscription["billing_cycle_anchor"]
    for item in items:
        period = (at, anchor) if at < anchor else arithmetic.period_around(anchor, *interval_of(item), at)
        set_period(item, period)
    if not subscription.get("cancel_at_period_end"):
        cut_short(items, subscription.get("cancel_at"))


def cut_short(items: Sequence[StoredSubscriptionItem], until: int | None) -> None:
    """End the periods of items at ``until`` (UTC epoch seconds) if it lies within them."""
    for item in items:
        start, end = period_of_item(item)
        if until is not None and start < until < end:
            set_period(item, (start, until))


def set_period(item: StoredSubscriptionItem, period: tuple[int, int]) -> None:
    """Set the current period of an item: start and end, UTC epoch seconds."""
    item["current_period_start"], item["current_period_end"] = period


def span(items: Sequence[StoredSubscriptionItem]) -> list[int]:
    """Return the period of a subscription with these items: latest start and earliest end, UTC epoch seconds."""
    return [
        max(item["current_period_start"] for item in items),
        min(item["current_period_end"] for item in items),
    ]


def whole_period(subscription: StoredSubscription, item: StoredSubscriptionItem, at: int) -> arithmetic.Period:
    """Return the full interval of an item's price that contains ``at`` (UTC epoch seconds), counted from the anchor.

    The item's own period may be shorter: the first one before the anchor, or the last one before ``cancel_at``.
    """
    return arithmetic.Period(*arithmetic.period_around(subscription["billing_cycle_anchor"], *interval_of(item), at))


def trial_end_of(call: Call, params: Mapping[str, Any], trial_days: int | None) -> int | None:
    """Return when the trial of the parameters ends (UTC epoch seconds), or None without a trial.

    trial_days: of the plan, for ``trial_from_plan``. Raises ApiError 400 if both an end and a number of days are given,
        or the end is in the past.
    """
    if params.get("trial_end") is not None and params.get("trial_period_days") is not None:
        raise exclusive("trial_end", "trial_period_days", param="trial_end")
    end = params.get("trial_end")
    if end == "now":
        return None
    if end is not None:
        at = int(end)
        if at <= call.now:
            # As reported by a shop plugin (its issue 4451); a recording of 2026-09 has the text of ``in_the_past``.
            raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", "trial_end")
        if at > arithmetic.shift(call.now, "year", 5):
            raise invalid("Invalid timestamp: can be no more than five years in the future", "trial_end")
        return at
    days = params.get("trial_period_days")
    if days is None and params.get("trial_from_plan"):
        days = trial_days
    if not days:
        return None
    if days > 730:
        raise invalid("The maximum number of trial period days is 730 (2 years).", "trial_period_days")
    return int(call.now + days * arithmetic.DAY)


def configured_anchor(call: Call, config: Mapping[str, Any]) -> int:
    """Return the next time (UTC epoch seconds) that ``billing_cycle_anchor_config`` describes.

    The configuration names a day of the month, and optionally a month and a time of day.
    """
    now = arithmetic.moment(call.now)
    for ahead in range(0, 25):
        year, month = divmod(now.year * 12 + now.month - 1 + ahead, 12)
        if config.get("month") is not None and month + 1 != config["month"]:
            continue
        first = datetime(year, month + 1, 1, tzinfo=now.tzinfo)
        days = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=now.tzinfo) - first).days
        at = first.replace(
            day=min(config["day_of_month"], days),
            hour=now.hour if config.get("hour") is None else config["hour"],
            minute=now.minute if config.get("minute") is None else config["minute"],
            second=now.second if config.get("second") is None else config["second"],
        )
        if at > now:
            return int(at.timestamp())
    return call.now


def schedule_jobs(call: Call, subscription: StoredSubscription) -> None:
    """Schedule the jobs of a subscription: renewal, notices before it, cancellation."""
    for kind in _JOBS:
        call.schedule.cancel(kind, subscription["id"])
    if subscription["status"] not in ("canceled", "incomplete_expired", "paused"):
        for kind, at in _due_jobs(subscription, call.now):
            call.schedule.add(at, kind, subscription["id"], subscription["test_clock"])


_JOBS = (
    jobs.SUBSCRIPTION_RENEW,
    jobs.SUBSCRIPTION_TRIAL_WILL_END,
    jobs.SUBSCRIPTION_UPCOMING,
    jobs.SUBSCRIPTION_CANCEL,
)


def _due_jobs(subscription: StoredSubscription, now: int) -> Iterator[tuple[Job, int]]:
    """Yield the jobs of a subscription that has not ended, with their times in UTC epoch seconds."""
    end = period_of(subscription)[1]
    yield jobs.SUBSCRIPTION_RENEW, end
    trial_end, cancel_at = subscription["trial_end"], subscription["cancel_at"]
    if subscription["status"] == "trialing" and trial_end is not None and not subscription.get("_trial_notice"):
        yield jobs.SUBSCRIPTION_TRIAL_WILL_END, max(trial_end - TRIAL_NOTICE, now)
    leaving = subscription["cancel_at_period_end"] or (cancel_at or end + 1) <= end
    if end - UPCOMING_NOTICE > now and not leaving:
        yield jobs.SUBSCRIPTION_UPCOMING, end - UPCOMING_NOTICE
    managed = subscription["schedule"] is not None  # the schedule's last step ends the subscription
    if cancel_at is not None and not subscription["cancel_at_period_end"] and not managed:
        yield jobs.SUBSCRIPTION_CANCEL, cancel_at
