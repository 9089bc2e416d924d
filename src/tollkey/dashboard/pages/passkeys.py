"""Passkeys: adding, removing, signing in, confirming one's identity. Called by static/passkeys.js."""

from __future__ import annotations

from tollkey.dashboard import activity, factors, guard, passkey_flow, people, sessions, throttle
from tollkey.dashboard.page import (
    Answer,
    Confirmation,
    Context,
    Data,
    FormErrors,
    NotFound,
    Page,
    Params,
    Redirect,
    not_required,
    required,
)


def add_options(ctx: Context, params: Params) -> Answer:
    """Options for creating a passkey."""
    return Data(passkey_flow.registration_options(ctx))


def add(ctx: Context, params: Params) -> Answer:
    """Store a new passkey."""
    made = passkey_flow.register(ctx, params.raw("credential"), params.get("name"))
    activity.record(ctx.tx, ctx, "", "passkey_added", name=made.name)
    return Data({"to": ctx.url("/profile")})


def confirm_remove(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for removing a passkey."""
    found = next((one for one in factors.passkeys(ctx.tx, ctx.me.id) if one.id == params["passkey"]), None)
    if found is None:
        raise NotFound
    text = f"You will no longer be able to sign in with “{found.name}”. All your other sessions are signed out."
    return Confirmation("Remove passkey", text)


def remove(ctx: Context, params: Params) -> Answer:
    """Remove a passkey, and end every other session: one of them may have been started with it."""
    assert ctx.session is not None
    if not factors.remove_passkey(ctx.tx, ctx.me.id, params["passkey"]):
        raise NotFound
    activity.record(ctx.tx, ctx, "", "passkey_removed")
    ended = sessions.end_others(ctx.tx, ctx.me.id, ctx.session.id)
    return Redirect(ctx.url("/profile"), f"The passkey was removed. Other sessions signed out: {ended}.")


def sign_in_options(ctx: Context, params: Params) -> Answer:
    """Options for signing in with a passkey."""
    return Data(passkey_flow.sign_in_options(ctx))


def sign_in(ctx: Context, params: Params) -> Answer:
    """Start a full session, or confirm the identity in the current one. A passkey needs no second factor."""
    try:
        person = passkey_flow.signed_by(ctx, params.raw("credential"))
    except FormErrors:
        throttle.record_failure(ctx, "wrong_passkey")
        raise
    to = guard.safe_path(params.get("to"))
    if ctx.session is not None and ctx.session.stage == "full":
        if person != ctx.session.person:
            raise NotFound
        sessions.confirm(ctx.tx, ctx.session.id, ctx.now)
        return Data({"to": to})
    if ctx.session is not None:
        sessions.end(ctx.tx, ctx.session.person, ctx.session.id)
    known = people.by_id(ctx.tx, person)
    if known is None:
        raise NotFound
    activity.record(ctx.tx, ctx, "", "signed_in", person=person, passkey=True)
    token = sessions.start(
        ctx.tx,
        ctx.authority.keyring,
        ctx.ids,
        person=person,
        stage="full",
        now=ctx.now,
        ip=ctx.ip,
        agent=ctx.agent,
    )
    return Data({"to": to}, session=token)


_SIGNS_IN = required("it changes how the person signs in")
_IS_THE_PROOF = not_required("it is the form that proves the identity")

PAGES = (
    Page("/profile/passkeys/options", add_options, method="POST", scope="person", recent_sign_in=_SIGNS_IN),
    Page("/profile/passkeys", add, method="POST", scope="person", recent_sign_in=_SIGNS_IN),
    Page(
        "/profile/passkeys/{passkey}/remove",
        remove,
        method="POST",
        scope="person",
        recent_sign_in=_SIGNS_IN,
        confirmation=confirm_remove,
    ),
    Page("/login/passkey/options", sign_in_options, method="POST", scope="open", recent_sign_in=_IS_THE_PROOF),
    Page("/login/passkey", sign_in, method="POST", scope="open", recent_sign_in=_IS_THE_PROOF),
)
