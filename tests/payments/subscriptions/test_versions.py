"""What older API versions saw of subscriptions."""

from __future__ import annotations

from tests.payments.subscriptions.steps import clocked, plan
from tests.support.api import Api


def test_before_2025_03_31_the_period_and_one_discount_stood_on_the_subscription(api: Api) -> None:
    _, who = clocked(api)
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, duration="forever")["id"]
    given = {"customer": who, "items": [{"price": plan(api)}], "discounts": [{"coupon": coupon}]}
    made = api.ok("POST", "/v1/subscriptions", **given)
    item = made["items"]["data"][0]
    old = api.get(f"/v1/subscriptions/{made['id']}", headers={"Stripe-Version": "2025-02-24.acacia"})
    assert (old["current_period_start"], old["current_period_end"]) == (
        item["current_period_start"],
        item["current_period_end"],
    )
    assert (old["discount"]["coupon"]["id"], "discount" in made, "current_period_end" in made) == (coupon, False, False)


def test_before_2019_12_03_other_names_were_used_and_tax_was_one_percentage(api: Api) -> None:
    _, who = clocked(api)
    rate = api.ok("POST", "/v1/tax_rates", display_name="Tax", percentage=10, inclusive=False)["id"]
    given = {"customer": who, "items": [{"price": plan(api)}], "default_tax_rates": [rate]}
    made = api.ok("POST", "/v1/subscriptions", **given)
    old = api.get(f"/v1/subscriptions/{made['id']}", headers={"Stripe-Version": "2019-11-05"})
    assert (old["billing"], old["start"], old["tax_percent"]) == ("charge_automatically", made["start_date"], 10)
    assert "billing" not in made
