"""The requests of a session's hosted page, which works without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from tollkey.payments.checkout import completion, discounts, embedded, kinds, page, saved, waiting
from tollkey.payments.checkout.collecting import (
    collect_billing_address,
    collect_customer,
    collect_extras,
    collect_shipping_address,
)
from tollkey.payments.checkout.fields import needs_method, offered, place_of
from tollkey.payments.checkout.known import collected_details
from tollkey.payments.checkout.lines import total
from tollkey.payments.checkout.order import change_order
from tollkey.payments.documents import forms
from tollkey.payments.methods import mandates, payment_methods
from tollkey.payments.shared import providers
from tollkey.wire import ApiError, Call, Endpoint, P, Reply, invalid
from tollkey.wire.hosted import redirect
from tollkey.wire.live import asks

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import api, operations


def _here(call: Call) -> StoredSession:
    """Return the session that the URL belongs to."""
    return call.objects.get(kinds.SESSION, call.path["id"])


def _names(call: Call, session: StoredSession) -> Mapping[str, str | None]:
    """Return the display names of the session's shipping rates, by id."""
    ids = [one["shipping_rate"] for one in session["shipping_options"]]
    return {id: call.objects.get(kinds.SHIPPING_RATE, id)["display_name"] for id in ids}


def show(call: Call, params: operations.GetPayToken) -> Reply:
    """Show the page of an open session, or the result of another one."""
    return _show(call, _here(call), params.get("method"))


def _show(call: Call, session: StoredSession, method: str | None = None) -> Reply:
    """Show the page of a session. method: the type of payment method whose fields it shows."""
    if session["status"] != "open":
        return page.done_page(call, session)
    return page.pay_page(call, session, _names(call, session), kind=method)


def came_back(call: Call, params: operations.GetPayTokenReturn) -> Reply:
    """Show the result after a challenge, or the page with an error."""
    session = _here(call)
    if session["status"] != "open":
        return page.done_page(call, session)
    problem = "We could not authenticate your payment method. Please choose a different one and try again."
    return page.pay_page(call, session, _names(call, session), form=forms.Form({}, "", problem))


def _again(call: Call, session: StoredSession, params: Mapping[str, object], error: ApiError) -> Reply:
    """Show the page again, with the error beside its field."""
    kind = params.get("method")
    field = place_of(error.param) or ("number" if error.type == "card_error" else "")
    shown = page.pay_page(
        call,
        session,
        _names(call, session),
        form=forms.Form(params, field, error.message),
        kind=kind if isinstance(kind, str) else None,
    )
    return replace(shown, guess=error.guess)


def _reload(call: Call, session: StoredSession) -> StoredSession:
    """Return the stored session after an attempt was undone."""
    stored: StoredSession | None = call.setup.tables.load(call.tx, call.scope, session["object"], session["id"])
    return stored if stored is not None else session


def _to_page(call: Call) -> Reply:
    """Redirect to the session's page."""
    return redirect(f"/pay/{call.path['token']}")


def promotion(call: Call, params: operations.PostPayTokenPromotion) -> Reply:
    """Apply a promotion code, or remove it if the code is empty."""
    session = _here(call)
    if session["status"] != "open" or not session["allow_promotion_codes"]:
        return _show(call, session)
    waiting.withdraw(call, session)
    code = (params.get("promotion_code") or "").strip()
    if not code and session["_discounts"]:
        discounts.put(session, [])
    else:
        try:
            discounts.put_typed(call, session, code)
        except ApiError as error:
            return _again(call, session, params, error)
    total(call, session)
    call.objects.save(session)
    return _to_page(call)


def order(call: Call, params: operations.PostPayTokenOrder) -> Reply:
    """Change the order, within the limits of the session."""
    session = _here(call)
    if session["status"] != "open":
        return page.done_page(call, session)
    waiting.withdraw(call, session)
    try:
        change_order(call, session, params)
    except ApiError as error:
        return _again(call, _reload(call, session), params, error)
    kept = discounts.fitting(call, session)
    unfit = len(kept) < len(session["_discounts"])
    if unfit:
        discounts.put(session, kept)
        total(call, session)
    call.objects.save(session)
    return _again(call, session, {}, invalid("This code is invalid.", "promotion_code")) if unfit else _to_page(call)


def address(call: Call, params: operations.PostPayTokenAddress) -> Reply:
    """Store the address, on which automatic tax depends, and show the page with the total."""
    session = _here(call)
    if session["status"] != "open":
        return page.done_page(call, session)
    waiting.withdraw(call, session)
    try:
        collect_customer(session, params)
        if session["shipping_address_collection"]:
            collect_shipping_address(session, params)
        else:
            collect_billing_address(session, params)
    except ApiError as error:
        return _again(call, _reload(call, session), params, error)
    total(call, session)
    call.objects.save(session)
    return _to_page(call)


def remove(call: Call, params: operations.PostPayTokenRemove) -> Reply:
    """Detach a saved payment method from the customer; one that is not shown, such as a removed one, is ignored."""
    session = _here(call)
    if session["status"] == "open" and saved.may_remove(session):
        wanted = params.get("saved")
        for method in saved.saved_methods(call, session):
            if method["id"] == wanted:
                mandates.detach_from(call, method, session["customer"] or "")
    return _to_page(call)


def submit(call: Call, params: operations.PostPayToken) -> Reply:
    """Pay with the entered details; show an error beside its field, or redirect to the challenge.

    If the entered details change the total (another shipping option or tax), the new total is shown before it is
    charged.
    """
    session = _here(call)
    if session["status"] != "open":
        return page.done_page(call, session)
    back = f"{call.setup.base_url}/pay/{call.path['token']}/return"
    error = None
    try:
        with call.tx.savepoint():
            waiting.withdraw(call, session)
            collect_extras(call, session, params)
            error = _total_changed(session, params)
            if error is None:
                method = _entered_method(call, session, params)
                error = completion.pay(call, session, method, back, keep=_keeps(session, params))
            else:
                call.objects.save(session)
    except ApiError as problem:
        error = problem
        session = _reload(call, session)
    step = waiting.waiting_for(call, session) if error is None and session["status"] == "open" else None
    if error is None and step is None and session["status"] == "open":
        error = invalid("This payment could not be completed. Please try another payment method.")
    if error is not None:
        return _again(call, session, params, error)
    to = embedded.framed(session, step) or completion.destination(session)
    return redirect(to) if to else page.done_page(call, session)


def _keeps(session: StoredSession, params: operations.PostPayToken) -> bool:
    """Return whether the customer ticked the box that saves the payment method, and the page showed it."""
    return bool(params.get("save")) and saved.may_save(session, params.get("method") or "card")


def _total_changed(session: StoredSession, params: operations.PostPayToken) -> ApiError | None:
    """Return the error for a total that differs from the one shown, else None."""
    shown = params.get("shown_total")
    changed = shown is not None and shown != str(session["amount_total"])
    return invalid("The total has changed. Please check it and enter your payment details again.") if changed else None


_ADDRESS: tuple[Literal["line1", "line2", "city", "state", "postal_code", "country"], ...] = (
    "line1",
    "line2",
    "city",
    "state",
    "postal_code",
    "country",
)


def _billing_address(params: operations.PostPayToken, kept: api.Address | None) -> operations.Address:
    """Return the entered address, or the customer's if none was entered."""
    address: operations.Address = {}
    entered = any(params.get(name) for name in _ADDRESS)
    for name in _ADDRESS:
        text = params.get(name) if entered else kept[name] if kept else None
        if text:
            address[name] = text
    return address


def _entered_method(call: Call, session: StoredSession, params: operations.PostPayToken) -> StoredPaymentMethod | None:
    """Create the payment method from the entered details; return None if none is required.

    Raises ApiError 402 or 400 for invalid details.
    """
    if not needs_method(session):
        return None
    completion.check_collects(call, session)
    kind = params.get("method") or "card"
    if kind == saved.SAVED:
        return _saved_method(call, session, params)
    if kind not in offered(session):
        raise invalid("This payment method is not available.", "method")
    details = collected_details(session)
    given: operations.PostPaymentMethods = {
        "billing_details": {
            "email": details["email"],
            "name": params.get("name"),
            "phone": params.get("phone"),
            "address": _billing_address(params, details.get("address")),
        }
    }
    if kind == "card":
        card = forms.card_entered(params)
        given["card"] = {"number": card.number, "exp_month": card.month, "exp_year": card.year, "cvc": card.cvc}
    elif kind == "sepa_debit":
        given["sepa_debit"] = {"iban": params.get("iban") or ""}
    elif kind == "us_bank_account":
        given["us_bank_account"] = {
            "routing_number": (params.get("routing_number") or "").strip(),
            "account_number": (params.get("account_number") or "").strip(),
            "account_holder_type": "individual",
        }
    method = payment_methods.create_of(call, kind, given)
    completion.verify_bank(call, method)
    return method


def _saved_method(call: Call, session: StoredSession, params: operations.PostPayToken) -> StoredPaymentMethod:
    """Return the chosen saved payment method. Raises ApiError 400 unless the page shows it."""
    chosen = params.get("saved")
    for method in saved.saved_methods(call, session):
        if method["id"] == chosen:
            return method
    raise invalid("This payment method is no longer saved. Please choose another one.", "saved")


_TEXTS = (
    "method", "email", "name", "phone", "number", "expiry", "cvc", "country", "postal_code", "line1", "line2", "city",
    "state", "iban",
    "routing_number", "account_number", "shipping_rate", "terms", "promotions", "business_name", "tax_id",
    "individual_name", "shown_total", "saved", "save",
    "ship_name", "ship_line1", "ship_line2", "ship_city", "ship_state", "ship_postal_code", "ship_country",
)  # fmt: skip
_BACK = (
    "payment_intent",
    "payment_intent_client_secret",
    "setup_intent",
    "setup_intent_client_secret",
    "redirect_status",
    "source_type",
)
#: What is typed into a field, or chosen; nothing else, since it is stored as it was sent.
_TEXT = P.string(blank=True)
_SENT = P.object().extended({name: _TEXT for name in _TEXTS})
PAGES = (
    Endpoint("GET", "/pay/{token}", show, public=True, params=P.object(method=P.string())),
    Endpoint(
        "POST",
        "/pay/{token}",
        submit,
        public=True,
        params=_SENT.extended({"custom": P.map(_TEXT)}),
        live=asks(providers.CHARGES, providers.PAYS),
    ),
    Endpoint("POST", "/pay/{token}/address", address, public=True, params=_SENT),
    Endpoint("POST", "/pay/{token}/promotion", promotion, public=True, params=P.object(promotion_code=_TEXT)),
    Endpoint("POST", "/pay/{token}/remove", remove, public=True, params=P.object(saved=_TEXT)),
    Endpoint(
        "POST",
        "/pay/{token}/order",
        order,
        public=True,
        params=P.object(quantity=P.map(_TEXT), amount=P.map(_TEXT), add=P.map(_TEXT)),
    ),
    Endpoint(
        "GET",
        "/pay/{token}/return",
        came_back,
        public=True,
        params=P.object().extended({name: P.string() for name in _BACK}),
    ),
)
