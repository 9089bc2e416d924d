"""Changing a plan in the customer portal: choose, see what it costs, confirm."""

from __future__ import annotations

import pytest

from tests.payments.portal.steps import Portal
from tests.payments.subscriptions.steps import DAY, advance, plan
from tests.support.api import NOW, Api


def test_a_dearer_plan_is_shown_with_what_is_due_and_then_billed(api: Api) -> None:
    portal = Portal(api)
    path = portal.open()
    assert "Update subscription" in portal.look(path)
    choice = portal.look(f"{path}/update?subscription={portal.sub['id']}")
    assert "$20.00 per month" in choice
    assert "(current)" in choice
    typed = {"subscription": portal.sub["id"], "price": portal.dear, "quantity": "1"}
    review = portal.send(path + "/review", **typed).body.decode()
    assert "<dt>Due today</dt><dd>$5.00</dd>" in review
    assert len(api.get("/v1/invoices", subscription=portal.sub["id"])["data"]) == 1  # looking bills nothing
    assert portal.send(path + "/update", **typed).headers["location"] == path
    changed = portal.now()
    assert changed["items"]["data"][0]["price"]["id"] == portal.dear
    assert api.get(f"/v1/invoices/{changed['latest_invoice']}")["amount_paid"] == 500
    assert len(api.events("customer.subscription.updated")) == 1


def test_what_is_not_offered_is_refused_and_changes_nothing(api: Api) -> None:
    portal = Portal(api)
    path, other = portal.open(), plan(api, 1)
    assert (
        "This plan is not offered."
        in portal.send(path + "/review", subscription=portal.sub["id"], price=other).body.decode()
    )
    assert portal.send(path + "/update", subscription=portal.sub["id"], price=other).status == 400
    assert "Choose 1 to " in portal.send(path + "/review", subscription=portal.sub["id"], quantity="0").body.decode()
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.cheap


def test_a_refused_card_keeps_the_old_plan(api: Api) -> None:
    portal = Portal(api)
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=portal.who)["id"]
    api.ok("post", f"/v1/customers/{portal.who}", invoice_settings={"default_payment_method": bad})
    path = portal.open()
    refused = portal.send(path + "/update", subscription=portal.sub["id"], price=portal.dear)
    assert refused.status == 402
    assert "Your card was declined." in refused.body.decode()
    assert "<dt>From</dt><dd>Plan, $10.00 per month</dd>" in refused.body.decode()
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.cheap
    assert len(api.get("/v1/invoices", subscription=portal.sub["id"])["data"]) == 1


def test_a_cheaper_plan_or_a_shorter_interval_may_wait_for_the_end_of_the_period(api: Api) -> None:
    conditions = [{"type": "decreasing_item_amount"}, {"type": "shortening_interval"}]
    portal = Portal(api, schedule_at_period_end={"conditions": conditions})
    path = portal.open()
    typed = {"subscription": portal.sub["id"], "price": portal.less}
    assert "Your plan changes on February 1, 2026" in portal.send(path + "/review", **typed).body.decode()
    assert portal.send(path + "/update", **typed).status == 303
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.cheap
    assert portal.now()["schedule"] is not None
    assert "Update subscription" not in portal.look(path)
    advance(api, portal.clock, NOW + 31 * DAY + 4000)
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.less
    assert [one["amount_paid"] for one in api.get("/v1/invoices", subscription=portal.sub["id"])["data"]] == [500, 1000]


def test_a_promotion_code_and_a_quantity_go_with_the_change(api: Api) -> None:
    portal = Portal(api, proration_behavior="none")
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    api.ok("POST", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, code="HALF")
    path = portal.open()
    typed = {"subscription": portal.sub["id"], "price": portal.cheap, "quantity": "3", "promotion_code": "half"}
    assert "comes to $15.00" in portal.send(path + "/review", **typed).body.decode()
    assert portal.send(path + "/update", **typed).status == 303
    assert (portal.now()["quantity"], len(portal.now()["discounts"])) == (3, 1)
    assert len(api.get("/v1/invoices", subscription=portal.sub["id"])["data"]) == 1


def test_the_portal_takes_no_further_code_after_ten_wrong_ones(api: Api) -> None:
    portal = Portal(api, proration_behavior="none")
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="forever")["id"]
    api.ok("POST", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, code="HALF")
    path = portal.open()
    typed = {"subscription": portal.sub["id"], "price": portal.cheap, "quantity": "3"}
    for number in range(10):  # on the page before, and on the one that confirms
        answer = portal.send(path + ("/review", "/update")[number % 2], **typed, promotion_code=f"guess{number}")
        assert "This code is invalid." in answer.body.decode()
    for page in ("/review", "/update"):
        assert (
            "Too many codes were tried here." in portal.send(path + page, **typed, promotion_code="half").body.decode()
        )
    assert portal.now()["discounts"] == []


@pytest.mark.parametrize("typed", [{}, {"quantity": "7"}])
def test_no_plan_is_changed_to_with_more_than_its_product_may_have(api: Api, typed: dict[str, str]) -> None:
    portal = Portal(api, quantity=7)
    at = f"/v1/billing_portal/configurations/{portal.configuration}"
    products = api.get(at, expand=["features.subscription_update.products"])["features"]["subscription_update"][
        "products"
    ]
    most = {"enabled": True, "minimum": 1, "maximum": 3}
    told = [{"product": one["product"], "prices": one["prices"], "adjustable_quantity": most} for one in products]
    api.ok("POST", at, features={"subscription_update": {"products": told}})
    path = portal.open()
    refused = portal.send(path + "/update", subscription=portal.sub["id"], price=portal.dear, **typed)
    assert (refused.status, "Choose 1 to 3." in refused.body.decode()) == (400, True)
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.cheap
    assert portal.send(path + "/update", subscription=portal.sub["id"], price=portal.dear, quantity="3").status == 303
    assert portal.now()["items"]["data"][0]["quantity"] == 3
