"""Calendar arithmetic of billing periods: a month keeps the anchor's day, or takes its last day if it is shorter.

Times are UTC epoch seconds.
"""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta, timezone

from tollkey.wire import invalid

DAY = 86_400
_UTC = timezone.utc  # noqa: UP017
#: The longest billing interval of a price, by unit (three years).
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}


def moment(at: int) -> datetime:
    """Return a timestamp (UTC epoch seconds) as a datetime in UTC."""
    return datetime.fromtimestamp(at, _UTC)


def shift(anchor: int, interval: str, count: int) -> int:
    """Return the time ``count`` intervals after the anchor, or before it if ``count`` is negative.

    anchor: UTC epoch seconds. interval: day, week, month or year. The 31st becomes the last day of a shorter month.
    Raises ApiError 400 for a time that no date can show (our text: Stripe's bounds of most times are not known).
    """
    try:
        return _shift(moment(anchor), interval, count)
    except (OverflowError, ValueError, OSError):
        raise invalid("Invalid timestamp: this request leads to a time that is too far away.") from None


def _shift(start: datetime, interval: str, count: int) -> int:
    if interval in ("day", "week"):
        return int((start + timedelta(days=count * (7 if interval == "week" else 1))).timestamp())
    months = start.year * 12 + start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_around(anchor: int, interval: str, count: int, at: int) -> tuple[int, int]:
    """Return the billing period that contains ``at``: start (inclusive) and end, UTC epoch seconds.

    Periods are counted from the anchor, so that the day of the month does not drift.
    """
    days = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}[interval] * count
    steps = int((at - anchor) / (days * DAY)) - 1
    while shift(anchor, interval, (steps + 1) * count) <= at:
        steps += 1
    return shift(anchor, interval, steps * count), shift(anchor, interval, (steps + 1) * count)


def show_date(at: int) -> str:
    """Return a date (UTC epoch seconds) as invoice lines show it: ``10 Nov 2025``."""
    return moment(at).strftime("%d %b %Y")
