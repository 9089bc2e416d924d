"""Account links, account sessions and login links: URLs for the people behind a connected account.

link ──opened within 5 minutes──▶ onboarding page ──submit──▶ return_url, the account has told everything
  └──opened late, or a second time──▶ refresh_url, where the platform makes a new one
"""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.platform._connect import links, load_account, save_account
from tollkey.platform._connect.loading import LoadedAccount
from tollkey.platform._connect.onboarding import FIELDS, fields_of, submit
from tollkey.platform._connect.ownership import ask_owner
from tollkey.platform._connect.providers import VERIFICATION
from tollkey.platform._connect.sessions import check_components, components_of
from tollkey.wire import Call, Endpoint, Json, P, Reply, Resource, invalid, languages, new_object
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.hosted import hosted_url, html_page, redirect, safe_link
from tollkey.wire.live import needs, records

if TYPE_CHECKING:
    from tollkey.wire import operations

LINK = Permission("account_link", "Account Links", "Connect", levels=("write",))
LOGIN = Permission("edit_link", "Login Links", "Connect", levels=("write",))

MIGRATION = links.MIGRATION
_SESSION_SECONDS = 3600
_KIND = "connect/onboarding"
_EXPRESS = "connect/express"


def create_link(call: Call, params: operations.PostAccountLinks) -> Json:
    """Create a link to the onboarding page of a connected account. It can be opened once, within five minutes."""
    loaded = load_account(call, params["account"])
    for name in ("refresh_url", "return_url"):
        if not params.get(name):
            raise missing_param(name)
    if params.get("collect") and params.get("collection_options"):
        raise exclusive("collect", "collection_options", code="parameters_exclusive")
    made, url = make(loaded, params["type"], params["return_url"], params["refresh_url"])
    return new_object("account_link", created=call.now, expires_at=made.ends_at, url=url)


def make(
    loaded: LoadedAccount, type: str, return_url: str, refresh_url: str, seconds: int = links.LINK_SECONDS
) -> tuple[links.Link, str]:
    """Make a link to the onboarding page, and its URL. seconds: how long it is valid.

    Raises ApiError 400 for the caller's own account, and for an update where Stripe collects the requirements.
    """
    if loaded.is_own:
        raise invalid("You cannot create an account link for your own account.", "account")
    if type == "account_update" and loaded.account["controller"]["requirement_collection"] != "application":
        raise invalid(
            "You cannot create `account_update` type Account Links for this account. Use `account_onboarding` instead.",
            "type",
        )
    ask_owner(loaded)
    made = links.add(loaded.home, loaded.account["id"], return_url, refresh_url, seconds)
    # an expired link still redirects to its refresh_url
    return made, hosted_url(loaded.home, _KIND, made.id, needs="account_link_write")


def open_link(call: Call, params: operations.GetConnectOnboardingToken) -> Reply:
    """Show the onboarding page to the first browser that opens the link; redirect others to the ``refresh_url``."""
    link = links.find(call, call.path["id"])
    if link is None:
        return _expired(call)
    cookie = links.take(call, link)
    if cookie is None:
        return redirect(link.refresh_url)
    page = _onboarding(call, link)
    return replace(page, headers={**page.headers, "Set-Cookie": cookie}) if cookie else page


def _onboarding(call: Call, link: links.Link) -> Reply:
    """A form with test values filled in."""
    loaded = load_account(call, link.connected)
    language = languages.choose(call)
    say, name = language.say, _name_of(loaded.account)
    rows = "\n".join(
        f'<p><label for="{field}">{escape(say(label))}</label>'
        f'<input id="{field}" name="{field}" value="{escape(value)}"></p>'
        for field, label, value in fields_of(loaded)
    )
    back = escape(safe_link(link.return_url))
    told = escape(say("This is a test account. The values below pass every check."))
    body = (
        f"<h1>{escape(say('Tell us about {name}', name=name))}</h1>\n<p>{told}</p>\n"
        f'<form method="post" action="/{_KIND}/{escape(call.path["token"])}/submit">\n{rows}\n<button>'
        f"{escape(say('Agree and submit'))}</button>\n</form>\n"
        f'<a class="button second" href="{back}">{escape(say("Come back later"))}</a>'
    )
    return html_page(say("Onboarding"), body, leads_to=link.return_url, language=language)


def _name_of(account: Json) -> str:
    """Return what a connected account is called."""
    return str(account["business_profile"]["name"] or account["email"] or account["id"])


def complete_onboarding(call: Call, params: operations.PostConnectOnboardingTokenSubmit) -> Reply:
    """Apply the submitted form and redirect to the platform."""
    link = links.find(call, call.path["id"])
    if link is None or links.take(call, link) is None or not links.finish(call, link):
        return _expired(call, link)
    loaded = load_account(call, link.connected)
    submit(loaded, params)
    save_account(loaded, checks=True)
    return redirect(link.return_url)


def _expired(call: Call, link: links.Link | None = None) -> Reply:
    """A page that leads to where a new link is made, as far as that is known."""
    language = languages.choose(call)
    title, told, again = (
        language.say("This link has expired"),
        language.say("Nothing was changed."),
        language.say("Start again"),
    )
    body = f"<h1>{escape(title)}</h1>\n<p>{escape(told)}</p>"
    if link is not None:
        body += f'\n<a class="button" href="{escape(safe_link(link.refresh_url))}">{escape(again)}</a>'
    return html_page(title, body, status=410, language=language)


def create_login_link(
    call: Call, params: operations.PostAccountLoginLinks | operations.PostAccountsAccountLoginLinks
) -> Json:
    """Create a login link to the Express Dashboard of a connected account."""
    loaded = load_account(call)
    if (loaded.account.get("controller") or {}).get("stripe_dashboard", {}).get("type") != "express":
        raise invalid(
            "Cannot create a login link for an account that does not have access to the Express Dashboard.",
            "account",
            retry=False,
        )
    if not loaded.account["details_submitted"]:
        raise invalid("Cannot create a login link for an account that has not completed onboarding.", retry=False)
    url = hosted_url(
        loaded.home, _EXPRESS, loaded.account["id"], expires_at=call.now + links.LINK_SECONDS, needs="edit_link_write"
    )
    return new_object("login_link", created=call.now, url=url)


def show_express(call: Call, params: operations.GetConnectExpressToken) -> Reply:
    """Show whether charges and payouts are enabled."""
    account = load_account(call, call.path["id"]).account
    language = languages.choose(call)
    say = language.say
    rows = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(say('Enabled') if account[field] else say('Not enabled'))}</dd>"
        for label, field in ((say("Charges"), "charges_enabled"), (say("Payouts"), "payouts_enabled"))
    )
    body = f"<h1>{escape(_name_of(account))}</h1>\n<dl>{rows}</dl>"
    return html_page(say("Express Dashboard"), body, language=language)


def create_session(call: Call, params: operations.PostAccountSessions) -> Json:
    """Create a session for embedded components, valid for one hour."""
    loaded = load_account(call, params["account"])
    check_components(loaded.account, params["components"])
    ask_owner(loaded)
    return new_object(
        "account_session",
        account=loaded.account["id"],
        client_secret=f"accs_secret__{call.ids.text(48)}",
        components=components_of(params["components"]),
        expires_at=call.now + _SESSION_SECONDS,
        livemode=call.livemode,
    )


ACCOUNT_LINK = Resource(
    object="account_link",
    permission=LINK,
    reveals={"url": "write"},
    live=records(),
    endpoints=(
        Endpoint("POST", "/v1/account_links", create_link, live=needs(VERIFICATION)),
        Endpoint(
            "GET",
            f"/{_KIND}/{{token}}",
            open_link,
            public=True,
            makes=True,
            params=P.object(),
            live=needs(VERIFICATION),
        ),
        Endpoint(
            "POST",
            f"/{_KIND}/{{token}}/submit",
            complete_onboarding,
            public=True,
            params=P.object().extended({**{name: P.string(blank=True) for name in FIELDS}, "url": P.site()}),
            live=needs(VERIFICATION),
        ),
    ),
    title="Account links",
    stored=False,
)
LOGIN_LINK = Resource(
    object="login_link",
    permission=LOGIN,
    reveals={"url": "write"},
    live=records(),
    endpoints=(
        Endpoint("POST", "/v1/accounts/{account}/login_links", create_login_link),
        Endpoint("POST", "/v1/account/login_links", create_login_link, params=P.object()),
        Endpoint("GET", f"/{_EXPRESS}/{{token}}", show_express, public=True, params=P.object()),
    ),
    title="Login links",
    stored=False,
)
ACCOUNT_SESSION = Resource(
    object="account_session",
    permission=Permission("account_session", "Account Sessions", "Connect", levels=("write",)),
    reveals={"client_secret": "write"},
    live=records(),
    endpoints=(Endpoint("POST", "/v1/account_sessions", create_session),),
    title="Account sessions",
    stored=False,
)
