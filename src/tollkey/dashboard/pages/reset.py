"""Choosing a new password with a one-time link (``tollkey people reset``)."""

from __future__ import annotations

from tollkey.dashboard import activity, factors, people, sessions, throttle
from tollkey.dashboard.page import Answer, Context, FormErrors, NotFound, Page, Params, Redirect, Render, not_required
from tollkey.dashboard.people import Invitation, Person
from tollkey.db import Tx


def _link(tx: Tx, ctx: Context, params: Params) -> tuple[Invitation, Person]:
    found = people.invitation_of(tx, ctx.authority.keyring, params["token"], ctx.now)
    person = people.by_email(tx, found.email) if found is not None and not found.account else None
    if found is None or person is None:
        raise NotFound
    return found, person


def reset_form(ctx: Context, params: Params) -> Answer:
    """Show the form for a new password."""
    found, person = _link(ctx.tx, ctx, params)
    all = found.role == people.RESET_WITH_FACTORS
    kept = [] if all else factors.passkeys(ctx.tx, person.id)  # passkeys keep working, so the person is told about them
    return Render("signin/reset.html", {"email": person.email, "token": params["token"], "all": all, "kept": kept})


async def reset(ctx: Context, params: Params) -> Answer:
    """Store the new password, end every session, redirect to sign-in."""
    _, person = await ctx.read(lambda tx: _link(tx, ctx, params))
    weakness = await ctx.passwords.weakness(params.raw("password"), person.email, person.name)
    if weakness:
        raise FormErrors(password=weakness)
    hash = await ctx.passwords.hash(params.raw("password"))

    def store(tx: Tx) -> None:
        found, known = _link(tx, ctx, params)
        people.consume(tx, found)
        people.set_password(tx, known.id, hash)
        sessions.end_others(tx, known.id, None)
        throttle.clear(tx, known.email)
        if found.role == people.RESET_WITH_FACTORS:
            factors.remove_totp(tx, known.id)
            for passkey in factors.passkeys(tx, known.id):
                factors.remove_passkey(tx, known.id, passkey.id)
        activity.record(tx, ctx, "", "password_reset", person=known.id, by=found.created_by)

    await ctx.write(store)
    return Redirect("/login", "Your password was changed. Sign in with your new password.", session="")


PAGES = (
    Page("/reset/{token}", reset_form, scope="open"),
    Page(
        "/reset/{token}",
        reset,
        method="POST",
        scope="open",
        recent_sign_in=not_required("the one-time link proves the identity"),
        redisplay=reset_form,
    ),
)
