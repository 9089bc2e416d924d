"""Embedded Checkout: the page of a session in a frame of the shop's page, which Stripe.js shows.

session (ui_mode embedded_page) ──init, with its client secret──▶ the address of its page
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from tollkey.payments.checkout import kinds
from tollkey.wire import Call, Endpoint, P, invalid
from tollkey.wire.access import publishable_access
from tollkey.wire.errors import missing_param
from tollkey.wire.hosted import hosted_url
from tollkey.wire.live import records

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.wire import operations


def framed(session: StoredSession, step: str | None) -> str | None:
    """Return the address of the customer's next step; for an embedded session as it is shown in a frame.

    It stays on the host that Stripe.js was loaded from: the frames around it allow no other.
    """
    if step is None or session["ui_mode"] != "embedded_page":
        return step
    return f"{urlsplit(step).path}?framed=1"


class PaymentPage(TypedDict):
    """What Stripe.js needs to show a session. url: of its page."""

    object: str
    session_id: str
    url: str | None
    return_url: str | None
    redirect_on_completion: str | None
    status: str | None


def init(call: Call, params: operations.PostPaymentPagesSessionInit) -> PaymentPage:
    """Return what Stripe.js needs to show a session, with the address of its page.

    Raises ApiError 400 for a wrong client secret, and for an embedded session when a browser sends none.
    """
    session = call.objects.get(kinds.SESSION, call.path["session"])
    embedded = session["ui_mode"] == "embedded_page"
    _check_secret(call, session, params.get("client_secret"))
    return {
        "object": "payment_page",
        "session_id": session["id"],
        "url": hosted_url(call, "pay", session["id"], expires_at=session["expires_at"]) if embedded else session["url"],
        "return_url": session.get("return_url"),
        "redirect_on_completion": session.get("redirect_on_completion"),
        "status": session["status"],
    }


def _check_secret(call: Call, session: StoredSession, given: str | None) -> None:
    if given is None:
        if call.client and session["ui_mode"] == "embedded_page":
            raise missing_param("client_secret")
        return
    if not hmac.compare_digest(given.encode(), (session["client_secret"] or "").encode()):
        raise invalid(
            "The client_secret provided does not match the client_secret of the Checkout Session.",
            "client_secret",
            guess=True,
        )


INIT = Endpoint(
    "POST",
    "/v1/payment_pages/{session}/init",
    init,
    params=P.object(client_secret=P.string()),
    publishable=publishable_access(
        takes="client_secret",
        ignores="eid browser_locale browser_timezone redirect_type elements_session_client referrer",
    ),
    live=records(),
)
