"""Points in time as the v2 API writes them: RFC 3339, in UTC and with milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def written(seconds: int) -> str:
    """Return UTC epoch seconds as ``2026-01-01T00:00:00.000Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def seconds_of(text: str) -> int | None:
    """Return a date and time with its offset (RFC 3339, section 5.6) as UTC epoch seconds; None for another text.

    Fractions of a second are cut off; a leap second is refused, as there is no such second in epoch time.
    """
    if _FORM.fullmatch(text) is None:
        return None
    try:
        return int(datetime.fromisoformat(text.upper()).timestamp() // 1)
    except (ValueError, OverflowError):
        return None
