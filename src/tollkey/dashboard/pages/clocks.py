"""Test clocks: time that one can advance, for customers that hang on it. Test mode only."""

from __future__ import annotations

import datetime

from tollkey.dashboard import activity
from tollkey.dashboard.acting import moment
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
from tollkey.wire import Call

_OBJECT = "test_helpers.test_clock"


def index(ctx: Context, params: Params) -> Answer:
    """All clocks, and a form for a new one. In live mode there are none."""
    clocks = ctx.call().objects.query(_OBJECT, limit=100) if _OBJECT in ctx.setup.tables.of and not ctx.livemode else []
    start = datetime.datetime.fromtimestamp(ctx.now, datetime.UTC).strftime("%Y-%m-%dT%H:%M")
    return Render("developers/clocks.html", {"clocks": clocks, "start": start})


def create(ctx: Context, params: Params) -> Answer:
    """Make a clock, through the same endpoint as the API."""
    endpoint = next(
        (
            e
            for r in ctx.setup.tables.catalogue.resources
            for e in r.endpoints
            if (e.method, e.path) == ("POST", "/v1/test_helpers/test_clocks")
        ),
        None,
    )
    if endpoint is None or ctx.livemode:
        raise NotFound
    if not params.get("frozen_time"):
        raise FormErrors({"frozen_time": "Enter a start time."})
    asked = {"frozen_time": int(moment(params.get("frozen_time"), "frozen_time"))}
    if params.get("name"):
        asked["name"] = params.get("name")  # type: ignore[assignment]
    made = endpoint.handler(Call(ctx.setup, ctx.tx, ctx.scope, ctx.now), asked)
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
        recent_sign_in=not_required("test mode only, where nothing is real"),
        redisplay=index,
    ),
)
