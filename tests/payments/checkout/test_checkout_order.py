"""What is bought may be changed on the page, totals know what a subscription costs today, and an expired session can be
taken up again.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.payments.checkout.test_checkout_page import page, post
from tests.payments.checkout.test_checkout_sessions import again, fill, line, path_of, session
from tests.support.api import Api

DAY = 86_400


def price(api: Api, **params: Any) -> str:
    return str(api.ok("POST", "/v1/prices", currency="usd", product_data={"name": "Extra"}, **params)["id"])


def test_an_amount_of_the_customers_choice_is_typed_on_the_page(api: Api) -> None:
    own = price(api, custom_unit_amount={"enabled": True, "minimum": 500, "maximum": 5000})
    made = session(api, line_items=[{"price": own, "quantity": 1}])
    assert (made["amount_total"], made["payment_status"]) == (0, "unpaid")
    field = re.search(r'name="(amount\[[^"]+\])"', page(api, made))
    assert field
    refused = post(api, path_of(made) + "/order", **{field[1]: "1"})
    assert f'id="{field[1]}-error"' in refused.body.decode()
    assert post(api, path_of(made) + "/order", **{field[1]: "12.50"}).status == 303
    assert fill(api, path_of(made)).status == 303
    assert api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")["amount"] == 1250


def test_an_optional_item_is_added_and_taken_away(api: Api) -> None:
    extra = price(api, unit_amount=300)
    made = session(api, optional_items=[{"price": extra, "quantity": 1}])
    post(api, path_of(made) + "/order", **{f"add[{extra}]": "1"})
    assert again(api, made)["amount_total"] == 3300
    assert "checked" in page(api, made)
    post(api, path_of(made) + "/order")
    assert again(api, made)["amount_total"] == 3000


def test_names_are_asked_for(api: Api) -> None:
    made = session(
        api, name_collection={"business": {"enabled": True}, "individual": {"enabled": True, "optional": True}}
    )
    assert 'id="business_name-error"' in fill(api, path_of(made)).body.decode()
    assert fill(api, path_of(made), business_name="Li GmbH").status == 303
    assert again(api, made)["customer_details"]["business_name"] == "Li GmbH"


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


def test_an_expired_session_is_taken_up_again(api: Api) -> None:
    made = session(api, after_expiration={"recovery": {"enabled": True, "allow_promotion_codes": True}})
    recovery = api.ok("POST", f"/v1/checkout/sessions/{made['id']}/expire")["after_expiration"]["recovery"]
    assert recovery["expires_at"] == api.now + 30 * DAY
    path = recovery["url"].partition("8420")[2]
    assert b"Continue your order" in api.send("GET", path, key=None).body
    onwards = post(api, path).headers["location"].partition("8420")[2]
    new = api.get("/v1/checkout/sessions")["data"][0]
    assert (new["recovered_from"], new["allow_promotion_codes"], path_of(new)) == (made["id"], True, onwards)
    assert fill(api, onwards).status == 303
