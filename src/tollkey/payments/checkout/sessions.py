"""Checkout Sessions: a page that takes a payment, starts a subscription, or saves a payment method.

    open ──paid on its page──▶ complete (payment_status paid | no_payment_required)
      │             └─bank debit─▶ complete (unpaid) ──settles──▶ paid | async_payment_failed
      ├──declined card, failed challenge──▶ open
      └──expire, or 24 hours──▶ expired

Payment links create sessions with ``new_session``.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.checkout import completion, jobs, kinds, payment_pages, waiting
from tollkey.payments.checkout.building import check_total, new_session, shipping_options
from tollkey.payments.checkout.hosted import PAGES
from tollkey.payments.checkout.known import page_of, price_of
from tollkey.payments.checkout.lines import breakdown, check_quantities, make_items, shown, total
from tollkey.payments.checkout.place import collect
from tollkey.payments.checkout.recovery import PAGES as RECOVERY
from tollkey.payments.checkout.rules import check_lines, check_mode, check_shipping
from tollkey.payments.shared import events, fields
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.pages import list_page, nested_list, page_of_list, retrieve
from tollkey.wire.removed import Removed
from tollkey.wire.resource import Reaction
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.wire import api, operations

__all__ = ["CHECKOUT_SESSION", "PERMISSION", "new_session", "page_of"]

PERMISSION = Permission("checkout_session", "Checkout Sessions", "Checkout")
_NAME = "checkout.session"
_OLD_UI = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


def create(call: Call, params: operations.PostCheckoutSessions) -> StoredSession:
    """Create a session; its ``url`` is the customer's payment page."""
    check_shipping(call, params)
    return new_session(call, params)


def _get(call: Call) -> StoredSession:
    """Return the session in the path."""
    return call.objects.get(kinds.SESSION, call.path["session"])


def update(call: Call, params: operations.PostCheckoutSessionsSession) -> StoredSession:
    """Change a session's metadata, shipping options, line items or collected information."""
    session = _get(call)
    fields.merge_metadata(session, params)
    if set(params) & {"shipping_options", "line_items", "collected_information"}:
        completion.check_open(session)
        waiting.withdraw(call, session)
        check_mode([name for name in ("line_items", "shipping_options") if params.get(name)], session["mode"])
    if params.get("collected_information") and session["ui_mode"] == "hosted_page":
        raise invalid("You can not pass `collected_information` when `ui_mode` is `hosted`.", "collected_information")
    if "shipping_options" in params:
        check_shipping(call, params)
        session["shipping_cost"] = None
        shipping_options(call, session, params["shipping_options"] or [])
        total(call, session)
    if params.get("line_items"):
        known = {item["id"]: item for item in session["_lines"]}
        entries = []
        for entry in params["line_items"]:
            old = known.get(entry.get("id") or "")
            kept = {"price": price_of(old)["id"], "quantity": old["quantity"], "_inline": old["_inline"]} if old else {}
            entries.append({**kept, **{name: value for name, value in entry.items() if name != "id"}})
        check_quantities(entries)
        session["_lines"] = make_items(call, entries, session["currency"])
        check_lines(session)
        total(call, session)
        check_total(session)
    if params.get("collected_information"):
        _collect(session, params["collected_information"])
        if session["mode"] != "setup":
            total(call, session)
    return call.objects.save(session)


def _collect(session: StoredSession, told: operations.PostCheckoutSessionsSessionCollectedInformation) -> None:
    """Store the delivery address that the request sends, with all parts of an address."""
    shipping = told.get("shipping_details")
    if shipping:
        address = fields.full_address(shipping["address"])
        collect(session, {"shipping_details": {"address": address, "name": shipping["name"]}})


def list_sessions(call: Call, params: operations.GetCheckoutSessions) -> Page:
    """List sessions by customer, e-mail address, intent, link, subscription or status."""
    equal: dict[str, str | Sequence[str]] = {
        name: params[name]
        for name in ("customer", "payment_intent", "payment_link", "subscription", "status")
        if params.get(name)
    }
    details = params.get("customer_details")
    if details and details["email"]:
        equal["customer_details.email"] = details["email"]
    return list_page(call, _NAME, params, equal, url="/v1/checkout/sessions")


def line_items(call: Call, params: operations.GetCheckoutSessionsSessionLineItems) -> Page:
    """List the line items of a session."""
    session = _get(call)
    return page_of_list(shown(session["_lines"]), f"/v1/checkout/sessions/{session['id']}/line_items", params)


def expire(call: Call, params: operations.PostCheckoutSessionsSessionExpire) -> StoredSession:
    """Expire an open session; it can no longer be paid."""
    session = _get(call)
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired.'
            f" This Checkout Session has a status of {session['status']}.",
            "session",
            retry=False,
        )
    return completion.expire(call, session)


def expire_unpaid(call: Call, id: str) -> None:
    """Run the job ``checkout.expire``: expire a session that was not paid in time. id: of the session."""
    session = call.objects.find(kinds.SESSION, id)
    if session is not None and session["status"] == "open":
        completion.expire(call, session)


# -- the form of responses


def _items_expanded(call: Call, session: StoredSession) -> api.CheckoutSessionLineItems:
    """Return ``line_items`` of a session as a list object."""
    listed: api.CheckoutSessionLineItems = nested_list(
        shown(session["_lines"]), f"/v1/checkout/sessions/{session['id']}/line_items"
    )
    return listed


def _client_view(call: Call, session: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields that a publishable key may see."""
    names = ("id", "object", "amount_total", "currency", "livemode", "mode", "payment_status", "status", "url")
    return {name: session[name] for name in names}


def _old_ui(call: Call, session: MutableMapping[str, Any]) -> None:
    """Replace ``ui_mode`` by its older values."""
    session["ui_mode"] = _OLD_UI.get(session["ui_mode"], session["ui_mode"])


def _old_shipping(call: Call, session: MutableMapping[str, Any]) -> None:
    """Add ``shipping_details``, which older versions have."""
    session["shipping_details"] = (session.get("collected_information") or {}).get("shipping_details")


def _older_shipping(call: Call, session: MutableMapping[str, Any]) -> None:
    """Rename ``shipping_details`` to ``shipping``, its name in older versions."""
    session["shipping"] = session.pop("shipping_details", None)


#: Parameters and values that newer versions refuse.
_REMOVED = (
    Removed("2026-03-25", "ui_mode", values=tuple(_OLD_UI.values())),
    Removed(
        "2026-09-30", "payment_method_types", link="endive/2026-09-30/remove-payment-method-types-checkout-sessions"
    ),
)

CHECKOUT_SESSION = Resource(
    object=_NAME,
    prefix="cs_test",
    permission=PERMISSION,
    reveals={"client_secret": "read", "url": "read", "after_expiration.recovery.url": "read"},
    live=records(),
    label="checkout.session",
    path_param="session",
    indexed=("customer", "customer_details.email", "payment_intent", "payment_link", "subscription", "status"),
    expands={"line_items": _items_expanded, "total_details.breakdown": breakdown},
    client_view=_client_view,
    changes=(Change("2026-03-25", _old_ui), Change("2025-03-31", _old_shipping), Change("2022-11-15", _older_shipping)),
    on_due={jobs.CHECKOUT_EXPIRE: expire_unpaid},
    on=(
        Reaction(events.IntentActs, completion.check_intent),
        Reaction(events.IntentChanged, completion.complete_from_intent),
    ),
    endpoints=(
        Endpoint("POST", "/v1/checkout/sessions", create, removed=_REMOVED),
        Endpoint("GET", "/v1/checkout/sessions", list_sessions),
        retrieve(_NAME, "/v1/checkout/sessions/{session}"),
        Endpoint("POST", "/v1/checkout/sessions/{session}", update),
        Endpoint("GET", "/v1/checkout/sessions/{session}/line_items", line_items),
        Endpoint("POST", "/v1/checkout/sessions/{session}/expire", expire),
        *payment_pages.ENDPOINTS,
        *PAGES,
        *RECOVERY,
    ),
    title="Checkout Sessions",
    columns=("amount_total", "status", "payment_status", "customer", "id", "created"),
    actions=(Action("Expire", "/v1/checkout/sessions/{session}/expire", when=("open",)),),
)
