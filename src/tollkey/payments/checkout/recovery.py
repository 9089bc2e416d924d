"""Recovery of an expired session: a URL that creates an equal session, valid for thirty days."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.checkout import kinds
from tollkey.payments.checkout.building import DAY, new_session
from tollkey.payments.checkout.known import page_of
from tollkey.payments.documents import brand
from tollkey.wire import Call, Endpoint, P, Params, Reply, languages
from tollkey.wire.hosted import hosted_url, redirect

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.wire import operations

_DAYS = 30


def offer(call: Call, session: StoredSession) -> None:
    """Set ``after_expiration.recovery.url`` of an expired session if recovery is enabled. The caller saves it."""
    recovery = (session["after_expiration"] or {}).get("recovery")
    if recovery and recovery["enabled"]:
        until = call.now + _DAYS * DAY
        recovery.update({"expires_at": until, "url": hosted_url(call, "recover", session["id"], expires_at=until)})


def show(call: Call, params: operations.GetRecoverToken) -> Reply:
    """Show the page that continues the order."""
    session = call.objects.get(kinds.SESSION, call.path["id"])
    language = languages.choose(call, session.get("locale"))
    label = escape(language.say("Continue"))
    form = f'<form method="post" action="/recover/{call.path["token"]}"><button autofocus>{label}</button></form>'
    return brand.page(call, language, language.say("Continue your order"), form)


def again(call: Call, params: operations.PostRecoverToken) -> Reply:
    """Create a session equal to the expired one, and redirect to its page."""
    old = call.objects.get(kinds.SESSION, call.path["id"])
    kept = old["_params"]
    assert kept is not None, "a session that can be recovered keeps its parameters"
    given: Params = {name: value for name, value in kept.items() if name != "expires_at"}
    recovery = (old["after_expiration"] or {}).get("recovery")
    if recovery and recovery["allow_promotion_codes"]:
        given = {**given, "allow_promotion_codes": True, "discounts": None}
    session = new_session(call, given)
    session["recovered_from"] = old["id"]
    call.objects.save(session)
    return redirect(page_of(session))


PAGES = (
    Endpoint("GET", "/recover/{token}", show, public=True, params=P.object()),
    Endpoint("POST", "/recover/{token}", again, public=True, params=P.object()),
)
