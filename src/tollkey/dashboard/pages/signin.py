"""Signing in and out, the one-time link of the owner, invitations, and proving again who one is."""

from __future__ import annotations

from urllib.parse import quote

from tollkey.dashboard import activity, factors, guard, people, roles, sessions, throttle
from tollkey.dashboard.page import Answer, Context, FormErrors, NotFound, Page, Params, Redirect, Render, not_required
from tollkey.dashboard.people import OWNER_LINK, Invitation, PeopleRefused, Person
from tollkey.db import Tx

_WRONG_CODE = "This code is incorrect or has already been used. Enter the current code."


def home(ctx: Context, params: Params) -> Answer:
    """The first page: the API keys of the first account, in test mode."""
    if ctx.person is None:
        return Redirect("/login")
    return Redirect(ctx.url("/apikeys")) if ctx.accounts else Render("no_account.html")


def sign_in_form(ctx: Context, params: Params) -> Answer:
    """Ask for address and password; before there is an owner, say where the link is."""
    to = guard.safe_path(params.get("to"))
    if ctx.person is not None:
        return Redirect(to)
    return Render("signin/login.html", {"to": to, "owned": people.has_owner(ctx.tx)})


async def sign_in(ctx: Context, params: Params) -> Answer:
    """Check address and password, and begin a session."""
    email, password, to = params.get("email"), params.raw("password"), guard.safe_path(params.get("to"))
    await throttle.check_limit(ctx, email)
    person = await ctx.read(lambda tx: people.by_email(tx, email))
    if not await ctx.passwords.matches(person.password if person is not None else None, password) or person is None:
        throttle.record_failure(ctx, "wrong_password", person.id if person is not None else "")
        raise FormErrors({"": "Incorrect email or password."})
    known = person

    def work(tx: Tx) -> tuple[str, str]:
        second = factors.needed(tx, known)
        throttle.uncount(tx, email, ctx.ip, ctx.now)
        if not second:
            throttle.clear(tx, email)
        return ("second" if second else "full"), _begin(tx, ctx, known, "second" if second else "full")

    stage, token = await ctx.write(work, throttle.LOCK)
    return Redirect(to if stage == "full" else f"/login/second?to={quote(to)}", session=token)


def _begin(tx: Tx, ctx: Context, person: Person, stage: str) -> str:
    """A new session in place of the one there was, and a line in the log once it is whole."""
    if ctx.session is not None:
        sessions.end(tx, ctx.session.person, ctx.session.id)
    if stage == "full":
        activity.record(tx, ctx, "", "signed_in", person=person.id)
    return sessions.start(
        tx, ctx.authority.keyring, ctx.setup.ids, person=person.id, stage=stage, now=ctx.now, ip=ctx.ip, agent=ctx.agent
    )


def sign_out(ctx: Context, params: Params) -> Answer:
    """End this session."""
    assert ctx.session is not None
    sessions.end(ctx.tx, ctx.session.person, ctx.session.id)
    return Redirect("/login", "You are signed out.", session="")


# -- the second factor


def _half(ctx: Context) -> str:
    """The person whose second factor is missing."""
    if ctx.session is None or ctx.session.stage != "second":
        raise NotFound
    return ctx.session.person


def second_form(ctx: Context, params: Params) -> Answer:
    """Ask for the code of the authenticator app, or for a passkey."""
    person = people.by_id(ctx.tx, _half(ctx))
    passkeys = bool(person and factors.passkeys(ctx.tx, person.id))
    about = {"to": guard.safe_path(params.get("to")), "passkeys": passkeys, "totp": bool(person and person.totp)}
    return Render("signin/second.html", about)


async def second(ctx: Context, params: Params) -> Answer:
    """Check the code and make the session whole, under a new token."""
    id, code = _half(ctx), params.get("code")
    await throttle.check_limit(ctx, id)

    def work(tx: Tx) -> str | None:
        person = people.by_id(tx, id)
        if person is None or not factors.check_code(tx, ctx.authority.keyring, id, code, ctx.now):
            return None
        throttle.uncount(tx, id, ctx.ip, ctx.now)
        throttle.clear(tx, id)
        throttle.clear(tx, person.email)
        return _begin(tx, ctx, person, "full")

    token = await ctx.write(work, throttle.LOCK)
    if token is None:
        throttle.record_failure(ctx, "wrong_code", id)
        raise FormErrors(code=_WRONG_CODE)
    return Redirect(guard.safe_path(params.get("to")), session=token)


# -- proving again who one is


def confirm_form(ctx: Context, params: Params) -> Answer:
    """Ask once more for what signing in asks for."""
    about = {
        "to": guard.safe_path(params.get("to")),
        "passkeys": bool(factors.passkeys(ctx.tx, ctx.me.id)),
        "totp": ctx.me.totp,
    }
    return Render("signin/confirm.html", about)


async def confirm(ctx: Context, params: Params) -> Answer:
    """Check what signing in checks: the password, and the second factor of who has one.

    A code of the authenticator app goes with the password; a passkey is both in one (``pages/passkeys.py``).
    """
    person, session = ctx.me, ctx.session
    assert session is not None
    if not person.totp and await ctx.read(lambda tx: bool(factors.passkeys(tx, person.id))):
        raise FormErrors({"": "A password is not enough. Use your passkey."})
    await throttle.check_limit(ctx, person.email)
    if not await ctx.passwords.matches(person.password, params.raw("password")):
        throttle.record_failure(ctx, "wrong_password", person.id)
        raise FormErrors(password="Incorrect password.")

    def work(tx: Tx) -> bool:
        if person.totp and not factors.check_code(tx, ctx.authority.keyring, person.id, params.get("code"), ctx.now):
            return False
        throttle.uncount(tx, person.email, ctx.ip, ctx.now)
        throttle.clear(tx, person.email)
        sessions.confirm(tx, session.id, ctx.now)
        return True

    if not await ctx.write(work, throttle.LOCK):
        throttle.record_failure(ctx, "wrong_code", person.id)
        raise FormErrors(code=_WRONG_CODE)
    return Redirect(guard.safe_path(params.get("to")))


# -- links: the owner's and invitations


def _invitation(tx: Tx, ctx: Context, params: Params) -> Invitation:
    found = people.invitation_of(tx, ctx.authority.keyring, params["token"], ctx.now)
    if found is None or not found.account:  # a link for a new password belongs to no account
        raise NotFound
    return found


def join_form(ctx: Context, params: Params) -> Answer:
    """What a link offers: to become the owner, or to join a team."""
    found = people.invitation_of(ctx.tx, ctx.authority.keyring, params["token"], ctx.now)
    if found is None or not found.account:
        text = (
            "It was already used, was revoked or is too old. Ask for a new link. The owner's link is printed when the "
            "server starts."
        )
        return Render("error.html", {"title": "This link has expired", "text": text}, 404)
    name = ctx.tx.execute("SELECT name FROM merchants WHERE id = ?", (found.account,))[0][0]
    first = found.email == OWNER_LINK
    known = not first and people.by_email(ctx.tx, found.email) is not None
    role = roles.LABELS[found.role]
    about = {
        "invitation": found,
        "account": name,
        "first": first,
        "known": known,
        "role": role,
        "token": params["token"],
    }
    return Render("signin/join.html", about)


async def join(ctx: Context, params: Params) -> Answer:
    """Use the link: a new person with a password, or the one who is signed in."""
    found = await ctx.read(lambda tx: _invitation(tx, ctx, params))
    if ctx.person is not None:
        return await _join_signed_in(ctx, params)
    email, name, password = found.email, params.get("name"), params.raw("password")
    if email == OWNER_LINK:
        email = params.get("email")
    errors: dict[str, str] = {}
    for check, text in ((people.normal_email, email), (people.normal_name, name)):
        try:
            check(text)
        except PeopleRefused as problem:
            errors[problem.field] = problem.message
    weakness = await ctx.passwords.weakness(password, email, name)
    if weakness:
        errors["password"] = weakness
    if errors:
        raise FormErrors(errors)
    hash = await ctx.passwords.hash(password)

    def work(tx: Tx) -> str:
        person = people.add_person(tx, ctx.setup.ids, email=email, name=name, password=hash, now=ctx.now)
        _accept(tx, ctx, params, person.id)
        return _begin(tx, ctx, person, "full")

    token = await ctx.write(work)
    return Redirect("/", f"Welcome, {name}.", session=token)


async def _join_signed_in(ctx: Context, params: Params) -> Answer:
    me = ctx.me

    def work(tx: Tx) -> str:
        found = _invitation(tx, ctx, params)
        if found.email not in (me.email, OWNER_LINK):
            raise FormErrors({"": f"This invitation is for {found.email}. Sign out, then open the link again."})
        _accept(tx, ctx, params, me.id)
        return found.account

    account = await ctx.write(work)
    return Redirect(f"/{account}/test/apikeys", "You joined the team.")


def _accept(tx: Tx, ctx: Context, params: Params, person: str) -> None:
    found = _invitation(tx, ctx, params)
    people.accept(tx, found, person, ctx.now)
    activity.record(tx, ctx, found.account, "member_joined", person=person, about=person, role=found.role)


_IS_THE_PROOF = not_required("it is how one proves who one is")

PAGES = (
    Page("/", home, scope="open"),
    Page("/dashboard", home, scope="open"),
    Page("/login", sign_in_form, scope="open"),
    Page("/login", sign_in, method="POST", scope="open", recent_sign_in=_IS_THE_PROOF, redisplay=sign_in_form),
    Page("/login/second", second_form, scope="open"),
    Page("/login/second", second, method="POST", scope="open", recent_sign_in=_IS_THE_PROOF, redisplay=second_form),
    Page(
        "/logout",
        sign_out,
        method="POST",
        scope="person",
        recent_sign_in=not_required("it ends a session: whoever finds one open is welcome to"),
    ),
    Page("/confirm", confirm_form, scope="person"),
    Page("/confirm", confirm, method="POST", scope="person", recent_sign_in=_IS_THE_PROOF, redisplay=confirm_form),
    Page("/join/{token}", join_form, scope="open"),
    Page(
        "/join/{token}",
        join,
        method="POST",
        scope="open",
        recent_sign_in=not_required("the link is the proof, and works once"),
        redisplay=join_form,
    ),
)
