"""Sessions as Stripe.js uses them, for its embedded page and for a shop's own page (``ui_mode`` elements).

    init, with the client secret ──▶ the address of the page, or what the shop's page shows
    changes of the customer (elements only) ──▶ the same anew
    confirm ──▶ complete, or an intent whose challenge has to be passed

The paths are those that Stripe.js and the CLI's fixtures call. Of the answers only what the CLI reads is public; the
rest is this server's own (``elements_view.py``).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, NotRequired, TypedDict

from tollkey.payments.checkout import completion, elements, elements_view, kinds, saved, waiting
from tollkey.payments.checkout.collected import check_asked
from tollkey.payments.checkout.fields import needs_method
from tollkey.payments.methods import instruments
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.shared import providers
from tollkey.wire import Call, Endpoint, P, invalid, languages
from tollkey.wire.access import publishable_access
from tollkey.wire.errors import missing_param
from tollkey.wire.hosted import hosted_url
from tollkey.wire.live import asks, records

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import operations


class Waiting(TypedDict):
    """An intent whose next step the customer has to take."""

    type: str
    client_secret: str | None
    status: str
    next_action: object


class PaymentPage(TypedDict):
    """What Stripe.js needs to show a session.

    url: of its page. checkout: what a shop's own page shows. payment_method_types: those that it may be paid with.
    needs_method: whether it needs one. reuses: whether that is kept for later. saves: whether the customer may want
    that. intent: what a confirmation waits for.
    """

    object: str
    session_id: str
    url: str | None
    return_url: str | None
    redirect_on_completion: str | None
    status: str | None
    checkout: NotRequired[Mapping[str, object]]
    payment_method_types: NotRequired[list[str]]
    business_name: NotRequired[str]
    needs_method: NotRequired[bool]
    reuses: NotRequired[bool]
    saves: NotRequired[bool]
    intent: NotRequired[Waiting | None]


def retrieve(call: Call, params: operations.GetPaymentPagesSession) -> StoredSession:
    """Retrieve the session for its page."""
    return _here(call)


def init(call: Call, params: operations.PostPaymentPagesSessionInit) -> PaymentPage:
    """Return what Stripe.js needs to show a session.

    Raises ApiError 400 for a wrong client secret, and when a browser sends none for a page that it shows itself.
    """
    session = _here(call)
    _check_secret(call, session, params.get("client_secret"))
    return _page(call, session, params.get("browser_locale"))


def update(call: Call, params: operations.PostPaymentPagesSession) -> PaymentPage:
    """Change an open session as its customer wants, within the limits that it was created with.

    Raises ApiError 400 for another ``ui_mode``, and for what the session does not allow.
    """
    session = _here(call)
    _check_secret(call, session, params.get("client_secret"))
    if session["ui_mode"] != "elements":
        raise invalid("Only a Checkout Session whose `ui_mode` is `elements` is changed by its customer.", "session")
    completion.check_open(session)
    waiting.withdraw(call, session)
    elements.change(call, session, params)
    call.objects.save(session)
    return _page(call, session, params.get("browser_locale"))


def confirm(call: Call, params: operations.PostPaymentPagesSessionConfirm) -> StoredSession | PaymentPage:
    """Pay a session with a payment method, as its page does."""
    session = _here(call)
    if session["ui_mode"] == "elements" or params.get("client_secret"):
        _check_secret(call, session, params.get("client_secret"))
    method = _method(call, session, params.get("payment_method"))
    if call.client and method is not None:
        check_asked(session, method)
    keep = bool(params.get("save_payment_method")) and method is not None and saved.may_save(session, method["type"])
    if method is not None:
        completion.verify_bank(call, method)
    back = params.get("return_url") or completion.destination(session) or call.setup.base_url
    error = completion.pay(call, session, method, back, keep=keep, expected=params.get("expected_amount"))
    if error is not None:
        raise error
    return _page(call, session, params.get("browser_locale")) if session["ui_mode"] == "elements" else session


def _here(call: Call) -> StoredSession:
    return call.objects.get(kinds.SESSION, call.path["session"])


def _method(call: Call, session: StoredSession, given: str | None) -> StoredPaymentMethod | None:
    """Return the payment method that a session is to be paid with; None if it needs none.

    Raises ApiError 400 or 404 for a missing one, and for that of another customer.
    """
    if not given:
        if session["ui_mode"] == "elements" and not needs_method(session):
            return None
        raise missing_param("payment_method")
    found = instruments.resolve_payment_method(call, given, "payment_method")
    method = instruments.as_payment_method(call, found)
    if not methods_kinds.is_payment_method(method):
        raise instruments.no_payment_method(call, given, "payment_method")
    if call.client and method.get("customer") not in (None, session["customer"]):
        raise instruments.no_payment_method(call, given, "payment_method")
    return method


def _check_secret(call: Call, session: StoredSession, given: str | None) -> None:
    if given is None:
        if call.client and session["ui_mode"] != "hosted_page":
            raise missing_param("client_secret")
        return
    if not hmac.compare_digest(given.encode(), (session["client_secret"] or "").encode()):
        raise invalid(
            "The client_secret provided does not match the client_secret of the Checkout Session.",
            "client_secret",
            guess=True,
        )


def _page(call: Call, session: StoredSession, locale: str | None) -> PaymentPage:
    embedded = session["ui_mode"] == "embedded_page"
    page: PaymentPage = {
        "object": "payment_page",
        "session_id": session["id"],
        "url": hosted_url(call, "pay", session["id"], expires_at=session["expires_at"]) if embedded else session["url"],
        "return_url": session.get("return_url"),
        "redirect_on_completion": session.get("redirect_on_completion"),
        "status": session["status"],
    }
    if session["ui_mode"] == "elements":
        language = languages.choose(call, session.get("locale"), locale)
        intent = waiting.intent_of(call, session)
        page["checkout"] = elements_view.shown(call, session, language)
        page["payment_method_types"] = session["payment_method_types"]
        page["business_name"] = session["branding_settings"]["display_name"]
        page["needs_method"] = needs_method(session)
        page["reuses"] = saved.reuses(session)
        page["saves"] = saved.may_save(session, "card")
        page["intent"] = None
        if intent is not None and intent["status"] == "requires_action":
            page["intent"] = {
                "type": intent["object"],
                "client_secret": intent["client_secret"],
                "status": intent["status"],
                "next_action": intent["next_action"],
            }
    return page


#: What Stripe.js says about itself and its page.
_ABOUT = "eid browser_timezone redirect_type elements_session_client referrer"
ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/payment_pages/{session}",
        retrieve,
        publishable=publishable_access(ignores="eid"),
        params=P.object(),
    ),
    Endpoint(
        "POST",
        "/v1/payment_pages/{session}",
        update,
        publishable=publishable_access(takes=elements.TAKES, ignores=_ABOUT),
        params=elements.PARAMS,
        live=records(),
    ),
    Endpoint(
        "POST",
        "/v1/payment_pages/{session}/init",
        init,
        params=P.object(client_secret=P.string(), browser_locale=P.string()),
        publishable=publishable_access(takes="client_secret browser_locale", ignores=_ABOUT),
        live=records(),
    ),
    Endpoint(
        "POST",
        "/v1/payment_pages/{session}/confirm",
        confirm,
        publishable=publishable_access(
            takes="payment_method expected_amount return_url client_secret save_payment_method browser_locale",
            ignores="eid key init_checksum version last_displayed_line_item_group_details",
        ),
        params=P.object(
            payment_method=P.string(),
            expected_amount=P.integer(),
            return_url=P.return_url(),
            key=P.string(),
            client_secret=P.string(),
            save_payment_method=P.boolean(),
            browser_locale=P.string(),
        ),
        live=asks(providers.CHARGES, providers.PAYS),
    ),
)
