"""The overview for developers: charts of requests by time, status and key, and of errors; API versions."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from tollkey.dashboard import plots
from tollkey.dashboard.page import Answer, Context, Nav, Page, Params, Render
from tollkey.payments.processors import attempts, backends
from tollkey.platform import request_counts, request_logs
from tollkey.upstream import states
from tollkey.wire.versions import LATEST, is_newer

#: Time spans: (label, number of steps, seconds per step).
SPANS = {"24h": ("24 hours", 24, 3600), "7d": ("7 days", 28, 6 * 3600), "30d": ("30 days", 30, 86400)}
_KINDS = (("succeeded", "2", (1, 2, 3)), ("failed (4xx)", "4", (4,)), ("failed (5xx)", "5", (5,)))


def overview(ctx: Context, params: Params) -> Answer:
    """Show the overview for a time span."""
    span = params.get("span") if params.get("span") in SPANS else "24h"
    _, steps, seconds = SPANS[span]
    until = ctx.now - ctx.now % seconds + seconds
    since = until - steps * seconds
    counted = request_counts.counts(ctx.tx, ctx.scope, since, until, seconds)
    labels = [_label(since + place * seconds, seconds) for place in range(steps)]
    series = [_series(name, tone, kinds, counted, since, seconds, steps) for name, tone, kinds in _KINDS]
    total = sum(count for _, _, count in counted)
    errors = sum(count for _, kind, count in counted if kind >= 4)
    versions = request_logs.by_version(ctx.tx, ctx.scope, since)
    context = {
        "span": span, "spans": SPANS, "total": total, "errors": errors,
        "rate": f"{100 * errors / total:.1f} %" if total else "0 %",
        "by_time": plots.columns("by-time", "Requests by time and status", labels, series),
        "errors_plot": plots.columns("errors", "Errors by time", labels, series[1:]),
        "codes": plots.bars("by-code", "Errors by code", _codes(ctx, since)),
        "by_key": plots.bars("by-key", "Requests by key", _keys(ctx, since, until)),
        "latest": LATEST, "versions": versions, "newer": next((version for version, _ in versions if is_newer(version)),
        None),
        "upstream": states.of(ctx.tx, ctx.scope) if ctx.may("upstream.see") else None,
        "processor": backends.of(ctx.tx, ctx.scope) if ctx.may("upstream.see") else None,
        "waiting": len(attempts.troubled(ctx.tx, ctx.now - 3_600, ctx.scope)) if ctx.may("upstream.see") else 0,
    }  # fmt: skip
    return Render("developers/overview.html", context)


def _label(at: int, seconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return (
        moment.strftime("%-d %b")
        if seconds >= 86400
        else moment.strftime("%H:%M")
        if seconds == 3600
        else moment.strftime("%-d %b %H:%M")
    )


def _series(
    name: str,
    tone: str,
    kinds: tuple[int, ...],
    counted: Sequence[tuple[int, int, int]],
    since: int,
    seconds: int,
    steps: int,
) -> plots.Series:
    values = [0] * steps
    for at, kind, count in counted:
        place = (at - since) // seconds
        if kind in kinds and 0 <= place < steps:
            values[place] += count
    return plots.Series(name, tone, values)


def _keys(ctx: Context, since: int, until: int) -> list[plots.Row]:
    found = []
    for id, count in request_counts.by_key(ctx.tx, ctx.scope, since, until)[:10]:
        key = ctx.authority.get(ctx.tx, ctx.scope, id)
        label = f"{key.name} ({key.redacted})" if key is not None and ctx.may("keys.see") else id
        found.append(plots.Row(label, count, ctx.url("/logs", key=id)))
    return found


def _codes(ctx: Context, since: int) -> list[plots.Row]:
    found = request_counts.by_error(ctx.tx, ctx.scope, since)
    return [
        plots.Row(f"{status} {code}".strip(), count, ctx.url("/logs", status=status), str(status)[0])
        for status, code, count in found
    ]


PAGES = (Page("/developers", overview, action="logs.see", nav=Nav("Developers", "Overview", 10)),)
