"""Webhook endpoints: create, edit, disable, delete; signing secrets; deliveries and their attempts."""

from __future__ import annotations

from typing import Any

from tollkey import outbox
from tollkey.dashboard import activity
from tollkey.dashboard.acting import call_endpoint, find_endpoint
from tollkey.dashboard.page import (
    Answer,
    Confirmation,
    Context,
    FormErrors,
    Nav,
    NotFound,
    Page,
    Params,
    Redirect,
    Render,
    not_required,
    required,
)
from tollkey.dashboard.reference.events import EVENT_TYPES
from tollkey.platform import webhook_endpoints
from tollkey.wire import Call, Json

_PAGE = 30
_ONE = "/v1/webhook_endpoints/{webhook_endpoint}"


def _endpoint(ctx: Context, params: Params) -> Json:
    found: Json | None = ctx.setup.tables.load(ctx.tx, ctx.scope, "webhook_endpoint", params["endpoint"])
    if found is None:
        raise NotFound
    return found


def _call(ctx: Context, id: str = "") -> Call:
    return Call(ctx.setup, ctx.tx, ctx.scope, ctx.now, path={"webhook_endpoint": id})


def _ask(ctx: Context, method: str, path: str, sent: list[tuple[str, str]], id: str = "") -> Json:
    answer: Json = call_endpoint(ctx, find_endpoint(ctx, method, path), sent, id)
    return answer


def _record(ctx: Context, action: str, id: str) -> None:
    activity.record(ctx.tx, ctx, ctx.account, action, about=id)


def index(ctx: Context, params: Params) -> Answer:
    """List endpoints, with those that are failing marked."""
    endpoints = ctx.call().objects.query("webhook_endpoint", limit=100)
    failing = {one["id"]: outbox.failing_since(ctx.tx, ctx.scope, one["id"]) for one in endpoints}
    return Render("webhooks/index.html", {"endpoints": endpoints, "failing": failing})


def new(ctx: Context, params: Params) -> Answer:
    """Show the form for a new endpoint."""
    return Render("webhooks/edit.html", {"endpoint": None, **_form(ctx, params, None)})


def edit(ctx: Context, params: Params) -> Answer:
    """Show the form for an endpoint."""
    endpoint = _endpoint(ctx, params)
    return Render("webhooks/edit.html", {"endpoint": endpoint, **_form(ctx, params, endpoint)})


def _form(ctx: Context, params: Params, endpoint: Json | None) -> dict[str, Any]:
    typed = ctx.values
    chosen = typed.all("event") if typed is not None else endpoint["enabled_events"] if endpoint else []
    return {
        "url": typed.get("url") if typed is not None else endpoint["url"] if endpoint else "",
        "description": typed.get("description")
        if typed is not None
        else (endpoint.get("description") or "")
        if endpoint
        else "",
        "all_events": typed.get("all_events") == "yes" if typed is not None else endpoint is None or "*" in chosen,
        "chosen": frozenset(chosen),
        "groups": _groups([*EVENT_TYPES, *(name for name in chosen if name not in EVENT_TYPES and name != "*")]),
    }


def _groups(types: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for type in types:
        groups.setdefault(type.rpartition(".")[0], []).append(type)
    return groups


def _events(params: Params) -> list[str]:
    """Return the selected events. Raises FormErrors for none, or for a name that is not of an event."""
    names = ["*"] if params.get("all_events") == "yes" else params.all("event")
    if not names:
        raise FormErrors({"event": "Select at least one event, or all events."})
    if unknown := [name for name in names if name != "*" and name not in EVENT_TYPES]:
        raise FormErrors({"event": f"There is no event {unknown[0]}."})
    return names


def _url(params: Params) -> str:
    url = params.get("url")
    if not url:
        raise FormErrors({"url": "Enter an endpoint URL."})
    return url


def _sent(params: Params) -> list[tuple[str, str]]:
    """The parameters of the form, as the API takes them."""
    events = [("enabled_events[]", name) for name in _events(params)]
    return [("url", _url(params)), ("description", params.get("description")), *events]


def create(ctx: Context, params: Params) -> Answer:
    """Create an endpoint."""
    sent = _sent(params) + ([("connect", "true")] if params.get("connect") == "yes" else [])
    made = _ask(ctx, "POST", "/v1/webhook_endpoints", sent)
    _record(ctx, "webhook_created", made["id"])
    return Redirect(
        ctx.url(f"/webhooks/{made['id']}"), "The endpoint was created. Reveal its signing secret to verify signatures."
    )


def change(ctx: Context, params: Params) -> Answer:
    """Store the changes."""
    endpoint = _endpoint(ctx, params)
    _ask(ctx, "POST", _ONE, _sent(params), endpoint["id"])
    _record(ctx, "webhook_changed", endpoint["id"])
    return Redirect(ctx.url(f"/webhooks/{endpoint['id']}"), "Changes saved.")


def switch(ctx: Context, params: Params) -> Answer:
    """Disable or enable an endpoint."""
    endpoint = _endpoint(ctx, params)
    off = endpoint["status"] == "enabled"
    _ask(ctx, "POST", _ONE, [("disabled", "true" if off else "false")], endpoint["id"])
    _record(ctx, "webhook_disabled" if off else "webhook_enabled", endpoint["id"])
    return Redirect(
        ctx.url(f"/webhooks/{endpoint['id']}"),
        f"The endpoint was {'disabled' if off else 'enabled'}.",
    )


def confirm_delete(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for deleting an endpoint."""
    return Confirmation(
        "Delete endpoint",
        f"Delete the endpoint {_endpoint(ctx, params)['url']}? Pending deliveries to it will be canceled.",
    )


def delete(ctx: Context, params: Params) -> Answer:
    """Delete an endpoint."""
    endpoint = _endpoint(ctx, params)
    _ask(ctx, "DELETE", _ONE, [], endpoint["id"])
    _record(ctx, "webhook_deleted", endpoint["id"])
    return Redirect(ctx.url("/webhooks"), "The endpoint was deleted.")


def show(ctx: Context, params: Params) -> Answer:
    """Show an endpoint with its deliveries."""
    return Render("webhooks/one.html", {**_details(ctx, params), "secrets": ()})


def _details(ctx: Context, params: Params) -> dict[str, Any]:
    endpoint = _endpoint(ctx, params)
    before = params.number("before", 0)
    found = outbox.deliveries(ctx.tx, ctx.scope, endpoint_id=endpoint["id"], limit=_PAGE + 1, before=before or None)
    rows = [(one, outbox.attempts(ctx.tx, ctx.scope, one.id)) for one in found[:_PAGE]]
    url = f"/webhooks/{endpoint['id']}"
    return {
        "endpoint": endpoint, "rows": rows, "rolling": len(endpoint["_secrets"]) > 1,
        "failing": outbox.failing_since(ctx.tx, ctx.scope, endpoint["id"]),
        "older": ctx.url(url, before=found[_PAGE - 1].id) if len(found) > _PAGE else "",
        "newest": ctx.url(url) if before else "",
    }  # fmt: skip


def reveal(ctx: Context, params: Params) -> Answer:
    """Reveal the active signing secrets. Recorded in the audit log."""
    details = _details(ctx, params)
    secrets = webhook_endpoints.secrets_of(ctx.authority.keyring, ctx.scope, details["endpoint"])
    _record(ctx, "webhook_secret_revealed", details["endpoint"]["id"])
    return Render("webhooks/one.html", {**details, "secrets": secrets})


def confirm_roll(ctx: Context, params: Params) -> Confirmation | None:
    """The confirmation for a roll that expires the old secret at once; none when both stay active."""
    _endpoint(ctx, params)
    text = (
        "A new secret is created and the old one stops signing immediately. Receivers that verify with the old secret "
        "will reject every delivery until you update them."
    )
    return None if params.get("overlap") == "yes" else Confirmation("Roll secret", text)


def roll(ctx: Context, params: Params) -> Answer:
    """Create a new signing secret. With ``overlap`` the old one stays active, too."""
    endpoint = _endpoint(ctx, params)
    webhook_endpoints.roll_secret(_call(ctx, endpoint["id"]), endpoint, keep_old=params.get("overlap") == "yes")
    _record(ctx, "webhook_secret_rolled", endpoint["id"])
    details = _details(ctx, params)
    return Render(
        "webhooks/one.html",
        {**details, "secrets": webhook_endpoints.secrets_of(ctx.authority.keyring, ctx.scope, details["endpoint"])},
    )


def confirm_end_old(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for expiring the old secret."""
    _endpoint(ctx, params)
    return Confirmation(
        "Expire the old secret",
        "Deliveries will no longer be signed with the old secret. Receivers that still use it will reject them.",
    )


def end_old(ctx: Context, params: Params) -> Answer:
    """Expire the old secret of a roll."""
    call = _call(ctx, params["endpoint"])
    endpoint = call.objects.get("webhook_endpoint", _endpoint(ctx, params)["id"])
    endpoint["_secrets"] = endpoint["_secrets"][:1]
    call.objects.save(endpoint)
    _record(ctx, "webhook_old_secret_ended", endpoint["id"])
    return Redirect(
        ctx.url(f"/webhooks/{endpoint['id']}"),
        "The old secret has expired.",
    )


_SENDS_DATA = required("an endpoint sends the account's data to its URL")
_DESTRUCTIVE = required("it cannot be undone, and the receiver stops getting or accepting events")

PAGES = (
    Page("/webhooks", index, action="webhooks.see", nav=Nav("Developers", "Webhooks", 40)),
    Page("/webhooks/new", new, action="webhooks.change", recent_sign_in=_SENDS_DATA),
    Page("/webhooks/new", create, method="POST", action="webhooks.change", recent_sign_in=_SENDS_DATA, redisplay=new),
    Page("/webhooks/{endpoint}", show, action="webhooks.see"),
    Page("/webhooks/{endpoint}/edit", edit, action="webhooks.change", recent_sign_in=_SENDS_DATA),
    Page(
        "/webhooks/{endpoint}/edit",
        change,
        method="POST",
        action="webhooks.change",
        recent_sign_in=_SENDS_DATA,
        redisplay=edit,
    ),
    Page(
        "/webhooks/{endpoint}/switch",
        switch,
        method="POST",
        action="webhooks.change",
        recent_sign_in=not_required("it can be undone, and sends nothing to a new URL"),
    ),
    Page(
        "/webhooks/{endpoint}/delete",
        delete,
        method="POST",
        action="webhooks.change",
        recent_sign_in=_DESTRUCTIVE,
        confirmation=confirm_delete,
    ),
    Page(
        "/webhooks/{endpoint}/reveal",
        reveal,
        method="POST",
        action="webhooks.change",
        recent_sign_in=required("it shows a signing secret"),
    ),
    Page(
        "/webhooks/{endpoint}/roll",
        roll,
        method="POST",
        action="webhooks.change",
        recent_sign_in=required("it shows a signing secret"),
        confirmation=confirm_roll,
    ),
    Page(
        "/webhooks/{endpoint}/end_old",
        end_old,
        method="POST",
        action="webhooks.change",
        recent_sign_in=_DESTRUCTIVE,
        confirmation=confirm_end_old,
    ),
)
