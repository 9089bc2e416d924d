"""Changing keys: create, duplicate, reveal, roll, edit, restrict, hide, delete."""

from __future__ import annotations

import re
from typing import Any, Literal

from tollkey.dashboard import matrix, metadata
from tollkey.dashboard.keys import found
from tollkey.dashboard.page import (
    Answer,
    Confirmation,
    Context,
    Data,
    FormErrors,
    Page,
    Params,
    Redirect,
    Render,
    required,
)
from tollkey.keys import Key, KeyRefused
from tollkey.keys.limits import ROLL_EXPIRATIONS

_EXPIRATIONS = (
    (
        "now",
        "Now",
        "The old key is refused immediately. Choose this if the key may have leaked.",
    ),
    ("in_1_hour", "In 1 hour", "Enough time for one deployment."),
    ("in_24_hours", "In 24 hours", "Enough time to replace the key everywhere within a day."),
    ("in_3_days", "In 3 days", "Enough time over a weekend."),
    ("in_7_days", "In 7 days", "The maximum. Both keys work until then."),
)


def _allowlist(params: Params) -> list[str]:
    return [entry for entry in re.split(r"[\s,]+", params.get("ip_allowlist")) if entry]


# -- create


def create_form(ctx: Context, params: Params) -> Answer:
    """Show the form for a new key, filled in from a link, a template or another key."""
    kind = "secret" if params.get("kind") == "secret" else "restricted"
    granted, connected, name, allowlist = frozenset[str](), frozenset[str](), params.get("name"), ""
    copied = ctx.authority.get(ctx.tx, ctx.scope, params.get("from")) if params.get("from") else None
    catalogue = ctx.authority.catalogue
    if copied is not None:
        kind, name = copied.kind, name or copied.name
        granted, connected, allowlist = copied.permissions, copied.connect_permissions, "\n".join(copied.ip_allowlist)
    granted |= matrix.template_grants(ctx.product.templates, params.get("template"), catalogue)
    linked, unknown = _linked(params, ctx)
    about = {
        "kind": kind, "name": name, "allowlist": allowlist, "unknown": unknown, "templates": ctx.product.templates,
        "template": params.get("template"), "copied": copied,
        "metadata": metadata.rows(ctx, copied.metadata if copied is not None else {}),
        **_editor(ctx, params, granted | linked, connected),
    }  # fmt: skip
    return Render("keys/create.html", about)


def _linked(params: Params, ctx: Context) -> tuple[frozenset[str], list[str]]:
    """The known and unknown permissions of a link such as ``?name=…&permissions[]=rak_…``."""
    known, unknown = set(), []
    for name in params.all("permissions[]"):
        try:
            known.add(ctx.authority.catalogue.canonical(name))
        except KeyRefused:
            unknown.append(name[:80])
    return frozenset(known), unknown


def _editor(ctx: Context, params: Params, granted: frozenset[str], connected: frozenset[str]) -> dict[str, Any]:
    """Context of the permission editor. A form that is shown again keeps its choices."""
    catalogue = ctx.authority.catalogue
    if ctx.values is not None:
        granted, connected = matrix.selected(ctx.values, catalogue), matrix.selected(ctx.values, catalogue, "c")
    wide = bool(connected) or params.get("connect") == "1" or ctx.product.has_connected(ctx.tx, ctx.scope)
    return {"groups": matrix.groups(catalogue, granted, connected), "connect": wide}


def create(ctx: Context, params: Params) -> Answer:
    """Create the key and show its text."""
    if params.get("kind") not in ("secret", "restricted"):
        raise FormErrors(kind="Choose secret or restricted.")
    kind: Literal["secret", "restricted"] = "secret" if params.get("kind") == "secret" else "restricted"
    grants, connect = frozenset[str](), frozenset[str]()
    if kind == "restricted":
        grants, connect = (
            matrix.chosen(params, ctx.authority.catalogue),
            matrix.chosen(params, ctx.authority.catalogue, "c"),
        )
        if not grants and not connect:
            raise FormErrors(permissions="Select at least one permission.")
    if not params.get("name"):
        raise FormErrors(name="Enter a name for the key.")
    days = params.number("expires_days", 0, most=3650)
    uses, rotate = _limits(ctx, params)
    key, text = ctx.authority.create(
        ctx.tx, ctx.scope, kind, actor=ctx.actor, now=ctx.now, name=params.get("name"), note=params.get("note"),
        permissions=grants, connect_permissions=connect, ip_allowlist=_allowlist(params),
        expires_at=ctx.now + days * 86400 if days else None, metadata=metadata.chosen(params),
        max_uses=uses, rotate_every=rotate and rotate * 86400,
    )  # fmt: skip
    return Render("keys/shown.html", {"key": key, "text": text, "why": "created"})


def _limits(ctx: Context, params: Params) -> tuple[int | None, int | None]:
    """The number of requests that a new key is for, and the days between its rotations: for a library's keys."""
    return (None, None) if ctx.for_payments else (_count(params, "max_uses"), _count(params, "rotate_every"))


def _count(params: Params, name: str) -> int | None:
    """A field for a positive number, or None if it is empty. Raises FormErrors for other text."""
    text = params.get(name)
    if not text:
        return None
    number = params.number(name, 0)
    if number < 1:
        raise FormErrors({name: "Enter a whole number from 1, or nothing."})
    return number


# -- reveal


def reveal_form(ctx: Context, params: Params) -> Answer:
    """Show the form for revealing a key, with its notes."""
    return Render("keys/reveal.html", {"key": found(ctx, params)})


def reveal(ctx: Context, params: Params) -> Answer:
    """Reveal a key, and store its notes. A live secret or restricted key can be revealed once."""
    key = found(ctx, params)
    if "note" in params:
        ctx.authority.update(ctx.tx, ctx.scope, key.id, actor=ctx.actor, now=ctx.now, note=params.get("note"))
    key, text = ctx.authority.reveal(ctx.tx, ctx.scope, key.id, actor=ctx.actor, now=ctx.now)
    if ctx.wants_json:
        return Data({"id": key.id, "secret": text})
    return Render("keys/shown.html", {"key": key, "text": text, "why": "revealed"})


# -- roll and expiry


def roll_form(ctx: Context, params: Params) -> Answer:
    """Show the form for the expiration of the old key."""
    return Render("keys/roll.html", {"key": found(ctx, params), "expirations": _EXPIRATIONS})


def roll(ctx: Context, params: Params) -> Answer:
    """Roll a key: create its successor and let the old key expire."""
    key = found(ctx, params)
    if params.get("expires_in") not in ROLL_EXPIRATIONS:
        raise FormErrors(expires_in="Choose when the old key expires.")
    seconds = ROLL_EXPIRATIONS[params.get("expires_in")]
    old, new, text = ctx.authority.roll(ctx.tx, ctx.scope, key.id, seconds, actor=ctx.actor, now=ctx.now)
    if text is not None and new.kind != "publishable":
        return Render("keys/shown.html", {"key": new, "text": text, "why": "rolled", "old": old})
    words = (
        "The new key works now. The old key still works."
        if seconds
        else "The new key works now. The old key no longer works."
    )
    hint = " Reveal it once, when you are ready to store it." if new.kind != "publishable" else ""
    return Redirect(ctx.url(f"/apikeys/{new.id}"), words + hint)


def confirm_expire(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for expiring a key."""
    return Confirmation(
        "Expire now",
        f"The key {found(ctx, params).redacted} will be refused immediately. This cannot be undone.",
    )


def expire(ctx: Context, params: Params) -> Answer:
    """Expire a key now."""
    key = found(ctx, params)
    ctx.authority.expire_now(ctx.tx, ctx.scope, key.id, actor=ctx.actor, now=ctx.now)
    return Redirect(ctx.url(f"/apikeys/{key.id}"), f"{key.redacted} has expired and is now refused.")


def cancel_expiry(ctx: Context, params: Params) -> Answer:
    """Cancel a pending expiration."""
    key = found(ctx, params)
    ctx.authority.cancel_expiry(ctx.tx, ctx.scope, key.id, actor=ctx.actor, now=ctx.now)
    return Redirect(ctx.url(f"/apikeys/{key.id}"), f"{key.redacted} no longer expires.")


# -- edit


def edit_form(ctx: Context, params: Params) -> Answer:
    """Show the form for a key."""
    key = found(ctx, params)
    editor = _editor(ctx, params, key.permissions, key.connect_permissions)
    others = sorted(_undeclared(ctx, key.permissions | key.connect_permissions))
    about = {"key": key, "others": others, "metadata": metadata.rows(ctx, key.metadata)}
    return Render("keys/edit.html", {**about, **editor})


def edit(ctx: Context, params: Params) -> Answer:
    """Store the changes."""
    key = found(ctx, params)
    changes: dict[str, Any] = {name: params.get(name) for name in ("name", "note") if name in params}
    if "ip_allowlist" in params and key.kind != "publishable":
        changes["ip_allowlist"] = _allowlist(params)
    if metadata.NAME in params:
        changes["metadata"] = metadata.change(key.metadata, metadata.chosen(params))
    if key.kind == "restricted" and "matrix" in params:
        changes |= _permissions(ctx, params, key)
    ctx.authority.update(ctx.tx, ctx.scope, key.id, actor=ctx.actor, now=ctx.now, **changes)
    return Redirect(ctx.url(f"/apikeys/{key.id}"), "Changes saved.")


def _undeclared(ctx: Context, grants: frozenset[str]) -> frozenset[str]:
    return frozenset(grant for grant in grants if not ctx.authority.catalogue.declares(grant))


def _permissions(ctx: Context, params: Params, key: Key) -> dict[str, frozenset[str]]:
    """The changed permissions of a key. Raises FormErrors if none is left, or the key has some that are not declared.

    Those that are not declared are not in the form: a form that changes nothing else keeps them.
    """
    catalogue = ctx.authority.catalogue
    chosen = matrix.chosen(params, catalogue), matrix.chosen(params, catalogue, "c")
    present = key.permissions, key.connect_permissions
    others = ", ".join(sorted(_undeclared(ctx, present[0] | present[1])))
    if others:
        if chosen == tuple(grants - _undeclared(ctx, grants) for grants in present):
            return {}
        raise FormErrors(
            permissions=f"This key has permissions that are not declared here ({others}). Declare them first."
        )
    if not any(chosen):
        raise FormErrors(permissions="Select at least one permission. To stop the key, pause or delete it.")
    return {"permissions": chosen[0], "connect_permissions": chosen[1]}


def confirm_hide(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for hiding a key."""
    key = found(ctx, params)
    text = f"Nobody will be able to reveal the key {key.redacted} again. The key itself keeps working."
    return Confirmation("Hide live key", text)


def hide(ctx: Context, params: Params) -> Answer:
    """Hide a live key: delete the copy that could be revealed."""
    key = ctx.authority.hide(ctx.tx, ctx.scope, found(ctx, params).id, actor=ctx.actor, now=ctx.now)
    return Redirect(ctx.url(f"/apikeys/{key.id}"), "The key is hidden and cannot be revealed again.")


def confirm_disable(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for pausing a key."""
    text = f"Requests with the key {found(ctx, params).redacted} will be refused within a second, until you resume it."
    return Confirmation("Pause key", text)


def disable(ctx: Context, params: Params) -> Answer:
    """Pause a key."""
    key = ctx.authority.disable(ctx.tx, ctx.scope, found(ctx, params).id, actor=ctx.actor, now=ctx.now)
    return Redirect(ctx.url(f"/apikeys/{key.id}"), f"{key.redacted} is paused: requests with it are refused.")


def confirm_enable(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for resuming a key."""
    return Confirmation("Resume key", f"Requests with the key {found(ctx, params).redacted} will be accepted again.")


def enable(ctx: Context, params: Params) -> Answer:
    """Resume a paused key."""
    key = ctx.authority.enable(ctx.tx, ctx.scope, found(ctx, params).id, actor=ctx.actor, now=ctx.now)
    return Redirect(ctx.url(f"/apikeys/{key.id}"), f"{key.redacted} is active: requests with it are accepted.")


def delete_form(ctx: Context, params: Params) -> Answer:
    """Show the confirmation for deleting a key, with its last use."""
    key: Key = found(ctx, params)
    return Render(
        "keys/delete.html", {"key": key, "usage": ctx.authority.usages(ctx.tx, ctx.scope, [key.id]).get(key.id)}
    )


def delete(ctx: Context, params: Params) -> Answer:
    """Delete a key."""
    key = ctx.authority.revoke(ctx.tx, ctx.scope, found(ctx, params).id, actor=ctx.actor, now=ctx.now)
    return Redirect(ctx.url("/apikeys"), f"{key.name} ({key.redacted}) was deleted.")


_MAKES = required("a new key gives access")
_SHOWS = required("it shows a key")
_ROLLS = required("it creates and shows a key, and expires another")
_EDITS = required("it can extend the access of a key")
_ENDS = required("it cannot be undone and can stop services that use the key")

PAGES = (
    Page("/apikeys/create", create_form, action="keys.create", recent_sign_in=_MAKES),
    Page("/apikeys/create", create, method="POST", action="keys.create", recent_sign_in=_MAKES, redisplay=create_form),
    Page("/apikeys/{key}/reveal", reveal_form, action="keys.reveal", recent_sign_in=_SHOWS),
    Page(
        "/apikeys/{key}/reveal",
        reveal,
        method="POST",
        action="keys.reveal",
        recent_sign_in=_SHOWS,
        redisplay=reveal_form,
    ),
    Page("/apikeys/{key}/roll", roll_form, action="keys.roll", recent_sign_in=_ROLLS),
    Page("/apikeys/{key}/roll", roll, method="POST", action="keys.roll", recent_sign_in=_ROLLS, redisplay=roll_form),
    Page(
        "/apikeys/{key}/expire",
        expire,
        method="POST",
        action="keys.roll",
        recent_sign_in=_ENDS,
        confirmation=confirm_expire,
    ),
    Page(
        "/apikeys/{key}/cancel_expiry",
        cancel_expiry,
        method="POST",
        action="keys.roll",
        recent_sign_in=required("it extends the life of a key"),
    ),
    Page("/apikeys/{key}/edit", edit_form, action="keys.edit", recent_sign_in=_EDITS),
    Page("/apikeys/{key}/edit", edit, method="POST", action="keys.edit", recent_sign_in=_EDITS, redisplay=edit_form),
    Page(
        "/apikeys/{key}/disable",
        disable,
        method="POST",
        action="keys.edit",
        recent_sign_in=_ENDS,
        confirmation=confirm_disable,
    ),
    Page(
        "/apikeys/{key}/enable",
        enable,
        method="POST",
        action="keys.edit",
        recent_sign_in=_EDITS,
        confirmation=confirm_enable,
    ),
    Page(
        "/apikeys/{key}/hide", hide, method="POST", action="keys.hide", recent_sign_in=_ENDS, confirmation=confirm_hide
    ),
    Page("/apikeys/{key}/delete", delete_form, action="keys.delete", recent_sign_in=_ENDS),
    Page(
        "/apikeys/{key}/delete",
        delete,
        method="POST",
        action="keys.delete",
        recent_sign_in=_ENDS,
        redisplay=delete_form,
    ),
)
