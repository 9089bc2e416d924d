"""The use of an account's keys: charts, and the same numbers as a file."""

from __future__ import annotations

from tollkey.dashboard import plots
from tollkey.dashboard.page import Answer, Context, File, FormErrors, Nav, Page, Params, Render
from tollkey.dashboard.usage_charts import MOST_ROWS, charts, first_day
from tollkey.keys.usage import UsageQuery, as_csv, report

_MOST = 100_000  # rows of an export


def index(ctx: Context, params: Params) -> Answer:
    """Show how often the keys of an account were used in the last 30 days."""
    about = charts(ctx.tx, ctx.scope, ctx.now)
    first = first_day(ctx.now)
    most = UsageQuery(("key",), ctx.account, ctx.livemode, since=first, limit=MOST_ROWS, busiest=True)
    rows = [_bar(ctx, row.key or "", row.requests) for row in report(ctx.tx, most)]
    return Render("usage/index.html", {"charts": about, "by_key": plots.bars("usage-by-key", "Requests by key", rows)})


def _bar(ctx: Context, id: str, requests: int) -> plots.Row:
    key = ctx.authority.get(ctx.tx, ctx.scope, id) if ctx.may("keys.see") else None
    if key is None:
        return plots.Row(id, requests)
    return plots.Row(f"{key.name} ({key.redacted})", requests, ctx.url(f"/apikeys/{id}"))


def export(ctx: Context, params: Params) -> Answer:
    """Return the counts of the last 30 days by day, key, route and outcome as CSV.

    Raises FormErrors for more than 100,000 rows.
    """
    by = ("day", "key", "route", "outcome")
    rows = report(ctx.tx, UsageQuery(by, ctx.account, ctx.livemode, since=first_day(ctx.now), limit=_MOST + 1))
    if len(rows) > _MOST:
        raise FormErrors({"": f"There are more than {_MOST:,} rows. Export them with: tollkey keys usage --csv"})
    return File("usage.csv", "text/csv; charset=utf-8", as_csv(rows, by).encode())


PAGES = (
    Page("/usage", index, action="usage.see", nav=Nav("Developers", "Usage", 20)),
    Page("/usage/export", export, action="usage.see"),
)
