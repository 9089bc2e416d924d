"""Where a subscription stands in time: its period, its anchor, and what is due when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tollkey.payments.catalog import arithmetic
from tollkey.payments.subscriptions import jobs
from tollkey.wire import Call, Params, invalid
from tollkey.wire.kinds import Job

if TYPE_CHECKING:
    from tollkey.payments.subscriptions.stored import StoredSubscription

TRIAL_NOTICE = 3 * arithmetic.DAY
UPCOMING_NOTICE = 7 * arithmetic.DAY


def period_of(subscription: StoredSubscription) -> tuple[int, int]:
    """The current period: start and end, UTC epoch seconds."""
    start, end = subscription["_period"]
    return start, end


def next_period(subscription: StoredSubscription, interval: tuple[str, int]) -> tuple[int, int]:
    """The period after the current one."""
    end = period_of(subscription)[1]
    anchor = subscription["billing_cycle_anchor"]
    if end < anchor:
        return end, anchor
    return arithmetic.period_around(anchor, *interval, end)


def trial_end_of(call: Call, params: Params, trial_days: int | None) -> int | None:
    """When the trial that the parameters ask for ends; None without one. trial_days: the plan's, for
    ``trial_from_plan``.

    Raises ApiError for both ways at once, or a moment that has passed.
    """
    if params.get("trial_end") is not None and params.get("trial_period_days") is not None:
        raise invalid("You may only specify one of these parameters: trial_end, trial_period_days.", "trial_end")
    end = params.get("trial_end")
    if end == "now":
        return None
    if end is not None:
        at = int(end)
        if at <= call.now:
            raise invalid(
                "Invalid timestamp: must be an integer Unix timestamp in the future", "trial_end", retry=False
            )
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
    """The next moment that ``billing_cycle_anchor_config`` describes: a day of the month (and month), and a time of
    day.
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


def plan_work(call: Call, subscription: StoredSubscription) -> None:
    """Write down what is due: the renewal, the notices before it, the cancellation."""
    for kind in _PLANNED:
        call.schedule.cancel(kind, subscription["id"])
    if subscription["status"] not in ("canceled", "incomplete_expired", "paused"):
        for kind, at in _appointments(subscription, call.now):
            call.schedule.add(at, kind, subscription["id"], subscription["test_clock"])


_PLANNED = (
    jobs.SUBSCRIPTION_RENEW,
    jobs.SUBSCRIPTION_TRIAL_WILL_END,
    jobs.SUBSCRIPTION_UPCOMING,
    jobs.SUBSCRIPTION_CANCEL,
)


def _appointments(subscription: StoredSubscription, now: int) -> Iterator[tuple[Job, int]]:
    """What is due when for a subscription that goes on: jobs, and times in UTC epoch seconds."""
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
