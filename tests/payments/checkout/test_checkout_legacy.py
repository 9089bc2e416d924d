"""Checkout Sessions as older versions ask for them, and lines that nobody buys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api

URL = "/v1/checkout/sessions"
OLD = {"Stripe-Version": "2020-08-27"}
DONE = {"success_url": "https://shop.example/done"}
SHIRT: dict[str, Any] = {"amount": 1500, "currency": "usd", "name": "T-shirt", "quantity": 2}


def price(api: Api, **more: Any) -> str:
    return str(
        api.ok("post", "/v1/prices", currency="usd", unit_amount=1500, product_data={"name": "T-shirt"}, **more)["id"]
    )


def test_a_line_of_quantity_none_is_refused(api: Api) -> None:
    id = price(api)
    lines = [{"price": id, "quantity": 1}, {"price": id, "quantity": 0}]
    for url, more in ((URL, {"mode": "payment", **DONE}), ("/v1/payment_links", {})):
        refused = api.post(url, line_items=lines, **more)
        assert refused.status == 400
        assert refused.error["message"] == "This value must be greater than or equal to 1."
        assert (refused.error["param"], refused.error["code"]) == (
            "line_items[1][quantity]",
            "parameter_invalid_integer",
        )


def test_a_line_without_quantity_is_named(api: Api) -> None:
    refused = api.post(URL, mode="payment", line_items=[{"price": price(api)}], **DONE)
    assert (refused.error["message"], refused.error["param"]) == (
        "Quantity is required. Add `quantity` to `line_items[0]`",
        "line_items[0]",
    )


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


@pytest.mark.parametrize(
    ("given", "param", "message"),
    [
        ({"coupon": "NONE"}, "coupon", "No such coupon: 'NONE'"),
        ({"promotion_code": "promo_none"}, "promotion_code", "No such promotion code: 'promo_none'"),
        ({"discounts": [{"coupon": "NONE"}]}, "discounts[0][coupon]", "No such coupon: 'NONE'"),
    ],
)
def test_an_error_names_the_parameter_that_brought_the_discount(
    api: Api, given: dict[str, Any], param: str, message: str
) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa")["id"]
    items = [{"price": price(api, recurring={"interval": "month"})}]
    refused = api.post("/v1/subscriptions", customer=customer, items=items, headers=OLD, **given)
    assert (refused.status, refused.error["param"], refused.error["message"]) == (400, param, message)
    subscription = api.ok("post", "/v1/subscriptions", customer=customer, items=items)["id"]
    assert api.post(f"/v1/subscriptions/{subscription}", headers=OLD, **given).error["param"] == param


def test_a_preview_names_the_older_parameter_too(api: Api) -> None:
    customer = api.ok("post", "/v1/customers")["id"]
    items = [{"price": price(api, recurring={"interval": "month"})}]
    refused = api.get("/v1/invoices/upcoming", customer=customer, subscription_items=items, coupon="NONE", headers=OLD)
    assert (refused.status, refused.error["param"]) == (400, "coupon")
