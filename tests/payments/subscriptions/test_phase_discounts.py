"""A phase of a schedule redeems the discounts that it was promised when it begins."""

from __future__ import annotations

from tests.payments.catalog.steps import first_time
from tests.payments.subscriptions.steps import DAY, advance, clocked, plan
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
