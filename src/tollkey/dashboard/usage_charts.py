"""Charts of counted requests, of one key or of all keys of an account."""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

from tollkey.dashboard import plots
from tollkey.db import Scope, Tx
from tollkey.keys.usage import ACCEPTED, UsageQuery, report

_DAYS, _DAY = 30, 86400
MOST_ROWS = 10


def first_day(now: int) -> int:
    """The start of the first day of the charts (UTC), epoch seconds. now: UTC epoch seconds."""
    return now - now % _DAY - (_DAYS - 1) * _DAY


def charts(tx: Tx, scope: Scope, now: int, key: str | None = None) -> dict[str, Any]:
    """The charts of the last 30 days (UTC), ``by_day`` and ``by_route``, and the ``total`` of requests.

    now: UTC epoch seconds. key: the id of a key; None for all keys of the account and mode.
    """
    first = first_day(now)
    days = [first + day * _DAY for day in range(_DAYS)]

    counted = partial(UsageQuery, account=scope.account, livemode=scope.livemode, key=key, since=first)
    by_outcome = report(tx, counted(("day", "outcome")))

    def values(accepted: bool) -> list[int]:
        found = dict.fromkeys(days, 0)
        for row in by_outcome:
            if (row.outcome == ACCEPTED) is accepted and row.at in found:
                found[row.at] += row.requests
        return list(found.values())

    labels = [datetime.datetime.fromtimestamp(day, datetime.UTC).strftime("%-d %b") for day in days]
    series = [plots.Series("accepted", "2", values(True)), plots.Series("refused", "4", values(False))]
    most = report(tx, counted(("route",), limit=MOST_ROWS, busiest=True))
    return {
        "total": sum(row.requests for row in by_outcome),
        "by_day": plots.columns("usage-by-day", "Requests by day", labels, series),
        "by_route": plots.bars(
            "usage-by-route", "Requests by route", [plots.Row(row.route or "other", row.requests) for row in most]
        ),
    }
