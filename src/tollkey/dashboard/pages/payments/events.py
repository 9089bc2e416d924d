"""Events: list, details with deliveries, resending."""

from __future__ import annotations

import json

from tollkey import outbox
from tollkey.dashboard import activity
from tollkey.dashboard.page import Answer, Context, Nav, NotFound, Page, Params, Redirect, Render, not_required
from tollkey.dashboard.present import Presenter
from tollkey.wire import Json
from tollkey.wire.reveals import Reveals

_PAGE = 50
_HIDDEN = "[hidden]"


def index(ctx: Context, params: Params) -> Answer:
    """List events, newest first, filtered by type or object."""
    type, about, after = params.get("type"), params.get("about"), params.get("after")
    objects = ctx.call().objects
    table = objects.table("event")
    equal = {name: value for name, value in (("type", type), ("_about", about)) if value}
    cursor = table.get(ctx.tx, ctx.scope, after) if after else None
    found = objects.page("event", _PAGE + 1, equal=equal, after=cursor)
    older = (
        ctx.url("/events", after=found[_PAGE - 1]["id"], type=type or None, about=about or None)
        if len(found) > _PAGE
        else ""
    )
    newest = ctx.url("/events", type=type or None, about=about or None) if after else ""
    context = {
        "events": found[:_PAGE],
        "type": type,
        "about": about,
        "older": older,
        "newest": newest,
        "presenter": Presenter(ctx.setup.tables.catalogue),
    }
    return Render("events/index.html", context)


def show(ctx: Context, params: Params) -> Answer:
    """Show an event with its data, previous values and deliveries."""
    event = ctx.setup.tables.load(ctx.tx, ctx.scope, "event", params["event"])
    if event is None:
        raise NotFound
    about = event.get("_about") or ""
    public = without_credentials(ctx, ctx.call().objects.copy(event))
    sent = []
    if ctx.may("webhooks.see"):
        sent = [
            (one, outbox.attempts(ctx.tx, ctx.scope, one.id))
            for one in outbox.deliveries(ctx.tx, ctx.scope, event_id=event["id"])
        ]
    context = {
        "event": public, "about": about,
        "address": Presenter(ctx.setup.tables.catalogue).address(about) if about else "",
        "data": hidden_json(public["data"]["object"]),
        "previous": hidden_json(public["data"].get("previous_attributes")),
        "deliveries": sent,
    }  # fmt: skip
    return Render("events/one.html", context)


def hidden_json(value: object) -> str:
    """Indented JSON without client secrets; "" for None or an empty object."""
    return json.dumps(without_secrets(value), indent=2, ensure_ascii=False) if value else ""


def without_credentials(ctx: Context, value: Json) -> Json:
    """The object without credentials that allow more than the person's role does (``Resource.reveals``)."""
    shown: Json = Reveals(ctx.setup.tables.catalogue).for_people(value, ctx.may("objects.change"), _HIDDEN)
    return shown


def without_secrets(value: object) -> object:
    """A copy without client secrets."""
    if isinstance(value, dict):
        return {
            name: _HIDDEN if name in ("client_secret", "secret") and inner else without_secrets(inner)
            for name, inner in value.items()
        }
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value


def resend(ctx: Context, params: Params) -> Answer:
    """Resend a delivery."""
    number = params["delivery"]
    if not (number.isascii() and number.isdigit()) or len(number) > 15:
        raise NotFound
    try:  # the event must be that of the delivery, because the audit log names it
        outbox.resend(ctx.tx, ctx.scope, int(number), ctx.now, ctx.setup.services.wake, event_id=params["event"])
    except outbox.UnknownDelivery:
        raise NotFound from None
    activity.record(ctx.tx, ctx, ctx.account, "event_resent", about=params["event"])
    return Redirect(ctx.url(f"/events/{params['event']}"), "The event is being resent.")


PAGES = (
    Page("/events", index, action="logs.see", nav=Nav("Developers", "Events", 30)),
    Page("/events/{event}", show, action="logs.see"),
    Page(
        "/events/{event}/resend/{delivery}",
        resend,
        method="POST",
        action="webhooks.change",
        recent_sign_in=not_required("it repeats a delivery to the same URL"),
    ),
)
