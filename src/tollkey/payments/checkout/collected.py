"""What a session has to know before it is paid, whoever pays it, in whatever order its page is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.checkout.fields import asks_for_place
from tollkey.payments.checkout.known import currency_of, delivery_of, language_of, price_of
from tollkey.payments.checkout.order import chosen_amount
from tollkey.wire import Call, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import CustomField, StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod


def check_total(call: Call, session: StoredSession) -> None:
    """Raise ApiError 400 while the customer has chosen no amount, or while nobody knows where they are taxed."""
    for item in session["_lines"]:
        if price_of(item)["custom_unit_amount"] and item["_amount"] is None:
            chosen_amount(item, None, currency_of(session), language_of(call, session))
    if asks_for_place(session):
        field = "ship_postal_code" if session["shipping_address_collection"] else "postal_code"
        raise invalid("Enter a postal code that we can work out your tax with.", field)


def check_asked(session: StoredSession, method: StoredPaymentMethod) -> None:
    """Raise ApiError 400 for a session that lacks what its page asks for: only the page can collect it here.

    method: what it is to be paid with.
    """
    lacking = lacks(session, method)
    if lacking is not None:
        own = session["ui_mode"] == "elements"
        way = "Collect it before the payment." if own else "Send the customer to its page."
        raise invalid(f"This Checkout Session collects {lacking}. {way}")


def lacks(session: StoredSession, method: StoredPaymentMethod | None) -> str | None:
    """Return what a session lacks that its page asks for, else None. method: None before one is chosen."""
    return next(_lacking(session, method), None)


def _lacking(session: StoredSession, method: StoredPaymentMethod | None) -> Iterator[str]:
    details = session["customer_details"] or {}
    billing: Mapping[str, Any] = method["billing_details"] if method is not None else {}
    own = session["ui_mode"] == "elements"
    if own and session["customer"] is None and not (details.get("email") or billing.get("email")):
        yield "an email address"
    if session["phone_number_collection"]["enabled"] and not (details.get("phone") or billing.get("phone")):
        yield "a phone number"
    if session["shipping_address_collection"] and delivery_of(session) is None:
        yield "a delivery address"
    line1 = value_at(billing, "address.line1") or (own and value_at(details, "address.line1"))
    if session["billing_address_collection"] == "required" and not line1:
        yield "a billing address"
    for kind in ("business", "individual"):
        rule = value_at(session.get("name_collection"), kind)
        if rule and rule["enabled"] and not rule["optional"] and not details.get(f"{kind}_name"):
            yield "a name"
    if value_at(session["consent_collection"], "terms_of_service") == "required" and not session["consent"]:
        yield "a consent"
    if any(not field["optional"] and _value_of(field) is None for field in session["custom_fields"]):
        yield "custom fields"


def _value_of(field: CustomField) -> str | None:
    """Return what the customer entered in a custom field."""
    value: str | None = value_at(field, f"{field['type']}.value")
    return value
