"""How tests make the objects of ``payments.catalog`` and call its endpoints (``tests/support/recipes.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.recipes import META, Body, Json, Maker


def recurring_price(m: Maker, **more: Any) -> str:
    monthly = {
        "currency": "usd",
        "unit_amount": 1500,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Gold"},
    }
    found: str = m.post("/v1/prices", **{**monthly, **more})["id"]
    return found


def one_time_price(m: Maker) -> str:
    found: str = m.post("/v1/prices", currency="usd", unit_amount=2500, product_data={"name": "Hat"})["id"]
    return found


def _discounted_subscription(m: Maker) -> list[str]:
    made = m.make("subscription")
    m.post(f"/v1/subscriptions/{made['id']}", discounts=[{"coupon": m.make("coupon")["id"]}])
    return [made["customer"], made["id"]]


def _discounted(m: Maker) -> str:
    """A customer with a discount of their own, which newer API versions no longer give."""
    coupon = m.post("/v1/coupons", percent_off=25, duration="forever")["id"]
    found: str = m.under("2025-02-24.acacia").post("/v1/customers", coupon=coupon)["id"]
    return found


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "discount": lambda m: {"id": "x", "object": "discount"},
    "tax_code": lambda m: {"id": "txcd_99999999"},
}


BODIES: dict[str, Body] = {
    "POST /v1/coupons": {"percent_off": 25, "duration": "once"},
    "POST /v1/coupons/{}": META,
    "GET /v1/prices/search": {"query": "active:'true'"},
    "GET /v1/products/search": {"query": "active:'true'"},
    "POST /v1/plans": {"amount": 1000, "currency": "usd", "interval": "month", "product": {"name": "Gold"}},
    "POST /v1/plans/{}": META,
    "POST /v1/prices": {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Gold"}},
    "POST /v1/prices/{}": META,
    "POST /v1/products": {"name": "Gold"},
    "POST /v1/products/{}": META,
    "POST /v1/promotion_codes": lambda m: {"promotion": {"type": "coupon", "coupon": m.id("coupon")}},
    "POST /v1/promotion_codes/{}": META,
    "POST /v1/shipping_rates": {
        "display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}},
    "POST /v1/shipping_rates/{}": META,
}  # fmt: skip


PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "DELETE /v1/customers/{}/discount": lambda m: [_discounted(m)],
    "GET /v1/customers/{}/discount": lambda m: [_discounted(m)],
    "DELETE /v1/subscriptions/{}/discount": lambda m: _discounted_subscription(m)[1:],
    "GET /v1/customers/{}/subscriptions/{}/discount": lambda m: _discounted_subscription(m),
    "DELETE /v1/customers/{}/subscriptions/{}/discount": lambda m: _discounted_subscription(m),
    "POST /v1/invoice_rendering_templates/{}/unarchive": lambda m: [
        m.after("invoice_rendering_template", "/v1/invoice_rendering_templates/{}/archive")
    ],
}


DUE: dict[str, Callable[[Maker], object]] = {
    "coupon.expire": lambda m: m.post("/v1/coupons", percent_off=25, duration="once", redeem_by=m.api.now + 60),
    "promotion_code.expire": lambda m: m.post(
        "/v1/promotion_codes", **m.body("POST /v1/promotion_codes"), expires_at=m.api.now + 60
    ),
}
