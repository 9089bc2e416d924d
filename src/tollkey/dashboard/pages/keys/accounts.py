"""The accounts of a library: a list, opening one by its name, and finding the account of a key."""

from __future__ import annotations

from tollkey.dashboard.for_keys import accounts_from, is_account
from tollkey.dashboard.page import Answer, Context, FormErrors, Nav, Page, Params, Redirect, Render, not_required

_PAGE = 50


def index(ctx: Context, params: Params) -> Answer:
    """List the accounts that have keys."""
    after = params.get("after")
    found = accounts_from(ctx.tx, after, _PAGE + 1)
    about = {
        "found": found[:_PAGE],
        "older": ctx.url("/accounts", after=found[_PAGE - 1]) if len(found) > _PAGE else "",
        "newer": ctx.url("/accounts") if after else "",
    }
    return Render("accounts/index.html", about)


def open_account(ctx: Context, params: Params) -> Answer:
    """Redirect to the keys of an account, which may have none yet. Raises FormErrors for a name that cannot be one."""
    name = params.get("name")
    if not is_account(name):
        raise FormErrors(name="Enter the name of an account: 1 to 200 printable characters.")
    return Redirect(ctx.url("/apikeys" if ctx.may("keys.see") else "/usage", account=name))


def find_key(ctx: Context, params: Params) -> Answer:
    """Redirect to the page of a key, by its id or its text. Its text is sent in the body, and never shown again.

    Raises FormErrors if there is no such key.
    """
    key = ctx.authority.find(ctx.tx, params.get("key"))
    if key is None or not is_account(key.account):
        raise FormErrors(key="There is no such key.")
    return Redirect(ctx.url(f"/apikeys/{key.id}", livemode=key.livemode, account=key.account))


PAGES = (
    Page("/accounts", index, action="usage.see", scope="account", nav=Nav("", "Accounts", 10)),
    Page("/accounts/open", open_account, action="usage.see", scope="account", redisplay=index),
    Page(
        "/accounts/find",
        find_key,
        method="POST",
        action="keys.see",
        scope="account",
        redisplay=index,
        recent_sign_in=not_required("it shows a page that the role may open anyhow"),
    ),
)
