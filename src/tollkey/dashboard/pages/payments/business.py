"""Creating accounts, business details, status of live mode."""

from __future__ import annotations

from tollkey.dashboard import activity, people
from tollkey.dashboard.page import (
    Answer,
    Context,
    FormErrors,
    Nav,
    Page,
    Params,
    Redirect,
    Render,
    not_required,
    required,
)
from tollkey.dashboard.people import normal_email
from tollkey.db import Scope
from tollkey.platform.merchants import create_merchant, rename_merchant
from tollkey.wire import Call, Json
from tollkey.wire.urls import is_web_url

_LONGEST_URL = 5000  # characters, as in the API
_LONGEST_PHONE = 5000


def new_form(ctx: Context, params: Params) -> Answer:
    """Show the form for a new account."""
    return Render("team/account.html")


def new(ctx: Context, params: Params) -> Answer:
    """Create an account with its four default keys; the person becomes its owner."""
    name, country = _name(params), params.get("country").upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise FormErrors(country="Enter a two-letter country code, for example US or DE.")
    call = Call(ctx.setup, ctx.tx, Scope("", False), ctx.now)
    made = create_merchant(call, ctx.authority, name=name, email=ctx.me.email, country=country, actor=ctx.actor)
    people.join(ctx.tx, made.id, ctx.me.id, "owner", ctx.now)
    activity.record(ctx.tx, ctx, made.id, "account_created", about=made.id, name=name)
    return Redirect(f"/{made.id}/test/apikeys", f"The account {name} was created.")


def _name(params: Params) -> str:
    name = " ".join(params.get("name").split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise FormErrors(name="Enter a name of 1 to 100 characters.")
    return name


def _own(ctx: Context, livemode: bool) -> tuple[Call, Json]:
    call = Call(ctx.setup, ctx.tx, Scope(ctx.account, livemode), ctx.now)
    return call, call.objects.get("account", ctx.account)


def business(ctx: Context, params: Params) -> Answer:
    """Show the business details and the steps that live mode still needs."""
    account = _own(ctx, True)[1]
    profile = account["business_profile"] or {}
    steps = [
        ("Business details", bool(account["details_submitted"]), "Name, website and support email of the business."),
        ("A payment provider for live mode", bool(account["charges_enabled"]),
         "Live keys work and live objects can be created. Charges are refused until a provider is configured on this"
         " server."),
    ]  # fmt: skip
    return Render("team/business.html", {"account": account, "profile": profile, "steps": steps})


def edit_form(ctx: Context, params: Params) -> Answer:
    """Show the form for the business details."""
    return Render("team/business_edit.html", {"profile": _own(ctx, True)[1]["business_profile"] or {}})


def edit(ctx: Context, params: Params) -> Answer:
    """Store the business details in both modes."""
    name, url, email = _name(params), params.get("url"), params.get("support_email")
    if url and (len(url) > _LONGEST_URL or not is_web_url(url)):
        raise FormErrors(url="Enter an address such as https://example.com.")
    if email:
        try:
            email = normal_email(email)
        except people.PeopleRefused as problem:
            raise FormErrors(support_email=problem.message) from None
    if len(params.get("support_phone")) > _LONGEST_PHONE:
        raise FormErrors(support_phone=f"Enter at most {_LONGEST_PHONE} characters.")
    rename_merchant(ctx.tx, ctx.account, name)
    for livemode in (False, True):
        call, account = _own(ctx, livemode)
        account["business_profile"].update(
            name=name, url=url or None, support_email=email or None, support_phone=params.get("support_phone") or None
        )
        account["settings"]["dashboard"]["display_name"] = name
        account["details_submitted"] = bool(url and email) or not livemode
        call.objects.save(account, event="account.updated")
    activity.record(ctx.tx, ctx, ctx.account, "business_changed", name=name, url=url)
    return Redirect(ctx.url("/settings/business"), "Changes saved.")


_PUBLIC_DETAILS = required("customers see these details, and live mode requires them")

PAGES = (
    Page("/accounts/new", new_form, scope="person"),
    Page(
        "/accounts/new",
        new,
        method="POST",
        scope="person",
        recent_sign_in=not_required("a new account is empty and belongs to the person"),
        redisplay=new_form,
    ),
    Page("/settings/business", business, action="business.see", scope="account", nav=Nav("Account", "Business", 20)),
    Page(
        "/settings/business/edit", edit_form, action="business.change", scope="account", recent_sign_in=_PUBLIC_DETAILS
    ),
    Page(
        "/settings/business/edit",
        edit,
        method="POST",
        action="business.change",
        scope="account",
        recent_sign_in=_PUBLIC_DETAILS,
        redisplay=edit_form,
    ),
)
