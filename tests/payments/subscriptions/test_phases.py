"""Subscription schedules at work: phases one after another, each changing the subscription when its time has come."""

from __future__ import annotations

from tests.payments.subscriptions.steps import DAY, advance, clocked, current, ok, plan, schedule, totals
from tests.support.api import NOW, Api

FEBRUARY, MARCH = NOW + 31 * DAY, NOW + 59 * DAY


def test_a_phase_brings_its_metadata_its_discount_and_its_one_time_lines(api: Api) -> None:
    clock, who = clocked(api)
    coupon = ok(api, "POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    product = ok(api, "POST", "/v1/products", name="Extra")["id"]
    recurring = {"interval": "month"}
    inline = {"currency": "usd", "product": product, "unit_amount": 700, "recurring": recurring}
    once = {"currency": "usd", "product": product, "unit_amount": 300}
    made = schedule(
        api,
        who,
        {"items": [{"price_data": inline}], "discounts": [{"coupon": coupon}], "metadata": {"phase": "1"}},
        {"items": [{"price": plan(api)}], "add_invoice_items": [{"price_data": once}], "metadata": {"phase": "2"}},
    )
    sub = made["subscription"]
    assert current(api, sub)["metadata"] == {"phase": "1"}
    advance(api, clock, FEBRUARY + 4000)
    assert (totals(api, sub), current(api, sub)["metadata"], current(api, sub)["discounts"]) == (
        [350, 1300],
        {"phase": "2"},
        [],
    )
