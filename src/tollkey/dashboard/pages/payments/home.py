"""The home page of an account: disputes to respond to, balance, recent payments, requests today."""

from __future__ import annotations

import contextlib
from typing import Any

from tollkey.dashboard import plots
from tollkey.dashboard.page import Answer, Context, Nav, Page, Params, Render
from tollkey.dashboard.present import Presenter
from tollkey.payments.facts import money
from tollkey.platform import request_counts
from tollkey.wire import ApiError, Json

_NEEDS_RESPONSE = ("needs_response", "warning_needs_response")


def home(ctx: Context, params: Params) -> Answer:
    """Show the home page."""
    objects = ctx.call().objects
    tables = ctx.setup.tables.of
    payments = _latest(ctx) if "payment_intent" in tables else []
    disputes = (
        [one for one in objects.query("dispute", limit=200) if one["status"] in _NEEDS_RESPONSE]
        if "dispute" in tables
        else []
    )
    day = ctx.now - ctx.now % 86400
    counted = request_counts.counts(ctx.tx, ctx.scope, day, day + 86400, 3600) if ctx.may("logs.see") else []
    hours = [f"{hour:02}:00" for hour in range(24)]
    series = [plots.Series(name, tone, _by_hour(counted, day, kinds)) for name, tone, kinds in (
        ("succeeded", "2", (1, 2, 3)), ("failed (4xx)", "4", (4,)), ("failed (5xx)", "5", (5,)))]  # fmt: skip
    context = {
        "balance": _balance(ctx), "payments": payments, "disputes": disputes,
        "presenter": Presenter(ctx.setup.tables.catalogue),
        "requests": sum(count for _, _, count in counted), "errors": sum(count for _, kind,
        count in counted if kind >= 4),
        "plot": plots.columns("today", "Requests today by hour", hours, series) if counted else "",
    }  # fmt: skip
    return Render("home.html", context)


def _latest(ctx: Context, count: int = 6) -> list[Json]:
    """The latest payments: PaymentIntents, and charges without one."""
    objects = ctx.call().objects
    direct = [charge for charge in objects.query("charge", limit=4 * count) if charge["payment_intent"] is None]
    return sorted([*objects.query("payment_intent", limit=count), *direct], key=lambda one: -int(one["created"]))[
        :count
    ]


def _by_hour(counted: Any, day: int, kinds: tuple[int, ...]) -> list[int]:
    values = [0] * 24
    for at, kind, count in counted:
        if kind in kinds:
            values[(at - day) // 3600] += count
    return values


def _balance(ctx: Context) -> dict[str, list[tuple[str, str]]]:
    """The available and pending balance: (currency, amount) pairs, from the balance endpoint."""
    endpoint = next(
        (
            e
            for r in ctx.setup.tables.catalogue.resources
            for e in r.endpoints
            if (e.method, e.path) == ("GET", "/v1/balance")
        ),
        None,
    )
    answer: Json = {}
    if endpoint is not None:
        with contextlib.suppress(ApiError):
            answer = endpoint.handler(ctx.call(), {})
    return {
        name: [(one["currency"].upper(), money(one["amount"], one["currency"])) for one in answer.get(name) or []]
        for name in ("available", "pending")
    }


PAGES = (Page("/home", home, action="objects.see", nav=Nav("", "Home", 1)),)
