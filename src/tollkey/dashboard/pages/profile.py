"""The profile of the signed-in person: name, password, sessions, authenticator app."""

from __future__ import annotations

from markupsafe import Markup

from tollkey.dashboard import activity, factors, people, sessions, throttle
from tollkey.dashboard.page import (
    Answer,
    Confirmation,
    Context,
    FormErrors,
    NotFound,
    Page,
    Params,
    Redirect,
    Render,
    not_required,
    required,
)
from tollkey.db import Tx


def profile(ctx: Context, params: Params) -> Answer:
    """Show the profile."""
    about = {
        "sessions": sessions.of_person(ctx.tx, ctx.me.id, ctx.now),
        "passkeys": factors.passkeys(ctx.tx, ctx.me.id),
        "recovery": factors.recovery_left(ctx.tx, ctx.me.id),
    }
    return Render("profile/index.html", about)


def rename(ctx: Context, params: Params) -> Answer:
    """Change the name."""
    people.set_name(ctx.tx, ctx.me.id, params.get("name"))
    return Redirect(ctx.url("/profile"), "Changes saved.")


def password_form(ctx: Context, params: Params) -> Answer:
    """Show the form for a new password."""
    return Render("profile/password.html")


async def change_password(ctx: Context, params: Params) -> Answer:
    """Store a new password and end all other sessions."""
    me, session, new = ctx.me, ctx.session, params.raw("new_password")
    assert session is not None
    await throttle.check_limit(ctx, me.email, "password")
    if not await ctx.passwords.matches(me.password, params.raw("password")):
        throttle.record_failure(ctx, "wrong_password", me.id)
        raise FormErrors(password="Incorrect password.")
    await ctx.write(lambda tx: throttle.uncount(tx, me.email, ctx.ip, ctx.now), throttle.LOCK)
    weakness = await ctx.passwords.weakness(new, me.email, me.name)
    if weakness:
        raise FormErrors(new_password=weakness)
    hash = await ctx.passwords.hash(new)

    def store(tx: Tx) -> int:
        if ctx.me.password != me.password:  # as of this transaction: it was changed meanwhile
            raise FormErrors(password="Incorrect password.")
        people.set_password(tx, me.id, hash)
        activity.record(tx, ctx, "", "password_changed", person=me.id)
        return sessions.end_others(tx, me.id, session.id)

    ended = await ctx.write(store)
    return Redirect(ctx.url("/profile"), f"Your password was changed. Other sessions signed out: {ended}.")


def end_session(ctx: Context, params: Params) -> Answer:
    """End one session."""
    if not sessions.end(ctx.tx, ctx.me.id, params["session"]):
        raise NotFound
    return Redirect(ctx.url("/profile"), "The session was signed out.")


def end_others(ctx: Context, params: Params) -> Answer:
    """End every session except this one."""
    assert ctx.session is not None
    ended = sessions.end_others(ctx.tx, ctx.me.id, ctx.session.id)
    return Redirect(ctx.url("/profile"), f"Other sessions signed out: {ended}.")


# -- authenticator app


def totp_begin(ctx: Context, params: Params) -> Answer:
    """Create a pending secret; it replaces one that was not activated."""
    factors.begin_totp(ctx.tx, ctx.authority.keyring, ctx.ids, ctx.me.id)
    return Redirect(ctx.url("/profile/totp"))


def totp_form(ctx: Context, params: Params) -> Answer:
    """Show the pending secret as QR code and text."""
    secret = factors.pending_totp(ctx.tx, ctx.authority.keyring, ctx.me.id)
    if secret is None:
        return Redirect(ctx.url("/profile"))
    qr = Markup(factors.qr_svg(factors.totp_uri(secret, ctx.me.email)))  # SVG from the QR library, without user input
    return Render("profile/totp.html", {"secret": secret, "qr": qr})


def totp_finish(ctx: Context, params: Params) -> Answer:
    """Activate the app with its first code, and show the recovery codes once."""
    codes = factors.finish_totp(ctx.tx, ctx.authority.keyring, ctx.ids, ctx.me.id, params.get("code"), ctx.now)
    if codes is None:
        raise FormErrors(
            code="This code is incorrect. Enter the current code, and check that the clock of your device is correct."
        )
    activity.record(ctx.tx, ctx, "", "totp_added")
    return Render("profile/recovery.html", {"codes": codes})


def confirm_totp_remove(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for removing the authenticator app."""
    return Confirmation(
        "Remove app", "Signing in will no longer require a code, and your recovery codes will stop working."
    )


def totp_remove(ctx: Context, params: Params) -> Answer:
    """Remove the authenticator app and the recovery codes."""
    factors.remove_totp(ctx.tx, ctx.me.id)
    activity.record(ctx.tx, ctx, "", "totp_removed")
    return Redirect(ctx.url("/profile"), "The authenticator app was removed.")


_SIGNS_IN = required("it changes how the person signs in")
_ENDS_SESSIONS = not_required("it only ends sessions, which is urgent after a device was lost")

PAGES = (
    Page("/profile", profile, scope="person"),
    Page(
        "/profile/name",
        rename,
        method="POST",
        scope="person",
        recent_sign_in=not_required("a name gives no access"),
        redisplay=profile,
    ),
    Page("/profile/password", password_form, scope="person", recent_sign_in=_SIGNS_IN),
    Page(
        "/profile/password",
        change_password,
        method="POST",
        scope="person",
        recent_sign_in=_SIGNS_IN,
        redisplay=password_form,
    ),
    Page("/profile/sessions/{session}/end", end_session, method="POST", scope="person", recent_sign_in=_ENDS_SESSIONS),
    Page("/profile/end_others", end_others, method="POST", scope="person", recent_sign_in=_ENDS_SESSIONS),
    Page("/profile/totp/begin", totp_begin, method="POST", scope="person", recent_sign_in=_SIGNS_IN),
    Page("/profile/totp", totp_form, scope="person", recent_sign_in=_SIGNS_IN),
    Page("/profile/totp", totp_finish, method="POST", scope="person", recent_sign_in=_SIGNS_IN, redisplay=totp_form),
    Page(
        "/profile/totp/remove",
        totp_remove,
        method="POST",
        scope="person",
        recent_sign_in=_SIGNS_IN,
        confirmation=confirm_totp_remove,
    ),
)
