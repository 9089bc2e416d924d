"""The use of one key as a file. The charts are on the key's page."""

from __future__ import annotations

from tollkey.dashboard.keys import found
from tollkey.dashboard.page import Answer, Context, File, Page, Params
from tollkey.keys.usage import UsageQuery, as_csv, report


def export(ctx: Context, params: Params) -> Answer:
    """Return the counts of a key by day, route and outcome as CSV."""
    key = found(ctx, params)
    by = ("day", "route", "outcome")
    rows = report(ctx.tx, UsageQuery(by, key=key.id))
    return File(f"usage-{key.id}.csv", "text/csv; charset=utf-8", as_csv(rows, by).encode())


PAGES = (Page("/apikeys/{key}/usage.csv", export, action="keys.see"),)
