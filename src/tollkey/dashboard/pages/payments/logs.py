"""Request logs: list with filters, details, and redirects for the URLs in error responses."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from tollkey.dashboard.page import Answer, Context, Nav, NotFound, Page, Params, Redirect, Render
from tollkey.dashboard.present import Presenter
from tollkey.platform import request_logs
from tollkey.platform.request_logs import RequestLog
from tollkey.upstream import store

_PAGE = 50
_LOOKED_AT = 30_000  # requests that a search by path or method scans
_METHODS = ("GET", "POST", "DELETE")
_STATUSES = {"2": (200, 299), "4": (400, 499), "5": (500, 599)}


class Filter(NamedTuple):
    """The filters of the list, as typed."""

    status: str
    method: str
    path: str
    key: str
    date_from: str
    date_to: str

    @property
    def set(self) -> bool:
        """Whether any filter is set."""
        return any(self)


def _filter(params: Params) -> Filter:
    return Filter(*(params.get(name) for name in ("status", "method", "path", "key", "from", "to")))


def _bounds(text: str) -> tuple[int, int] | None:
    """Lowest and highest status of a filter: a class (``4``) or one status (``402``); None for others."""
    if text in _STATUSES:
        return _STATUSES[text]
    return (int(text), int(text)) if text.isascii() and text.isdigit() and len(text) == 3 else None


def day(text: str, end: bool = False) -> int | None:
    """The first or, with ``end``, last second of a UTC day, in epoch seconds; None for text that is not a date."""
    try:
        start = datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
    return int(start.timestamp()) + (86399 if end else 0)


def index(ctx: Context, params: Params) -> Answer:
    """List requests, newest first, 50 per page."""
    wanted = _filter(params)
    after = params.get("after")
    cursor = request_logs.one(ctx.tx, ctx.scope, after) if after else None
    unindexed = bool(wanted.path or wanted.method) and not wanted.key
    floor = (
        request_logs.horizon(ctx.tx, ctx.scope, cursor, day(wanted.date_to, end=True), _LOOKED_AT)
        if unindexed
        else None
    )
    found = request_logs.find(
        ctx.tx, ctx.scope, limit=_PAGE + 1, before=cursor, key_id=wanted.key or None, status=_bounds(wanted.status),
        method=wanted.method if wanted.method in _METHODS else None, path=wanted.path or None,
        since=day(wanted.date_from), until=day(wanted.date_to, end=True), floor=floor,
    )  # fmt: skip
    query = {
        "status": wanted.status,
        "method": wanted.method,
        "path": wanted.path,
        "key": wanted.key,
        "from": wanted.date_from,
        "to": wanted.date_to,
    }
    kept: dict[str, Any] = {name: value or None for name, value in query.items()}
    older = ctx.url("/logs", after=found[_PAGE - 1].id, **kept) if len(found) > _PAGE else ""
    further = ctx.url("/logs", after=floor.id, **kept) if floor is not None and not older else ""
    newest = ctx.url("/logs", **kept) if after else ""
    keys = ctx.authority.list(ctx.tx, ctx.scope, limit=200) if ctx.may("keys.see") else ()
    return Render(
        "logs/index.html",
        {
            "logs": found[:_PAGE],
            "wanted": wanted,
            "older": older,
            "newest": newest,
            "keys": keys,
            "methods": _METHODS,
            "scanned": _LOOKED_AT if further else 0,
            "further": further,
        },
    )


def show(ctx: Context, params: Params) -> Answer:
    """Show a request with its response, key and events."""
    log = request_logs.one(ctx.tx, ctx.scope, params["request"])
    if log is None:
        raise NotFound
    presenter = Presenter(ctx.setup.tables.catalogue)
    about = presenter.address(log.object_id) if log.object_id else ""
    events = _events(ctx, log)
    key = ctx.authority.get(ctx.tx, ctx.scope, log.key_id) if log.key_id and ctx.may("keys.see") else None
    passed = store.call(ctx.tx, ctx.scope, log.id)
    return Render("logs/one.html", {"log": log, "about": about, "events": events, "key": key, "passed": passed})


def _events(ctx: Context, log: RequestLog) -> list[dict[str, object]]:
    """The events of the request's object that name the request as their cause."""
    if not log.object_id or log.method == "GET":
        return []
    found = ctx.call().objects.query("event", {"_about": log.object_id}, limit=50)
    return [event for event in found if (event.get("request") or {}).get("id") == log.id]


def workbench(ctx: Context, params: Params) -> Answer:
    """Redirect from the ``request_log_url`` of an error to the request."""
    wanted = params.get("object")
    return Redirect(
        ctx.url(
            f"/logs/{wanted}"
            if wanted.startswith("req_") and wanted.isalnum() is False and "/" not in wanted
            else "/logs"
        )
    )


def destination(ctx: Context, params: Params) -> Answer:
    """Redirect from the link in errors about missing permissions: ``/b/acct_…?destination=/apikeys/mk_…/edit``."""
    account, to = params["account"], params.get("destination")
    if not any(member.account == account for member in ctx.accounts):
        raise NotFound
    key = to.split("/")[2] if to.startswith("/apikeys/") and to.count("/") == 3 else ""
    if key:
        live = ctx.authority.get(ctx.tx, ctx.scope._replace(account=account, livemode=True), key) is not None
        return Redirect(ctx.url(to, livemode=live, account=account))
    return Redirect(
        ctx.url(
            to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/apikeys",
            livemode=False,
            account=account,
        )
    )


PAGES = (
    Page("/logs", index, action="logs.see", nav=Nav("Developers", "Request logs", 20)),
    Page("/logs/{request}", show, action="logs.see"),
    Page("/workbench/logs", workbench, action="logs.see"),
    Page("/b/{account}", destination, scope="person"),
)
