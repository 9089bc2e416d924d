"""A phase of a schedule redeems the discounts that it was promised when it begins."""

from __future__ import annotations

from tests.payments.catalog.steps import first_time
from tests.payments.subscriptions.steps import DAY, advance, clocked, plan, schedule, totals
from tests.support.api import NOW, Api


def test_a_phase_keeps_the_code_for_new_customers_that_it_was_promised(api: Api) -> None:
    clock, who = clocked(api)
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month"}}
    later = {**phase, "discounts": [{"promotion_code": first_time(api)}]}
    made = api.ok("post", "/v1/subscription_schedules", customer=who, start_date="now", phases=[phase, later])
    advance(api, clock, NOW + 31 * DAY + 4_000)
    invoices = api.get("/v1/invoices", subscription=made["subscription"])["data"]
    assert [one["total"] for one in invoices] == [900, 1000]


def test_a_phase_begins_without_the_coupon_that_is_over(api: Api) -> None:
    clock, who = clocked(api)
    coupon = api.ok("post", "/v1/coupons", percent_off=10, duration="forever")["id"]
    phase = {"items": [{"price": plan(api)}], "duration": {"interval": "month"}}
    later = {**phase, "discounts": [{"coupon": coupon}]}
    made = api.ok("post", "/v1/subscription_schedules", customer=who, start_date="now", phases=[phase, later])
    api.ok("delete", f"/v1/coupons/{coupon}")
    advance(api, clock, NOW + 31 * DAY + 4_000)
    invoices = api.get("/v1/invoices", subscription=made["subscription"])["data"]
    assert [one["total"] for one in invoices] == [1000, 1000]


def test_discounts_of_items_count_in_their_phase_only(api: Api) -> None:
    clock, who = clocked(api)
    coupon = api.ok("post", "/v1/coupons", percent_off=50, duration="forever")["id"]
    price = plan(api)
    half = {"price": price, "discounts": [{"coupon": coupon}]}
    made = schedule(api, who, {"items": [half]}, {"items": [{"price": price}]}, {"items": [half]})
    assert made["phases"][0]["items"][0]["discounts"] == [{"coupon": coupon, "discount": None, "promotion_code": None}]
    advance(api, clock, NOW + 31 * DAY + 4_000)
    advance(api, clock, NOW + 60 * DAY + 4_000)
    assert totals(api, made["subscription"]) == [500, 1000, 500]


def test_an_added_item_has_its_discount_tax_rate_and_metadata(api: Api) -> None:
    _, who = clocked(api)
    coupon = api.ok("post", "/v1/coupons", percent_off=50, duration="once")["id"]
    rate = api.ok("post", "/v1/tax_rates", display_name="VAT", percentage=10, inclusive=False)["id"]
    fee = api.ok("post", "/v1/prices", currency="usd", unit_amount=400, product_data={"name": "Fee"})["id"]
    added = {"price": fee, "discounts": [{"coupon": coupon}], "tax_rates": [rate], "metadata": {"kind": "fee"}}
    made = schedule(api, who, {"items": [{"price": plan(api)}], "add_invoice_items": [added]})
    assert totals(api, made["subscription"]) == [1220]
    lines = api.get("/v1/invoices", subscription=made["subscription"])["data"][0]["lines"]["data"]
    assert [line["metadata"] for line in lines if line["amount"] == 400] == [{"kind": "fee"}]
