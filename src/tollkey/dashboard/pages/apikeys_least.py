"""Least privilege on a key's page: its unused permissions, their removal, and taking that back."""

from __future__ import annotations

from typing import Any

from tollkey.dashboard.keys import found, labels
from tollkey.dashboard.page import (
    Answer,
    Confirmation,
    Context,
    FormErrors,
    Page,
    Params,
    Redirect,
    required,
)
from tollkey.keys import Key, KeyRefused
from tollkey.keys.observing import Need, Proposal, apply, latest, proposal_of, undo

_MOST_ROWS = 20


def proposed(ctx: Context, key: Key) -> dict[str, Any]:
    """Return what the page of a restricted key shows about its unused permissions."""
    proposal, done = proposal_of(ctx.tx, ctx.authority, key, None), latest(ctx.tx, ctx.scope, key.id)
    undoable = (
        done is not None
        and done.undone_at is None
        and (done.became, done.connect_became) == (key.permissions, key.connect_permissions)
    )
    return {
        "requests": proposal.observed.requests,
        "since": proposal.observed.since,
        "used": bool(proposal.observed.needs),
        "unused": labels(ctx, proposal.removed),
        "connect_unused": labels(ctx, proposal.connect_removed),
        "kept": labels(ctx, proposal.permissions | proposal.connect_permissions),
        "lacked": [_row(ctx, need) for need in proposal.observed.lacked[:_MOST_ROWS]],
        "undoable": done if undoable else None,
    }


def _row(ctx: Context, need: Need) -> tuple[str, list[str], int]:
    return need.route, labels(ctx, need.permissions | need.connect_permissions), need.requests


def _proposal(ctx: Context, key: Key) -> Proposal:
    """Return the proposal for a key. Raises FormErrors when it would change nothing."""
    proposal = proposal_of(ctx.tx, ctx.authority, key, None)
    if key.kind != "restricted" or not proposal.observed.needs or not proposal.changes:
        raise FormErrors(
            {"": "There are no unused permissions: the key used all of them, or has made no requests yet."}
        )
    return proposal


def confirm_tighten(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for removing unused permissions."""
    proposal = _proposal(ctx, found(ctx, params))
    kept = ", ".join(labels(ctx, proposal.permissions | proposal.connect_permissions)) or "nothing"
    text = f"The key keeps: {kept}. All other permissions will be removed. You can take this back on the key's page."
    return Confirmation("Remove unused permissions", text)


def tighten(ctx: Context, params: Params) -> Answer:
    """Remove the unused permissions of a key."""
    key = found(ctx, params)
    apply(ctx.tx, ctx.authority, _proposal(ctx, key), actor=ctx.actor, now=ctx.now)
    return Redirect(ctx.url(f"/apikeys/{key.id}"), "Unused permissions were removed.")


def loosen(ctx: Context, params: Params) -> Answer:
    """Give a key back the permissions that were removed as unused."""
    key = found(ctx, params)
    try:
        undo(ctx.tx, ctx.authority, key, actor=ctx.actor, now=ctx.now)
    except KeyRefused as refused:
        raise FormErrors({"": str(refused)}) from None
    return Redirect(ctx.url(f"/apikeys/{key.id}"), "The key has its earlier permissions again.")


PAGES = (
    Page(
        "/apikeys/{key}/tighten",
        tighten,
        method="POST",
        action="keys.edit",
        recent_sign_in=required("it can stop services that use the key"),
        confirmation=confirm_tighten,
    ),
    Page(
        "/apikeys/{key}/loosen",
        loosen,
        method="POST",
        action="keys.edit",
        recent_sign_in=required("it extends the access of a key"),
    ),
)
