"""Test clocks, in test mode only."""

from __future__ import annotations

import datetime

from tollkey.dashboard import activity
from tollkey.dashboard.acting import call_endpoint, find_endpoint, to_epoch
from tollkey.dashboard.page import (
    Answer,
    Context,
    FormErrors,
    Nav,
    NotFound,
    Page,
    Params,
    Redirect,
    Render,
    not_required,
)

_OBJECT = "test_helpers.test_clock"


def index(ctx: Context, params: Params) -> Answer:
    """List test clocks, with a form for a new one."""
    clocks = ctx.call().objects.query(_OBJECT, limit=100) if _OBJECT in ctx.setup.tables.of and not ctx.livemode else []
    start = datetime.datetime.fromtimestamp(ctx.now, datetime.UTC).strftime("%Y-%m-%dT%H:%M")
    return Render("developers/clocks.html", {"clocks": clocks, "start": start})


def create(ctx: Context, params: Params) -> Answer:
    """Create a test clock with the API's endpoint."""
    if _OBJECT not in ctx.setup.tables.of or ctx.livemode:
        raise NotFound
    if not params.get("frozen_time"):
        raise FormErrors({"frozen_time": "Enter a start time."})
    sent = [("frozen_time", to_epoch(params.get("frozen_time"), "frozen_time"))]
    if params.get("name"):
        sent.append(("name", params.get("name")))
    made = call_endpoint(ctx, find_endpoint(ctx, "POST", "/v1/test_helpers/test_clocks"), sent)
    activity.record(ctx.tx, ctx, ctx.account, "clock_created", about=made["id"])
    return Redirect(
        ctx.url(f"/objects/{_OBJECT}/{made['id']}"),
        "The test clock was created. Create customers with it, then advance it.",
    )


PAGES = (
    Page(
        "/clocks",
        index,
        action="logs.see",
        nav=Nav("Developers", "Test clocks", 50, "/objects/test_helpers.test_clock"),
    ),
    Page(
        "/clocks",
        create,
        method="POST",
        action="clocks.change",
        recent_sign_in=not_required("it works in test mode only"),
        redisplay=index,
    ),
)
