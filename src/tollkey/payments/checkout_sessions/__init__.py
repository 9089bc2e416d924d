"""Checkout Sessions: a page that takes a payment, starts a subscription, or saves a payment method.

    open ──paid on its page──▶ complete (payment_status paid | no_payment_required)
      │             └─bank debit─▶ complete (unpaid) ──settles──▶ paid | async_payment_failed
      ├──a refused card, a failed challenge──▶ open
      └──expire, or 24 hours──▶ expired

For payment links: ``new_session``.
"""

from __future__ import annotations

from typing import Any

from tollkey.keys import Permission
from tollkey.payments._common import merge_metadata
from tollkey.payments._instruments import resolve_payment_method
from tollkey.payments.checkout_sessions import _complete, _page
from tollkey.payments.checkout_sessions._build import discount, new_session, shipping_options
from tollkey.payments.checkout_sessions._lines import make_items, shown, total
from tollkey.payments.payment_methods import create as create_method
from tollkey.wire import (
    Action,
    ApiError,
    Call,
    Change,
    Endpoint,
    Json,
    P,
    Page,
    Params,
    Reply,
    Resource,
    invalid,
    list_page,
    missing_param,
    of_list,
    redirect,
    retrieve,
    sublist,
)

__all__ = ["CHECKOUT_SESSION", "PERMISSION", "new_session"]

PERMISSION = Permission("checkout_session", "Checkout Sessions", "Checkout")
_NAME = "checkout.session"
_OLD_UI = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


def create(call: Call, params: Params) -> Json:
    """Create a session; its ``url`` is the page to send the customer to."""
    return new_session(call, params)


def _get(call: Call) -> Json:
    return call.objects.get(_NAME, call.path["session"])


def update(call: Call, params: Params) -> Json:
    """Change the metadata, the ways of delivery or the lines of a session."""
    session = _get(call)
    merge_metadata(session, params)
    if set(params) & {"shipping_options", "line_items", "collected_information"}:
        _complete.check_open(session)
    if "shipping_options" in params:
        session["shipping_cost"] = None
        shipping_options(call, session, params["shipping_options"] or [])
        total(call, session)
    if params.get("line_items"):
        known = {item["id"]: item for item in session["_lines"]}
        entries = []
        for entry in params["line_items"]:
            old = known.get(entry.get("id") or "")
            kept = {"price": old["price"]["id"], "quantity": old["quantity"]} if old else {}
            entries.append({**kept, **{name: value for name, value in entry.items() if name != "id"}})
        session["_lines"] = make_items(call, entries, session["currency"])
        total(call, session)
    if params.get("collected_information"):
        session["collected_information"] = {
            **(session["collected_information"] or {"business_name": None, "individual_name": None}), **params["collected_information"],
        }  # fmt: skip
    return call.objects.save(session)


def list_sessions(call: Call, params: Params) -> Page:
    """List sessions by customer, e-mail address, intent, link, subscription or status."""
    names = ("customer", "payment_intent", "payment_link", "subscription", "status")
    equal: dict[str, Any] = {name: params[name] for name in names if params.get(name)}
    if (params.get("customer_details") or {}).get("email"):
        equal["customer_details.email"] = params["customer_details"]["email"]
    return list_page(call, _NAME, params, equal, url="/v1/checkout/sessions")


def line_items(call: Call, params: Params) -> Page:
    """List what is bought."""
    session = _get(call)
    return of_list(shown(session["_lines"]), f"/v1/checkout/sessions/{session['id']}/line_items", params)


def expire(call: Call, params: Params) -> Json:
    """Close an open session; its page can no longer be paid."""
    session = _get(call)
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of {session["status"]}.',
            "session",
            retry=False,
        )
    return _complete.expire(call, session)


def run_out(call: Call, id: str) -> None:
    """Nobody has paid in time."""
    session = call.objects.find(_NAME, id)
    if session is not None and session["status"] == "open":
        _complete.expire(call, session)


# -- as the CLI's fixtures pay a session


def payment_page(call: Call, params: Params) -> Json:
    """The session as its page loads it."""
    return _get(call)


def confirm_page(call: Call, params: Params) -> Json:
    """Pay a session with a payment method, as its page does."""
    session = _get(call)
    expected = params.get("expected_amount")
    if expected is not None and session["amount_total"] is not None and expected != session["amount_total"]:
        raise invalid("The expected amount is not what the Checkout Session comes to.", "expected_amount", "checkout_amount_mismatch")
    if not params.get("payment_method"):
        raise missing_param("payment_method")
    method = resolve_payment_method(call, params["payment_method"], "payment_method")
    _verified(call, method)
    error = _complete.pay(call, session, method, params.get("return_url") or call.setup.base_url)
    if error is not None:
        raise error
    return session


def _verified(call: Call, method: Json) -> None:
    """A bank account that is given on the page counts as verified at once."""
    if method.get("type") == "us_bank_account" and not method.get("_verified"):
        method["_verified"] = True
        call.objects.save(method)


# -- the hosted page


def _names(call: Call, session: Json) -> Json:
    ids = [one["shipping_rate"] for one in session["shipping_options"]]
    return {id: call.objects.get("shipping_rate", id)["display_name"] for id in ids}


def show(call: Call, params: Params) -> Reply:
    """The page, or what became of the session."""
    session = call.objects.get(_NAME, call.path["id"])
    if session["status"] != "open":
        return _page.done_page(session)
    return _page.pay_page(call, session, _names(call, session), kind=params.get("method"))


def came_back(call: Call, params: Params) -> Reply:
    """Back from a challenge: done, or the page again with what went wrong."""
    session = call.objects.get(_NAME, call.path["id"])
    if session["status"] != "open":
        return _page.done_page(session)
    problem = "We could not authenticate your payment method. Please choose a different one and try again."
    return _page.pay_page(call, session, _names(call, session), form=_page.Form({}, "", problem))


def promotion(call: Call, params: Params) -> Reply:
    """Take a promotion code off the total."""
    session = call.objects.get(_NAME, call.path["id"])
    code = (params.get("promotion_code") or "").strip()
    found = call.objects.query("promotion_code", {"_code": code.lower(), "active": "true"}, limit=1) if code else []
    if session["status"] != "open" or not found or not session["allow_promotion_codes"]:
        return _page.pay_page(call, session, _names(call, session), form=_page.Form(params, "promotion_code", "This code is invalid."))
    discount(call, session, [{"promotion_code": found[0]["id"]}])
    total(call, session)
    call.objects.save(session)
    return redirect(call.origin.path.removesuffix("/promotion"))


def submit(call: Call, params: Params) -> Reply:
    """Pay with what was typed in; a refusal is shown next to its field, and a challenge is gone to."""
    session = call.objects.get(_NAME, call.path["id"])
    if session["status"] != "open":
        return _page.done_page(session)
    back = f"{call.setup.base_url}/pay/{call.path['token']}/return"
    try:
        with call.tx.savepoint():
            _take_extras(call, session, params)
            method = _typed_method(call, session, params)
            error = _complete.pay(call, session, method, back)
    except ApiError as problem:
        error = problem
        session = call.setup.tables.load(call.tx, call.scope, _NAME, session["id"]) or session
    if error is not None:
        form = _page.Form(params, _page.place_of(error.param) or ("number" if error.type == "card_error" else ""), error.message)
        return _page.pay_page(call, session, _names(call, session), form=form, kind=params.get("method"))
    waiting = _complete.waiting_for(call, session) if session["status"] == "open" else None
    if waiting is not None:
        return redirect(waiting)
    if session["status"] == "open":
        form = _page.Form(params, "", "This payment could not be completed. Please try another payment method.")
        return _page.pay_page(call, session, _names(call, session), form=form, kind=params.get("method"))
    to = _complete.destination(session)
    return redirect(to) if to else _page.done_page(session)


def _typed_method(call: Call, session: Json, params: Params) -> Json | None:
    if session["mode"] == "payment" and session["amount_total"] == 0:
        return None
    kind = params.get("method") or "card"
    if kind not in session["payment_method_types"]:
        raise invalid("This payment method is not available.", "method")
    email = (session["customer_details"] or {}).get("email") or params.get("email")
    address = {name: params.get(name) for name in ("country", "postal_code") if params.get(name)}
    billing = {"email": email, "name": params.get("name"), "phone": params.get("phone"), "address": address}
    given: Params = {"type": kind, "billing_details": billing}
    if kind == "card":
        month, year = _expiry(params.get("expiry") or "")
        number, cvc = (params.get("number") or "").strip(), params.get("cvc") or None
        given["card"] = {"number": number, "exp_month": month, "exp_year": year, "cvc": cvc}
        if not cvc:
            raise ApiError(402, "card_error", "incomplete_cvc", "Your card's security code is incomplete.", "cvc")
    elif kind == "sepa_debit":
        given["sepa_debit"] = {"iban": params.get("iban") or ""}
    elif kind == "us_bank_account":
        numbers = {name: (params.get(name) or "").strip() for name in ("routing_number", "account_number")}
        given["us_bank_account"] = {**numbers, "account_holder_type": "individual"}
    method = create_method(call, given)
    _verified(call, method)
    return method


def _expiry(text: str) -> tuple[int, int]:
    """Month and year of ``MM / YY``, ``MMYY`` or ``MM/YYYY``. Raises ApiError for anything else."""
    digits = "".join(letter for letter in text if letter.isdigit())
    if len(digits) not in (3, 4, 6):
        raise ApiError(402, "card_error", "invalid_expiry_month", "Your card's expiration date is incomplete.", "exp_month")
    split = 1 if len(digits) == 3 else 2
    year = int(digits[split:])
    return int(digits[:split]), year + 2000 if year < 100 else year


def _take_extras(call: Call, session: Json, params: Params) -> None:
    """What the page asked for besides the payment."""
    details = session["customer_details"]
    if details is None or not details.get("email"):
        session["customer_details"] = {
            "address": None, "business_name": None, "email": params.get("email"), "individual_name": None, "name": params.get("name"),
            "phone": params.get("phone"), "tax_exempt": "none", "tax_ids": [],
        }  # fmt: skip
    for field in session["custom_fields"]:
        custom = params.get("custom")
        value = custom.get(field["key"]) if isinstance(custom, dict) else None
        if not value and not field["optional"]:
            raise invalid("This field is required.", f"custom[{field['key']}]")
        field[field["type"]]["value"] = value or None
    rate = params.get("shipping_rate")
    for option in session["shipping_options"]:
        if option["shipping_rate"] == rate:
            amount = option["shipping_amount"]
            session["shipping_cost"] = {"amount_subtotal": amount, "amount_tax": 0, "amount_total": amount, "shipping_rate": rate}
            total(call, session)
    if session["shipping_address_collection"]:
        address = {name: params.get(f"ship_{name}") for name in ("city", "country", "line1", "postal_code")}
        session["collected_information"] = {
            "business_name": None, "individual_name": None,
            "shipping_details": {"address": {**address, "line2": None, "state": None}, "name": params.get("ship_name")},
        }  # fmt: skip
    if (session["consent_collection"] or {}).get("terms_of_service") == "required":
        if not params.get("terms"):
            raise invalid("You have to agree to the terms of service.", "terms")
        session["consent"] = {"promotions": None, "terms_of_service": "accepted"}


# -- how it is answered


def _items_expanded(call: Call, session: Json) -> Json:
    return sublist(shown(session["_lines"]), f"/v1/checkout/sessions/{session['id']}/line_items")


def _client_view(call: Call, session: Json) -> Json:
    names = ("id", "object", "amount_total", "currency", "livemode", "mode", "payment_status", "status", "url")
    return {name: session[name] for name in names}


def _old_ui(call: Call, session: Json) -> None:
    session["ui_mode"] = _OLD_UI.get(session["ui_mode"], session["ui_mode"])


def _old_shipping(call: Call, session: Json) -> None:
    session["shipping_details"] = (session.get("collected_information") or {}).get("shipping_details")


def _older_shipping(call: Call, session: Json) -> None:
    session["shipping"] = session.pop("shipping_details", None)


_TEXTS = (
    "method", "email", "name", "phone", "number", "expiry", "cvc", "country", "postal_code", "iban", "routing_number", "account_number",
    "shipping_rate", "terms", "ship_name", "ship_line1", "ship_city", "ship_postal_code", "ship_country",
)  # fmt: skip
_BACK = ("payment_intent", "payment_intent_client_secret", "setup_intent", "setup_intent_client_secret", "redirect_status", "source_type")
_SENT = P.object(custom=P.any()).extended({name: P.any() for name in _TEXTS})

CHECKOUT_SESSION = Resource(
    object=_NAME,
    prefix="cs_test",
    permission=PERMISSION,
    label="checkout.session",
    path_param="session",
    indexed=("customer", "customer_details.email", "payment_intent", "payment_link", "subscription", "status"),
    expands={"line_items": _items_expanded},
    client_view=_client_view,
    changes=(Change("2026-03-25", _old_ui), Change("2025-03-31", _old_shipping), Change("2022-11-15", _older_shipping)),
    on_due={"checkout.expire": run_out},
    endpoints=(
        Endpoint("POST", "/v1/checkout/sessions", create),
        Endpoint("GET", "/v1/checkout/sessions", list_sessions),
        retrieve(_NAME, "/v1/checkout/sessions/{session}"),
        Endpoint("POST", "/v1/checkout/sessions/{session}", update),
        Endpoint("GET", "/v1/checkout/sessions/{session}/line_items", line_items),
        Endpoint("POST", "/v1/checkout/sessions/{session}/expire", expire),
        Endpoint("GET", "/v1/payment_pages/{session}", payment_page, publishable=True, params=P.object()),
        Endpoint(
            "POST",
            "/v1/payment_pages/{session}/confirm",
            confirm_page,
            publishable=True,
            params=P.object(
                payment_method=P.string(),
                expected_amount=P.integer(),
                return_url=P.string(),
                key=P.string(),
            ),
        ),
        Endpoint("GET", "/pay/{token}", show, public=True, params=P.object(method=P.string())),
        Endpoint("POST", "/pay/{token}", submit, public=True, params=_SENT),
        Endpoint("POST", "/pay/{token}/promotion", promotion, public=True, params=P.object(promotion_code=P.any())),
        Endpoint("GET", "/pay/{token}/return", came_back, public=True, params=P.object().extended({name: P.string() for name in _BACK})),
    ),
    title="Checkout Sessions",
    columns=("amount_total", "status", "payment_status", "customer", "id", "created"),
    actions=(Action("Expire", "/v1/checkout/sessions/{session}/expire", when=("open",)),),
)
