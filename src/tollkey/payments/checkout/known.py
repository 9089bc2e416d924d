"""Fields of a session that are optional in general, but guaranteed by its mode or its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire import Call, languages
from tollkey.wire.languages import Language

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import (
        CustomerDetails,
        DeliveryDetails,
        InvoiceCreation,
        StoredLine,
        StoredSession,
    )
    from tollkey.wire import api


def language_of(call: Call, session: StoredSession) -> Language:
    """Return the language of a session's page: its ``locale``, else that of the reader's browser."""
    return languages.choose(call, session.get("locale"))


def price_of(item: StoredLine) -> api.Price:
    """Return the price of a line item."""
    price = item["price"]
    assert price is not None, "every line item is made from a price"
    return price


def currency_of(session: StoredSession) -> str:
    """Return the currency of a session in mode ``payment`` or ``subscription``."""
    currency = session["currency"]
    assert currency is not None, "only sessions in mode setup may have no currency"
    return currency


def amount_of(session: StoredSession) -> int:
    """Return the total of a session in mode ``payment`` or ``subscription``, in minor units."""
    amount = session["amount_total"]
    assert amount is not None, "only sessions in mode setup have no total"
    return amount


def invoicing_of(session: StoredSession) -> InvoiceCreation:
    """Return ``invoice_creation`` of a session in mode ``payment``."""
    creation = session["invoice_creation"]
    assert creation is not None, "every session in mode payment has it"
    return creation


def makes_customer(session: StoredSession) -> bool:
    """Return whether a session has a customer, or makes one when it is paid."""
    data, invoices = session["_payment_intent_data"], session["invoice_creation"]
    return bool(
        session["customer"]
        or session["mode"] == "subscription"
        or session["customer_creation"] == "always"
        or data.get("setup_future_usage")
        or (invoices is not None and invoices["enabled"])
    )


def collected_details(session: StoredSession) -> CustomerDetails:
    """Return ``customer_details`` of a session whose page has collected them."""
    details = session["customer_details"]
    assert details is not None, "collect_customer has set them"
    return details


def delivery_of(session: StoredSession) -> DeliveryDetails | None:
    """Return the collected delivery address with the name, else None."""
    return (session["collected_information"] or {}).get("shipping_details")


def delivery_countries(session: StoredSession) -> list[str]:
    """Return the countries that goods are delivered to, as two-letter codes."""
    asked = session["shipping_address_collection"]
    return (asked.get("allowed_countries") if asked is not None else None) or ["US"]


def page_of(session: StoredSession) -> str:
    """Return the URL of the hosted page of an open session."""
    url = session["url"]
    assert url is not None, "only embedded sessions, and those that are over, have no page"
    return url
