"""The use of one key: charts on its page, and the same numbers as a file."""

from __future__ import annotations

import datetime
from typing import Any

from tollkey.dashboard import plots
from tollkey.dashboard.keys import found
from tollkey.dashboard.page import Answer, Context, File, Page, Params
from tollkey.keys import Key
from tollkey.keys.usage import ACCEPTED, UsageQuery, as_csv, report

_DAYS, _DAY = 30, 86400
_MOST_ROUTES = 10


def charts(ctx: Context, key: Key) -> dict[str, Any]:
    """Return the charts of a key's use in the last 30 days (UTC): ``by_day`` and ``by_route``, and its ``total``."""
    first = ctx.now - ctx.now % _DAY - (_DAYS - 1) * _DAY
    days = [first + day * _DAY for day in range(_DAYS)]
    counted = report(ctx.tx, UsageQuery(("day", "outcome"), key=key.id, since=first))
    labels = [datetime.datetime.fromtimestamp(day, datetime.UTC).strftime("%-d %b") for day in days]

    def values(accepted: bool) -> list[int]:
        found = dict.fromkeys(days, 0)
        for row in counted:
            if (row.outcome == ACCEPTED) is accepted and row.at in found:
                found[row.at] += row.requests
        return list(found.values())

    series = [plots.Series("accepted", "2", values(True)), plots.Series("refused", "4", values(False))]
    routes = report(ctx.tx, UsageQuery(("route",), key=key.id, since=first))
    most = sorted(routes, key=lambda row: -row.requests)[:_MOST_ROUTES]
    return {
        "total": sum(row.requests for row in counted),
        "by_day": plots.columns("usage-by-day", "Requests by day", labels, series),
        "by_route": plots.bars("usage-by-route", "Requests by route", [_bar(row.route, row.requests) for row in most]),
    }


def _bar(route: str | None, requests: int) -> plots.Row:
    return plots.Row(route or "other", requests)


def export(ctx: Context, params: Params) -> Answer:
    """Return the counts of a key by day, route and outcome as CSV."""
    key = found(ctx, params)
    by = ("day", "route", "outcome")
    rows = report(ctx.tx, UsageQuery(by, key=key.id))
    return File(f"usage-{key.id}.csv", "text/csv; charset=utf-8", as_csv(rows, by).encode())


PAGES = (Page("/apikeys/{key}/usage.csv", export, action="keys.see"),)
