"""Discounts in force for a customer or a subscription are looked at and taken away."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import Api
from tests.support.recipes import Maker


def test_a_customer_s_discount_is_there_until_it_is_deleted(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=25, duration="forever")["id"]
    customer = api.under("2025-02-24.acacia").ok("POST", "/v1/customers", coupon=coupon)["id"]
    path = f"/v1/customers/{customer}/discount"
    assert api.get(path)["source"]["coupon"] == coupon
    assert api.ok("DELETE", path)["deleted"] is True
    assert (api.get(path).status, api.delete(path).status) == (404, 404)
    assert api.get(f"/v1/customers/{customer}")["discount"] is None
    assert len(api.events("customer.discount.deleted")) == 1


def test_a_subscription_s_discounts_are_deleted_together(api: Api) -> None:
    maker = Maker(api)
    subscription = maker.make("subscription")
    coupons = [api.ok("POST", "/v1/coupons", percent_off=10, duration="forever")["id"] for _ in range(2)]
    path = f"/v1/subscriptions/{subscription['id']}"
    api.ok("POST", path, discounts=[{"coupon": coupon} for coupon in coupons])
    api.ok("DELETE", f"{path}/discount")
    assert api.get(path)["discounts"] == []
    refused = api.delete(f"{path}/discount")
    assert (refused.status, refused.error["code"]) == (400, "resource_missing")


def test_a_subscription_s_discount_is_read_through_its_own_customer_only(api: Api) -> None:
    subscription = Maker(api).make("subscription")
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, duration="forever")["id"]
    api.ok("POST", f"/v1/subscriptions/{subscription['id']}", discounts=[{"coupon": coupon}])
    other = api.ok("POST", "/v1/customers")["id"]
    own = f"/v1/customers/{subscription['customer']}/subscriptions/{subscription['id']}/discount"
    assert api.get(own)["source"]["coupon"] == coupon
    assert api.get(own.replace(subscription["customer"], other)).status == 404


def test_before_2025_09_30_a_discount_showed_its_coupon(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=25, duration="forever")["id"]
    customer = api.under("2025-02-24.acacia").ok("POST", "/v1/customers", coupon=coupon)
    path = f"/v1/customers/{customer['id']}/discount"
    assert api.get(path, headers={"Stripe-Version": "2025-08-27.basil"})["coupon"]["percent_off"] == 25
    assert "coupon" not in api.get(path, headers={"Stripe-Version": "2025-09-30.clover"})


def test_a_subscription_s_discount_is_deleted_through_its_own_customer_only(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=20, duration="forever")["id"]
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api), discounts=[{"coupon": coupon}])["id"]
    other = api.ok("POST", "/v1/customers")["id"]
    refused = api.delete(f"/v1/customers/{other}/subscriptions/{sub}/discount")
    assert (refused.status, refused.error["code"]) == (404, "resource_missing")
    assert api.ok("DELETE", f"/v1/customers/{who}/subscriptions/{sub}/discount")["deleted"] is True
