"""How tests make the objects of ``payments.portal`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.payments.subscriptions.recipes import new_subscription
from tests.support.recipes import HOME, Body, Json, Maker, Visit


def _subscribed(m: Maker) -> tuple[Json, str, str]:
    """A customer's subscription, the portal session in which it can be changed, and a price it can change to."""
    subscription = new_subscription(m)
    dear = m.post(
        "/v1/prices", currency="usd", unit_amount=9000, recurring={"interval": "month"}, product_data={"name": "Dear"}
    )
    features = {
        "subscription_update": {
            "enabled": True, "default_allowed_updates": ["price"], "proration_behavior": "always_invoice",
            "products": [{"product": dear["product"], "prices": [dear["id"]]}]},
        "subscription_cancel": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "customer_update": {"enabled": True, "allowed_updates": ["name", "tax_id"]},
    }  # fmt: skip
    made = m.post("/v1/billing_portal/configurations", features=features)
    session = m.post(
        "/v1/billing_portal/sessions", customer=subscription["customer"], configuration=made["id"], return_url=HOME
    )
    return subscription, session["id"], dear["id"]


def _portal(**params: Any) -> Callable[[Maker, Json], Visit]:
    def visit(m: Maker, card: Json) -> Visit:
        subscription, session, dear = _subscribed(m)
        known = {
            "subscription": subscription["id"],
            "price": dear,
            "payment_method": _own_method(m, subscription["customer"]),
        }
        return Visit(session, {name: known.get(value, value) for name, value in params.items()})

    return visit


def _own_method(m: Maker, customer: str) -> str:
    found: str = m.get(f"/v1/customers/{customer}/payment_methods")["data"][0]["id"]
    return found


BODIES: dict[str, Body] = {
    "POST /v1/billing_portal/sessions": lambda m: {"customer": m.id("customer"), "return_url": HOME},
    "POST /v1/billing_portal/configurations": {"features": {"invoice_history": {"enabled": True}}},
}  # fmt: skip


VISITS: dict[str, tuple[Callable[[Maker, Json], Visit], ...]] = {
    "POST /portal/{token}/cancel": (_portal(subscription="subscription"),),
    "POST /portal/{token}/stay": (_portal(),),
    "POST /portal/{token}/review": (_portal(subscription="subscription", price="price", quantity="1"),),
    "POST /portal/{token}/update": (_portal(subscription="subscription", price="price", quantity="1"),),
    "POST /portal/{token}/details": (_portal(name="Jenny Rosen", tax_id="eu_vat DE123456789"),),
    "POST /portal/{token}/keep": (_portal(subscription="subscription"),),
    "POST /portal/{token}/add": (_portal(),),
    "POST /portal/{token}/use": (_portal(payment_method="payment_method"),),
}
