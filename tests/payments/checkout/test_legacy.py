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


def test_since_2022_08_01_each_line_has_a_price(api: Api) -> None:
    old = (
        "You cannot use `line_items.amount`, `line_items.currency`, `line_items.name`, `line_items.description`, or"
        " `line_items.images` in this API version. Please use `line_items.price` or `line_items.price_data`. Please see"
        " https://stripe.com/docs/payments/checkout/migrating-prices for more information."
    )
    neither = "You must provide either price or price_data for each line item when using prices."
    for version in ("2022-08-01", "2023-10-16"):
        under = api.under(version)
        assert under.post(URL, mode="payment", line_items=[SHIRT], **DONE).refusal == (400, None, None, old)
        refused = under.post(URL, mode="payment", line_items=[{"quantity": 1}], **DONE)
        assert refused.refusal == (400, None, None, neither)
