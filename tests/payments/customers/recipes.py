"""How tests make the objects of ``payments.customers`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.recipes import META, Body, Json, Maker


def _cash(m: Maker) -> Json:
    customer = m.post("/v1/customers")["id"]
    return m.post(f"/v1/customers/{customer}/balance_transactions", amount=-500, currency="usd")


def paying_customer(m: Maker, card: str = "pm_card_visa") -> Json:
    """A customer whose invoices are paid with that test card."""
    return m.post(
        "/v1/customers",
        email="jenny@example.com",
        payment_method=card,
        invoice_settings={"default_payment_method": card},
    )


COLLECTIONS = {
    "/v1/customers": "customer",
    "/v1/elements/customers": "customer",
}


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "customer_balance_transaction": _cash,
}


BODIES: dict[str, Body] = {
    "POST /v1/customers": {"email": "jenny@example.com", "name": "Jenny"},
    "POST /v1/customers/{}": META,
    "POST /v1/customers/{}/balance_transactions": {"amount": -500, "currency": "usd"},
    "POST /v1/customers/{}/balance_transactions/{}": META,
    "POST /v1/elements/customers/{}/set_default_payment_method": {"payment_method": ""},
    "GET /v1/customers/search": {"query": "email:'jenny@example.com'"},
}  # fmt: skip
