"""Paying a session: its intent or subscription, and its completion or expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tollkey.payments.checkout import discounts, jobs, kinds, states, waiting
from tollkey.payments.checkout.building import intent_of
from tollkey.payments.checkout.collected import check_total
from tollkey.payments.checkout.fields import needs_method
from tollkey.payments.checkout.invoicing import create_paid_invoice as make_invoice
from tollkey.payments.checkout.known import delivery_of, invoicing_of, makes_customer, price_of
from tollkey.payments.checkout.lines import total
from tollkey.payments.checkout.place import collect, save_to_customer
from tollkey.payments.checkout.recovery import offer as offer_recovery
from tollkey.payments.checkout.rules import check_brand
from tollkey.payments.checkout.saved import redisplay_of
from tollkey.payments.customers import customers
from tollkey.payments.intents import actions, payment_intents, setup_intents
from tollkey.payments.methods import method_types, payment_methods
from tollkey.payments.shared import events, providers
from tollkey.payments.subscriptions import creation
from tollkey.wire import ApiError, Call, Params, invalid

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod
    from tollkey.wire import operations

_REFUSED = ("requires_payment_method", "canceled")
#: Options of payment method types that the invoices of a subscription have too.
_OPTIONS_OF_SUBSCRIPTIONS = {
    "acss_debit": ("verification_method",),
    "bancontact": ("preferred_language",),
    "card": ("request_three_d_secure",),
    "customer_balance": ("bank_transfer", "funding_type"),
    "us_bank_account": ("financial_connections", "verification_method"),
}
_PAID = ("succeeded", "processing", "requires_capture")


def check_open(session: StoredSession) -> None:
    """Raise ApiError 400 unless the session is open."""
    if session["status"] != "open":
        raise invalid(
            f"This Checkout Session is no longer active. Its status is {session['status']}.",
            code="checkout_session_not_open",
            retry=False,
        )


def check_collects(call: Call, session: StoredSession) -> None:
    """Raise ApiError if the session collects a payment method, and this mode has no provider that could use it."""
    if needs_method(session):
        call.require(providers.SETUPS if session["mode"] == "setup" else providers.CHARGES)


def verify_bank(call: Call, method: StoredPaymentMethod) -> None:
    """Mark a US bank account as verified in test mode, as the page does for entered account numbers."""
    if not call.livemode and method.get("type") == "us_bank_account" and not method.get("_verified"):
        method["_verified"] = True
        call.objects.save(method)


def pay(
    call: Call,
    session: StoredSession,
    method: StoredPaymentMethod | None,
    return_url: str,
    *,
    keep: bool = False,
    expected: int | None = None,
) -> ApiError | None:
    """Confirm an open session with a stored payment method (None if nothing has to be paid).

    return_url: where a challenge redirects to. keep: whether the customer saves the method for later. expected: the
        total that the customer was shown (minor units), if anybody says so. Returns the 402 error of a declined card,
        whose changes the caller keeps, else None. Raises ApiError 402 for a declined subscription, whose changes are
        undone, and 400 if the session is not open or comes to something else.
    """
    check_open(session)
    check_collects(call, session)
    _check_limit(call, session)
    waiting.withdraw(call, session)
    discounts.check_valid(call, session)
    if method is not None:
        check_brand(session, method)
        shown_again = redisplay_of(session, keep)
        if shown_again is not None and method["customer"] is None:
            method["allow_redisplay"] = shown_again
            call.objects.save(method)
        _note_billing(session, method)
        if session["mode"] == "subscription" or (session["automatic_tax"]["enabled"] and session["mode"] == "payment"):
            total(call, session)
    check_total(call, session)
    if expected is not None and session["amount_total"] is not None and expected != session["amount_total"]:
        raise invalid(
            "The expected amount is not what the Checkout Session comes to.",
            "expected_amount",
            "checkout_amount_mismatch",
        )
    if session["mode"] == "setup":
        assert method is not None
        error = _set_up(call, session, method, return_url)
    elif session["mode"] == "subscription":
        error = _subscribe(call, session, method, return_url)
    elif session["amount_total"] == 0:
        error = None
        complete_session(call, session, "no_payment_required")
    else:
        assert method is not None
        error = _charge(call, session, method, return_url, keep)
    return error


def _note_billing(session: StoredSession, method: StoredPaymentMethod) -> None:
    """Copy the billing details of the payment method to ``customer_details``."""
    billing = method["billing_details"]
    old = session["customer_details"] or {}
    address = billing["address"] if any((billing["address"] or {}).values()) else old.get("address")
    session["customer_details"] = {
        "address": address, "business_name": old.get("business_name"), "email": old.get("email") or billing["email"],
        "individual_name": old.get("individual_name"),
        "name": old.get("business_name") or billing["name"] or old.get("name"),
        "phone": billing["phone"] or old.get("phone"), "tax_exempt": None if session["mode"] == "setup" else "none",
        "tax_ids": (old.get("tax_ids") or []) if session["mode"] != "setup" else None,
    }  # fmt: skip
    collect(session)


def _ensure_customer(call: Call, session: StoredSession) -> str:
    """Return the id of the session's customer, created if there is none."""
    if session["customer"] is None:
        details = session["customer_details"] or {}
        given: Params = {
            name: value for name, value in details.items() if name in ("email", "name", "phone", "address") and value
        }
        goods = delivery_of(session)
        if goods:
            given["shipping"] = {**goods, "phone": details.get("phone")}
        tax_ids = details.get("tax_ids")
        if tax_ids:
            given["tax_id_data"] = [dict(one) for one in tax_ids]
        session["customer"] = customers.create(call, cast("operations.PostCustomers", given))["id"]  # the same names
    return str(session["customer"])


def _acceptance(call: Call, method: StoredPaymentMethod) -> Params:
    """Return ``mandate_data`` if the payment method needs a mandate; the page's button counts as consent."""
    kind = method_types.TYPES.get(method["type"])
    online = {"ip_address": call.origin.ip or "127.0.0.1", "user_agent": call.origin.user_agent or "unknown"}
    accepted = {"mandate_data": {"customer_acceptance": {"type": "online", "online": online}}}
    return accepted if kind is not None and kind.mandate else {}


def _charge(
    call: Call, session: StoredSession, method: StoredPaymentMethod, return_url: str, keep: bool
) -> ApiError | None:
    """Confirm the PaymentIntent of a session; return the error of a declined payment, else None."""
    if makes_customer(session) or keep:
        _ensure_customer(call, session)
    intent = intent_of(call, session)
    if session["customer"] and intent["customer"] is None:
        intent["customer"] = session["customer"]
    discounts.redeem(call, session)
    call.objects.save(session)
    given = {"payment_method": method["id"], "return_url": return_url, **_acceptance(call, method)}
    if keep and intent["setup_future_usage"] is None:
        given["setup_future_usage"] = "on_session"
    return payment_intents.confirm_intent(call, intent, given)


def _set_up(call: Call, session: StoredSession, method: StoredPaymentMethod, return_url: str) -> ApiError | None:
    """Confirm the SetupIntent of a session; return the error of a declined card, else None."""
    intent = call.objects.get(kinds.SETUP_INTENT, session["setup_intent"] or "")
    if session["customer_creation"] == "always" and session["customer"] is None:
        intent["customer"] = _ensure_customer(call, session)
    call.objects.save(session)
    return setup_intents.confirm_setup(
        call, intent, {"payment_method": method["id"], "return_url": return_url, **_acceptance(call, method)}
    )


def _subscribe(
    call: Call, session: StoredSession, method: StoredPaymentMethod | None, return_url: str
) -> ApiError | None:
    """Create the subscription and pay its first invoice. A decline is raised, so that all changes are undone."""
    customer = call.objects.get(kinds.CUSTOMER, _ensure_customer(call, session))
    save_to_customer(call, session)
    params = _subscription_params(session)
    if method is not None:
        payment_methods.attach_to(call, method, customer["id"])
        params["default_payment_method"] = method["id"]
    params["customer"] = customer["id"]
    subscription = creation.create(call, params)
    session["subscription"], session["invoice"] = subscription["id"], subscription["latest_invoice"]
    intent = waiting.intent_of_invoice(call, session["invoice"])
    if intent is not None and intent["status"] == "requires_payment_method":
        told: Params = dict(intent["last_payment_error"] or {})
        message, code = told.pop("message", "Your card was declined."), told.pop("code", "card_declined")
        for name in ("type", "param", "doc_url", "payment_method", "source"):
            told.pop(name, None)
        raise ApiError(402, "card_error", code, message, **told)
    if intent is not None and intent["status"] == "requires_action":
        intent["_checkout"] = session["id"]
        intent["next_action"] = actions.first_action(call, intent, return_url=return_url, use_stripe_sdk=False)
        call.objects.save(intent)
        call.objects.save(session)
        return None
    free = subscription["status"] == "trialing" or session["amount_total"] == 0
    delayed = intent is not None and intent["status"] == "processing"
    if delayed and intent is not None:
        intent["_checkout"] = session["id"]
        call.objects.save(intent)
    complete_session(
        call,
        session,
        "no_payment_required" if free and session["amount_total"] == 0 else "unpaid" if delayed else "paid",
    )
    return None


def _subscription_params(session: StoredSession) -> Params:
    """Return the parameters of a session's subscription."""
    params: Params = {
        **session["_subscription_data"],
        "payment_behavior": "allow_incomplete",
        "off_session": False,
        "items": [],
        "add_invoice_items": [],
    }
    for item in session["_lines"]:
        entry: Params = {"price": price_of(item)["id"]}
        if item["quantity"] is not None:
            entry["quantity"] = item["quantity"]
        if item["_rates"]:
            entry["tax_rates"] = item["_rates"]
        if price_of(item)["recurring"]:
            params["items"].append({**entry, "_inline": item["_inline"]})
        else:
            params["add_invoice_items"].append(entry)
    if not params["add_invoice_items"]:
        del params["add_invoice_items"]
    options = _recurring_options(session)
    if options:
        params["payment_settings"] = {"payment_method_options": options}
    if session["_discounts"]:
        params["discounts"] = session["_discounts"]
    if session["automatic_tax"]["enabled"]:
        params["automatic_tax"] = {"enabled": True, "liability": session["automatic_tax"]["liability"]}
    return params


def _recurring_options(session: StoredSession) -> Params:
    """Return the options of payment method types that subscriptions have too, with the names that they have there."""
    given = session.get("_method_options") or {}
    made = {
        kind: {name: value for name, value in given[kind].items() if name in names}
        for kind, names in _OPTIONS_OF_SUBSCRIPTIONS.items()
        if kind in given
    }
    return {kind: options for kind, options in made.items() if options}


def complete_from_intent(call: Call, fact: events.IntentChanged) -> None:
    """Complete a session whose intent succeeded, or store the result of its delayed payment."""
    intent = fact.intent
    session = call.objects.find(kinds.SESSION, intent["_checkout"]) if intent.get("_checkout") else None
    # an intent that was paid by itself, as early versions allow, for another amount than the session's completes none
    whole = session is not None and (session["mode"] != "payment" or intent.get("amount") == session["amount_total"])
    if session is not None and session["status"] == "open" and intent["status"] in _PAID and whole:
        paid = "paid" if intent["status"] == "succeeded" else "unpaid"
        complete_session(call, session, "no_payment_required" if intent["object"] == "setup_intent" else paid)
    elif session is not None and session["status"] == "open" and intent["status"] in _REFUSED:
        discounts.give_back(call, session)
        call.objects.save(session)
    elif session is not None and session["status"] == "complete" and session["payment_status"] == "unpaid":
        _record_delayed_payment(call, session, intent["status"])


def _record_delayed_payment(call: Call, session: StoredSession, status: str) -> None:
    """Store the result of a delayed payment in a complete session. status: that of the intent."""
    if status == "succeeded":
        states.PAYMENT.set(session, "paid")
        if session["mode"] == "payment" and invoicing_of(session)["enabled"]:
            _invoice(call, session)
        call.objects.save(session)
        call.emit("checkout.session.async_payment_succeeded", session)
    elif status == "requires_payment_method":
        call.emit("checkout.session.async_payment_failed", session)


def complete_session(call: Call, session: StoredSession, payment_status: str) -> None:
    """Complete an open session: customer, discounts, invoice, status and events.

    payment_status: ``paid``, ``unpaid`` or ``no_payment_required``.
    """
    invoiced = session["mode"] == "payment" and invoicing_of(session)["enabled"]
    if session["customer_creation"] == "always" or invoiced:
        _ensure_customer(call, session)
    if session["mode"] != "subscription":
        save_to_customer(call, session)
    if session["mode"] == "payment" and session["_discounts"]:
        discounts.redeem(call, session)
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"]["status"] = "complete"
    if invoiced and payment_status != "unpaid":
        _invoice(call, session)
    states.SESSION.set(session, "complete")
    states.PAYMENT.set(session, payment_status)
    session["url"] = None
    call.schedule.cancel(jobs.CHECKOUT_EXPIRE, session["id"])
    call.objects.save(session)
    if session.get("_for_portal"):
        _set_default_method(call, session)
    else:
        call.emit("checkout.session.completed", session)
        _count_completion(call, session)


def _invoice(call: Call, session: StoredSession) -> None:
    """Create the paid invoice of a session."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, session["payment_intent"] or "")
    make_invoice(call, session, intent, session.get("_redeemed") or [])


def _set_default_method(call: Call, session: StoredSession) -> None:
    """Make a card added in the customer portal the customer's default."""
    intent = call.objects.get(kinds.SETUP_INTENT, session["setup_intent"] or "")
    customer = call.objects.get(kinds.CUSTOMER, session["customer"] or "", "customer")
    customer["invoice_settings"]["default_payment_method"] = intent["payment_method"]
    call.objects.save(customer, "customer.updated")


def check_intent(call: Call, fact: events.IntentActs) -> None:
    """Raise ApiError 400 for the payment of a session whose payment link has reached its limit since."""
    session = call.objects.find(kinds.SESSION, fact.intent["_checkout"]) if fact.intent.get("_checkout") else None
    if session is not None and session["status"] == "open":
        _check_limit(call, session)


def _check_limit(call: Call, session: StoredSession) -> None:
    """Raise ApiError 400 for a session of a payment link that has as many completed ones as it may have."""
    link = call.objects.find(kinds.PAYMENT_LINK, session["payment_link"]) if session["payment_link"] else None
    if link is not None and link["restrictions"]:
        limit = link["restrictions"]["completed_sessions"]
        if limit["count"] >= limit["limit"]:
            raise invalid(link["inactive_message"] or "This link is no longer active.")


def _count_completion(call: Call, session: StoredSession) -> None:
    """Count a completed session of a payment link, and deactivate the link when its limit is reached."""
    link = call.objects.find(kinds.PAYMENT_LINK, session["payment_link"]) if session["payment_link"] else None
    if link is not None and link["restrictions"]:
        limit = link["restrictions"]["completed_sessions"]
        limit["count"] += 1
        if limit["count"] >= limit["limit"]:
            link["active"] = False
        call.objects.save(link, "payment_link.updated")


def expire(call: Call, session: StoredSession) -> StoredSession:
    """Expire a session: cancel its PaymentIntent, offer its recovery, and emit the event."""
    states.SESSION.set(session, "expired")
    session["url"] = None
    discounts.give_back(call, session)
    offer_recovery(call, session)
    call.schedule.cancel(jobs.CHECKOUT_EXPIRE, session["id"])
    call.objects.save(session)
    intent = call.objects.find(kinds.PAYMENT_INTENT, session["payment_intent"]) if session["payment_intent"] else None
    if intent is not None and intent["status"] in (
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
    ):
        payment_intents.cancel_intent(call, intent, "abandoned")
    call.emit("checkout.session.expired", session)
    return session


def destination(session: StoredSession) -> str | None:
    """Return the URL for the customer after completion, with the session's id inserted; None without one.

    The page of an embedded session leads nowhere: Stripe.js takes the page around it to the ``return_url``.
    """
    url = session.get("success_url") or (session.get("return_url") if session["ui_mode"] != "embedded_page" else None)
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"]) if url else None
