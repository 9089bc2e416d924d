"""Line items of a session: their prices, and what they add up to."""

from __future__ import annotations

import pytest

from tests.payments.checkout.steps import again, fill, line, path_of, price, session
from tests.support.api import Api

DAY = 86_400


@pytest.mark.parametrize(
    ("data", "total"),
    [({"proration_behavior": "none"}, 0), ({}, 1000)],
)
def test_a_first_period_that_an_anchor_makes_shorter_costs_its_share(
    api: Api, data: dict[str, str], total: int
) -> None:
    anchor = api.now + 31 * DAY // 3
    items = [line(3000, 1, recurring={"interval": "month"})]
    made = session(api, "subscription", line_items=items, subscription_data={"billing_cycle_anchor": anchor, **data})
    assert made["amount_total"] == total
    assert fill(api, path_of(made)).status == 303
    paid = again(api, made)
    assert api.get(f"/v1/subscriptions/{paid['subscription']}")["billing_cycle_anchor"] == anchor
    assert paid["invoice"] is None or api.get(f"/v1/invoices/{paid['invoice']}")["total"] == total


def test_the_total_tells_what_each_discount_and_tax_rate_make_of_it(api: Api) -> None:
    rate = api.ok("POST", "/v1/tax_rates", display_name="Tax", percentage=10, inclusive=False)["id"]
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")["id"]
    data = {"default_tax_rates": [rate]}
    made = session(
        api, "subscription", subscription_data=data, discounts=[{"coupon": coupon}], expand=["total_details.breakdown"]
    )
    told = made["total_details"]["breakdown"]
    assert (told["discounts"][0]["amount"], told["discounts"][0]["discount"]["source"]["coupon"]) == (1500, coupon)
    assert (told["taxes"][0]["amount"], told["taxes"][0]["rate"]["id"], made["amount_total"]) == (150, rate, 1650)
    assert "breakdown" not in again(api, made)["total_details"]


URL = "/v1/checkout/sessions"
DONE = {"success_url": "https://shop.example/done"}


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
