"""Times that callers pass: UTC epoch seconds or a datetime, seconds or a timedelta."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from tollkey.keys.errors import KeyRefused


def expiry(at: int | datetime | None, within: int | timedelta | None, now: int) -> int | None:
    """Return an expiry as UTC epoch seconds; None if neither is given.

    at: UTC epoch seconds, or a datetime with a time zone. within: seconds from ``now``, or a timedelta.
    Raises KeyRefused, ``expires_at_invalid``, if both are given, and for a datetime without a time zone.
    """
    if within is not None and at is not None:
        raise KeyRefused("expires_at_invalid", "Pass expires_at or expires_in, not both.", "expires_at")
    if within is not None:
        return now + seconds(within)
    try:
        return epoch(at)
    except ValueError:
        message = "The expiry has no time zone. Pass for example datetime.now(UTC) + timedelta(days=90)."
        raise KeyRefused("expires_at_invalid", message, "expires_at") from None


def epoch(at: int | datetime | None) -> int | None:
    """Return a time as UTC epoch seconds, without a fraction; None for None.

    Raises ValueError for a datetime without a time zone.
    """
    if not isinstance(at, datetime):
        return at
    if at.tzinfo is None:
        raise ValueError("a datetime needs a time zone: datetime.now(UTC)")
    return math.floor(at.timestamp())


def optional_seconds(length: int | timedelta | None) -> int | None:
    """Return a length of time in seconds, a fraction rounded up; None for None."""
    return None if length is None else seconds(length)


def seconds(length: int | timedelta) -> int:
    """Return a length of time in seconds, a fraction rounded up."""
    return math.ceil(length.total_seconds()) if isinstance(length, timedelta) else length
