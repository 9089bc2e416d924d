"""Changing a plan in the customer portal, and sessions that are made for one task."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.payments.checkout.test_checkout_sessions import fill, path_of
from tests.payments.subscriptions.test_billing_lifecycles import DAY, advance, clocked, current, ok, plan
from tests.support.api import NOW, Answer, Api

HALF = NOW + 31 * DAY // 2
BACK = "https://shop.example/back"


class Portal:
    """A customer with a subscription at 10 dollars in the middle of its month, and a portal that offers 20 dollars and
    5 dollars.
    """

    def __init__(self, api: Api, quantity: int = 1, **rules: Any) -> None:
        self.api = api
        self.clock, self.who = clocked(api)
        self.cheap, self.dear, self.less, self.year = (
            plan(api),
            plan(api, 2000),
            plan(api, 500),
            plan(api, 9000, interval="year"),
        )
        items = [{"price": self.cheap, "quantity": quantity}]
        self.sub = ok(api, "POST", "/v1/subscriptions", customer=self.who, items=items)
        self.item = self.sub["items"]["data"][0]["id"]
        prices = (self.cheap, self.dear, self.less, self.year)
        products = [{"product": api.get(f"/v1/prices/{price}")["product"], "prices": [price]} for price in prices]
        update = {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity", "promotion_code"],
            "products": products,
            "proration_behavior": "always_invoice",
            **rules,
        }
        features = {
            "subscription_update": update,
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": True},
        }
        made = ok(api, "POST", "/v1/billing_portal/configurations", features=features)
        self.configuration = made["id"]
        advance(api, self.clock, HALF)

    def open(self, **params: Any) -> str:
        path = "/v1/billing_portal/sessions"
        made = ok(
            self.api, "POST", path, customer=self.who, configuration=self.configuration, return_url=BACK, **params
        )
        return path_of(made)

    def look(self, path: str) -> str:
        path, _, query = path.partition("?")
        return self.api.send("GET", path, key=None, query=query).body.decode()

    def send(self, path: str, **typed: Any) -> Answer:
        return self.api.send("POST", path, key=None, body=urlencode(typed).encode())

    def now(self) -> Answer:
        return current(self.api, self.sub["id"])


def test_a_dearer_plan_is_shown_with_what_is_due_and_then_billed(api: Api) -> None:
    portal = Portal(api)
    path = portal.open()
    assert "Update subscription" in portal.look(path)
    choice = portal.look(f"{path}/update?subscription={portal.sub['id']}")
    assert "$20.00 every month" in choice
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
    assert (
        "Choose a quantity" in portal.send(path + "/review", subscription=portal.sub["id"], quantity="0").body.decode()
    )
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.cheap


def test_a_refused_card_keeps_the_old_plan(api: Api) -> None:
    portal = Portal(api)
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=portal.who)["id"]
    api.ok("post", f"/v1/customers/{portal.who}", invoice_settings={"default_payment_method": bad})
    path = portal.open()
    refused = portal.send(path + "/update", subscription=portal.sub["id"], price=portal.dear)
    assert refused.status == 402
    assert "Your card was declined." in refused.body.decode()
    assert "<dt>From</dt><dd>Plan, $10.00 every month</dd>" in refused.body.decode()
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.cheap
    assert len(api.get("/v1/invoices", subscription=portal.sub["id"])["data"]) == 1


def test_a_cheaper_plan_or_a_shorter_interval_may_wait_for_the_end_of_the_period(api: Api) -> None:
    conditions = [{"type": "decreasing_item_amount"}, {"type": "shortening_interval"}]
    portal = Portal(api, schedule_at_period_end={"conditions": conditions})
    path = portal.open()
    typed = {"subscription": portal.sub["id"], "price": portal.less}
    assert "Your plan changes on 01 Feb 2026" in portal.send(path + "/review", **typed).body.decode()
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


def test_a_flow_confirms_one_update_and_leads_to_the_shop(api: Api) -> None:
    portal = Portal(api)
    confirm = {"subscription": portal.sub["id"], "items": [{"id": portal.item, "price": portal.dear, "quantity": 1}]}
    after = {"type": "redirect", "redirect": {"return_url": "https://shop.example/thanks"}}
    path = portal.open(
        flow_data={
            "type": "subscription_update_confirm",
            "subscription_update_confirm": confirm,
            "after_completion": after,
        }
    )
    assert "$20.00 every month" in portal.look(path)
    review = portal.send(path + "/review")
    assert "<dt>Due today</dt><dd>$5.00</dd>" in review.body.decode()
    assert "form-action 'self' https://shop.example" in review.headers["content-security-policy"]
    assert portal.send(path + "/update").headers["location"] == "https://shop.example/thanks"
    assert portal.now()["items"]["data"][0]["price"]["id"] == portal.dear
    assert "Manage your billing" in portal.look(path)  # the task is done
    assert portal.send(path + "/update").status == 400


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ({"type": "subscription_update", "subscription_update": {"subscription": "sub_no"}},
        "No such subscription: 'sub_no'"),
        ({"type": "subscription_update"}, "Missing required param: flow_data[subscription_update]."),
        ({"type": "payment_method_update", "after_completion": {"type": "redirect"}},
         "Missing required param: flow_data[after_completion][redirect]."),
    ],
)  # fmt: skip
def test_a_flow_that_cannot_be_is_refused(api: Api, flow: dict[str, Any], message: str) -> None:
    portal = Portal(api)
    refused = api.post(
        "/v1/billing_portal/sessions", customer=portal.who, configuration=portal.configuration, flow_data=flow
    )
    assert (refused.status, refused.error["message"]) == (400, message)


def test_a_flow_needs_its_feature_and_a_price_that_is_offered(api: Api) -> None:
    portal = Portal(api)
    confirm = {"subscription": portal.sub["id"], "items": [{"id": portal.item, "price": plan(api, 7)}]}
    flow = {"type": "subscription_update_confirm", "subscription_update_confirm": confirm}
    refused = api.post(
        "/v1/billing_portal/sessions", customer=portal.who, configuration=portal.configuration, flow_data=flow
    )
    assert refused.error["param"] == "flow_data[subscription_update_confirm][items][0][price]"
    refused = api.post("/v1/billing_portal/sessions", customer=portal.who, flow_data=flow)
    assert "feature in your portal configuration is disabled" in refused.error["message"]


def test_a_cancel_flow_may_offer_a_coupon_to_stay(api: Api) -> None:
    portal = Portal(api)
    coupon = api.ok("POST", "/v1/coupons", percent_off=25, duration="repeating", duration_in_months=3)["id"]
    cancel = {
        "subscription": portal.sub["id"],
        "retention": {"type": "coupon_offer", "coupon_offer": {"coupon": coupon}},
    }
    done = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Good choice"}}
    path = portal.open(
        flow_data={"type": "subscription_cancel", "subscription_cancel": cancel, "after_completion": done}
    )
    assert "pay 25 % less for 3 months" in portal.look(path)
    assert portal.send(path + "/stay").headers["location"] == f"{path}/done"
    assert "Good choice" in portal.look(path + "/done")
    assert len(portal.now()["discounts"]) == 1
    again = portal.open(
        flow_data={"type": "subscription_cancel", "subscription_cancel": {"subscription": portal.sub["id"]}}
    )
    assert "Cancel your subscription?" in portal.look(again)
    portal.send(again + "/cancel", subscription=portal.sub["id"])
    assert portal.now()["cancel_at_period_end"] is True


def test_a_payment_method_flow_makes_the_new_card_the_default(api: Api) -> None:
    portal = Portal(api)
    after = {"type": "redirect", "redirect": {"return_url": "https://shop.example/thanks"}}
    path = portal.open(flow_data={"type": "payment_method_update", "after_completion": after})
    assert "Add a card" in portal.look(path)
    card = portal.send(path + "/add").headers["location"].partition("8420")[2]
    assert fill(api, card, "5555555555554444").headers["location"] == "https://shop.example/thanks"
    default = api.get(f"/v1/customers/{portal.who}")["invoice_settings"]["default_payment_method"]
    assert api.get(f"/v1/payment_methods/{default}")["card"]["brand"] == "mastercard"
    assert api.events("checkout.session.completed") == []


def test_details_are_changed_as_far_as_the_portal_allows(api: Api) -> None:
    who = api.ok("POST", "/v1/customers", email="old@shop.example", name="Old")["id"]
    features = {"customer_update": {"enabled": True, "allowed_updates": ["email", "address", "tax_id"]}}
    configuration = api.ok("POST", "/v1/billing_portal/configurations", features=features)["id"]
    path = path_of(api.ok("POST", "/v1/billing_portal/sessions", customer=who, configuration=configuration))
    body = {
        "email": "new@shop.example",
        "name": "New",
        "address_line1": "1 Way",
        "address_country": "de",
        "tax_id": "eu_vat DE123456789",
    }
    wrong = api.send("POST", path + "/details", key=None, body=urlencode({**body, "tax_id": "eu_vat ?"}).encode())
    assert wrong.status == 400
    assert api.get(f"/v1/customers/{who}")["email"] == "old@shop.example"
    assert api.send("POST", path + "/details", key=None, body=urlencode(body).encode()).status == 303
    changed = api.get(f"/v1/customers/{who}", expand=["tax_ids"])
    assert (changed["email"], changed["name"], changed["address"]["country"]) == ("new@shop.example", "Old", "DE")
    assert changed["tax_ids"]["data"][0]["value"] == "DE123456789"
