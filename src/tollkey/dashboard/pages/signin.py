"""Sign-in with two-step authentication, sign-out, confirming one's identity, one-time links for owners and members."""

from __future__ import annotations

from urllib.parse import quote

from tollkey.dashboard import activity, factors, guard, people, roles, sessions, throttle
from tollkey.dashboard.page import Answer, Context, FormErrors, NotFound, Page, Params, Redirect, Render, not_required
from tollkey.dashboard.people import OWNER_LINK, Invitation, PeopleRefused, Person
from tollkey.db import Tx

_WRONG_PASSWORD = "Incorrect email or password."
_WRONG_CODE = "This code is incorrect or has already been used. Enter the current code."


def home(ctx: Context, params: Params) -> Answer:
    """Redirect to the first page of the first account."""
    if ctx.person is None:
        return Redirect("/login")
    return Redirect(ctx.url(ctx.product.start)) if ctx.accounts else Render("no_account.html")


def sign_in_form(ctx: Context, params: Params) -> Answer:
    """Show the sign-in form."""
    to = guard.safe_path(params.get("to"))
    if ctx.person is not None:
        return Redirect(to)
    return Render("signin/login.html", {"to": to, "owned": people.has_owner(ctx.tx)})


async def sign_in(ctx: Context, params: Params) -> Answer:
    """Check email and password, and start a session."""
    email, password, to = params.get("email"), params.raw("password"), guard.safe_path(params.get("to"))
    await throttle.check_limit(ctx, email)
    person = await ctx.read(lambda tx: people.by_email(tx, email))
    if not await ctx.passwords.matches(person.password if person is not None else None, password) or person is None:
        throttle.record_failure(ctx, "wrong_password", person.id if person is not None else "")
        raise FormErrors({"": _WRONG_PASSWORD})
    known = person

    def start_session(tx: Tx) -> tuple[str, str]:
        current = people.by_id(tx, known.id)  # password and factors may have changed while the password was checked
        if current is None or current.password != known.password:
            raise FormErrors({"": _WRONG_PASSWORD})
        second = factors.second_factor_required(tx, current)
        throttle.uncount(tx, email, ctx.ip, ctx.now)
        if not second:
            throttle.clear(tx, email)
        stage = "second" if second else "full"
        return stage, _start_session(tx, ctx, current, stage)

    stage, token = await ctx.write(start_session, throttle.LOCK)
    return Redirect(to if stage == "full" else f"/login/second?to={quote(to)}", session=token)


def _start_session(tx: Tx, ctx: Context, person: Person, stage: str) -> str:
    """Replace the session by a new one. Returns its token. A full session is recorded in the audit log."""
    if ctx.session is not None:
        sessions.end(tx, ctx.session.person, ctx.session.id)
    if stage == "full":
        activity.record(tx, ctx, "", "signed_in", person=person.id)
    return sessions.start(
        tx, ctx.authority.keyring, ctx.ids, person=person.id, stage=stage, now=ctx.now, ip=ctx.ip, agent=ctx.agent
    )


def sign_out(ctx: Context, params: Params) -> Answer:
    """End this session."""
    assert ctx.session is not None
    sessions.end(ctx.tx, ctx.session.person, ctx.session.id)
    return Redirect("/login", "You are signed out.", session="")


# -- two-step authentication


def _person_in_second_step(ctx: Context) -> str:
    """The id of the person whose second factor is missing. Raises NotFound when there is none."""
    if ctx.session is None or ctx.session.stage != "second":
        raise NotFound
    return ctx.session.person


def second_form(ctx: Context, params: Params) -> Answer:
    """Show the form for the authentication code or a passkey."""
    person = people.by_id(ctx.tx, _person_in_second_step(ctx))
    passkeys = bool(person and factors.passkeys(ctx.tx, person.id))
    about = {"to": guard.safe_path(params.get("to")), "passkeys": passkeys, "totp": bool(person and person.totp)}
    return Render("signin/second.html", about)


async def second(ctx: Context, params: Params) -> Answer:
    """Check the authentication code and start a full session with a new token."""
    id, code = _person_in_second_step(ctx), params.get("code")
    await throttle.check_limit(ctx, id)

    def check_and_start(tx: Tx) -> str | None:
        person = people.by_id(tx, id)
        if person is None or not factors.check_code(tx, ctx.authority.keyring, id, code, ctx.now):
            return None
        throttle.uncount(tx, id, ctx.ip, ctx.now)
        throttle.clear(tx, id)
        throttle.clear(tx, person.email)
        return _start_session(tx, ctx, person, "full")

    token = await ctx.write(check_and_start, throttle.LOCK)
    if token is None:
        throttle.record_failure(ctx, "wrong_code", id)
        raise FormErrors(code=_WRONG_CODE)
    return Redirect(guard.safe_path(params.get("to")), session=token)


# -- confirming one's identity


def confirm_form(ctx: Context, params: Params) -> Answer:
    """Show the form for password and second factor."""
    about = {
        "to": guard.safe_path(params.get("to")),
        "passkeys": bool(factors.passkeys(ctx.tx, ctx.me.id)),
        "totp": ctx.me.totp,
    }
    return Render("signin/confirm.html", about)


def _refuse_password_alone(tx: Tx, person: Person) -> None:
    if not person.totp and factors.passkeys(tx, person.id):
        raise FormErrors({"": "A password is not enough. Use your passkey."})


async def confirm(ctx: Context, params: Params) -> Answer:
    """Check the password and the second factor, as sign-in does. Passkeys are checked in ``pages/passkeys.py``."""
    person, session = ctx.me, ctx.session
    assert session is not None
    await ctx.read(lambda tx: _refuse_password_alone(tx, person))
    await throttle.check_limit(ctx, person.email)
    if not await ctx.passwords.matches(person.password, params.raw("password")):
        throttle.record_failure(ctx, "wrong_password", person.id)
        raise FormErrors(password="Incorrect password.")

    def check_and_confirm(tx: Tx) -> bool:
        current = ctx.me  # as of this transaction: password and factors may have changed meanwhile
        _refuse_password_alone(tx, current)
        if current.password != person.password:
            raise FormErrors(password="Incorrect password.")
        if current.totp and not factors.check_code(tx, ctx.authority.keyring, person.id, params.get("code"), ctx.now):
            return False
        throttle.uncount(tx, person.email, ctx.ip, ctx.now)
        throttle.clear(tx, person.email)
        sessions.confirm(tx, session.id, ctx.now)
        return True

    if not await ctx.write(check_and_confirm, throttle.LOCK):
        throttle.record_failure(ctx, "wrong_code", person.id)
        raise FormErrors(code=_WRONG_CODE)
    return Redirect(guard.safe_path(params.get("to")))


# -- one-time links for owners and members


def _invitation(tx: Tx, ctx: Context, params: Params) -> Invitation:
    found = people.invitation_of(tx, ctx.authority.keyring, params["token"], ctx.now)
    if found is None or not found.account:  # links for a new password have no account
        raise NotFound
    return found


def join_form(ctx: Context, params: Params) -> Answer:
    """Show the form for becoming the owner or joining a team."""
    found = people.invitation_of(ctx.tx, ctx.authority.keyring, params["token"], ctx.now)
    if found is None or not found.account:
        text = (
            "It was already used, was revoked or is too old. Ask for a new link. The owner's link is printed when the "
            "server starts."
        )
        return Render("error.html", {"title": "This link has expired", "text": text}, 404)
    name = ctx.product.account_name(ctx.tx, found.account)
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
    """Accept the link, as a new person with a password or as the signed-in person."""
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

    def add_and_join(tx: Tx) -> str:
        person = people.add_person(tx, ctx.ids, email=email, name=name, password=hash, now=ctx.now)
        _accept(tx, ctx, params, person.id)
        return _start_session(tx, ctx, person, "full")

    token = await ctx.write(add_and_join)
    return Redirect("/", f"Welcome, {name}.", session=token)


async def _join_signed_in(ctx: Context, params: Params) -> Answer:
    me = ctx.me

    def accept(tx: Tx) -> str:
        found = _invitation(tx, ctx, params)
        if found.email not in (me.email, OWNER_LINK):
            raise FormErrors({"": f"This invitation is for {found.email}. Sign out, then open the link again."})
        _accept(tx, ctx, params, me.id)
        return found.account

    team = await ctx.write(accept)
    return Redirect(ctx.product.first_page(team), "You joined the team.")


def _accept(tx: Tx, ctx: Context, params: Params, person: str) -> None:
    found = _invitation(tx, ctx, params)
    people.accept(tx, found, person, ctx.now, ctx.product.teams(tx))
    activity.record(tx, ctx, found.account, "member_joined", person=person, about=person, role=found.role)


_IS_THE_PROOF = not_required("it is the form that proves the identity")

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
        recent_sign_in=not_required("it only ends a session"),
    ),
    Page("/confirm", confirm_form, scope="person"),
    Page("/confirm", confirm, method="POST", scope="person", recent_sign_in=_IS_THE_PROOF, redisplay=confirm_form),
    Page("/join/{token}", join_form, scope="open"),
    Page(
        "/join/{token}",
        join,
        method="POST",
        scope="open",
        recent_sign_in=not_required("the one-time link proves the identity"),
        redisplay=join_form,
    ),
)
