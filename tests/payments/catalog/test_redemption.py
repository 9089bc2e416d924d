"""Discounts: redeeming coupons and promotion codes, and what a discount takes off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import price
from tests.payments.subscriptions.steps import DAY, advance, clocked, ok, plan, subscribe, totals
from tests.support.api import NOW, Api


def test_a_second_coupon_replaces_the_first_and_an_empty_one_takes_it_away(api: Api) -> None:
    first, second = (api.ok("post", "/v1/coupons", percent_off=share, duration="forever")["id"] for share in (20, 30))
    api = api.under("2025-02-24.acacia")
    customer = api.ok("post", "/v1/customers", coupon=first)
    path = f"/v1/customers/{customer['id']}"
    assert api.ok("post", path, coupon=second)["discount"]["coupon"]["id"] == second
    assert api.ok("post", path, coupon="")["discount"] is None
    told = [event["type"] for event in api.events() if event["type"].startswith("customer.discount")]
    assert told == ["customer.discount.created", "customer.discount.updated", "customer.discount.deleted"]
    api.ok("post", path, coupon=first)
    assert api.ok("get", path + "/discount")["coupon"]["id"] == first
    assert api.delete(path + "/discount").status == 200
    assert api.get(path + "/discount").error["code"] == "resource_missing"


OLD = {"Stripe-Version": "2020-08-27"}


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


FEBRUARY, MARCH = NOW + 31 * DAY, NOW + 59 * DAY


def test_a_coupon_that_takes_more_than_there_is_counts_once_all_the_same(api: Api) -> None:
    clock, who = clocked(api)
    coupon = ok(api, "POST", "/v1/coupons", amount_off=1500, currency="usd", duration="once")["id"]
    sub = subscribe(api, who, plan(api), discounts=[{"coupon": coupon}])
    advance(api, clock, FEBRUARY + 4000)
    assert totals(api, sub["id"]) == [0, 1000]
