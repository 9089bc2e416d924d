"""API keys: the list, one key, and help for lost keys."""

from __future__ import annotations

from typing import Any

from tollkey.dashboard.keys import found, labels
from tollkey.dashboard.naming import action_label, actor_label, person_names
from tollkey.dashboard.page import Answer, Context, Nav, NotFound, Page, Params, Render
from tollkey.dashboard.pages.apikeys_least import proposed
from tollkey.dashboard.usage_charts import charts
from tollkey.keys import Key, audit
from tollkey.keys.actors import Actor
from tollkey.keys.succession import old_key_use

_PAGE = 100
_MOST_SECRET = 200  # secret keys on the page


def index(ctx: Context, params: Params) -> Answer:
    """List the keys of this mode."""
    ended = params.get("ended") == "1"
    active_at = None if ended else ctx.now
    after = params.get("after") or None
    if after is not None and ctx.authority.get(ctx.tx, ctx.scope, after) is None:
        raise NotFound

    def keys(kind: Any, limit: int, after: str | None = None) -> tuple[Key, ...]:
        return ctx.authority.list(ctx.tx, ctx.scope, active_at=active_at, kind=kind, limit=limit, after=after)

    restricted = keys("restricted", _PAGE + 1, after)
    publishable, secret = ((), ()) if after else (keys("publishable", _PAGE + 1), keys("secret", _MOST_SECRET + 1))
    standard = (*publishable[:_PAGE], *secret[:_MOST_SECRET])
    older = (
        ctx.url("/apikeys", after=restricted[_PAGE - 1].id, ended=1 if ended else None)
        if len(restricted) > _PAGE
        else ""
    )
    about = {
        "standard": sorted(standard, key=lambda key: (key.kind == "secret", not key.is_default, -key.created)),
        "restricted": restricted[:_PAGE],
        "usages": ctx.authority.usages(ctx.tx, ctx.scope, [key.id for key in (*standard, *restricted)]),
        "cut": len(standard) < len(publishable) + len(secret),
        "older": older,
        "newer": ctx.url("/apikeys", ended=1 if ended else None) if after else "",
        "ended": ended,
    }
    return Render("keys/index.html", about)


def one(ctx: Context, params: Params) -> Answer:
    """Show a key with its requests, history and unused permissions."""
    key = found(ctx, params)
    history = audit.entries(ctx.tx, ctx.scope, key.id, limit=100)
    made_by = Actor(*key.created_by.split(":", 1)) if ":" in key.created_by else Actor("system", key.created_by)
    names = person_names(ctx.tx, [made_by.id, *(entry.actor.id for entry in history)])
    about = {
        "key": key,
        "old_use": old_key_use(ctx.tx, ctx.authority, key),
        "usage": ctx.authority.usages(ctx.tx, ctx.scope, [key.id]).get(key.id),
        "requests": ctx.product.requests_of(ctx.tx, ctx.scope, key.id),
        "history": [
            (entry, action_label(entry.action, entry.became), actor_label(entry.actor, names), changes(entry))
            for entry in history
        ],
        "made_by": actor_label(made_by, names),
        "permissions": labels(ctx, key.permissions),
        "connect": labels(ctx, key.connect_permissions),
        "charts": charts(ctx.tx, ctx.scope, ctx.now, key.id),
        "caps": ctx.product.caps_of(key),
        "used": proposed(ctx, key) if key.kind == "restricted" else None,
    }
    return Render("keys/one.html", about)


_KEYS = {"rolled_from", "replaced_by"}
_TIMES = {"expires_at", "revoked_at", "revealed_at", "hidden_at", "disabled_at"}


def changes(entry: audit.AuditEntry) -> list[tuple[str, str, Any, Any]]:
    """The changes of an audit log entry: (field, format, before, after)."""
    if entry.action == "created":
        origin = entry.became.get("rolled_from")
        return [("in place of", "key", None, origin)] if origin else []
    return [
        (name.replace("_", " "), _how(name, after), entry.was.get(name), after)
        for name, after in entry.became.items()
        if name != "is_default"
    ]


def _how(name: str, after: Any) -> str:
    if name in _KEYS and after:
        return "key"
    if name in _TIMES:
        return "time"
    return "list" if isinstance(after, list) else "map" if isinstance(after, dict) else "text"


def lost(ctx: Context, params: Params) -> Answer:
    """Show help for lost and leaked keys."""
    return Render("keys/lost.html")


PAGES = (
    Page("/apikeys", index, action="keys.see", nav=Nav("Developers", "API keys", 10)),
    Page("/apikeys/lost", lost, action="keys.see"),
    Page("/apikeys/{key}", one, action="keys.see"),
)
