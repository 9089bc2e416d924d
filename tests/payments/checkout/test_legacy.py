"""What callers of versions before 2022-08-01 may say of a session, in today's words."""

from __future__ import annotations

from typing import Any

from tests.payments.checkout.steps import price
from tests.support.api import Api

URL = "/v1/checkout/sessions"
OLD = {"Stripe-Version": "2020-08-27"}
DONE = {"success_url": "https://shop.example/done"}


SHIRT: dict[str, Any] = {"amount": 1500, "currency": "usd", "name": "T-shirt", "quantity": 2}


def test_older_versions_need_a_mode_only_with_prices(api: Api) -> None:
    made = api.ok("post", URL, line_items=[SHIRT], headers=OLD, **DONE)
    assert (made["mode"], made["amount_total"]) == ("payment", 3000)
    refused = api.post(URL, line_items=[{"price": price(api), "quantity": 1}], headers=OLD, **DONE)
    assert refused.error["message"] == "You must provide `mode` when using prices."
    assert api.post(URL, line_items=[SHIRT], **DONE).error["message"] == "Missing required param: mode."


def test_older_versions_sell_plans_by_their_items(api: Api) -> None:
    plan = price(api, recurring={"interval": "month"})
    coupon = api.ok("post", "/v1/coupons", percent_off=10, duration="once")["id"]
    data = {"items": [{"plan": plan, "quantity": 3}], "coupon": coupon}
    made = api.ok("post", URL, subscription_data=data, payment_method_types=["card"], headers=OLD, **DONE)
    assert (made["mode"], made["amount_subtotal"], made["amount_total"]) == ("subscription", 4500, 4050)
