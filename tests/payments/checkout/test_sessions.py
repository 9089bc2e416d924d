"""Checkout Sessions: a page that takes a payment, starts a subscription, or saves a payment method."""

from __future__ import annotations

from tests.payments.checkout.steps import again, session
from tests.support.api import Api
from tests.support.openapi import assert_valid

URL = "/v1/checkout/sessions"


def test_a_session_expires_by_hand_or_after_a_day(api: Api) -> None:
    one, two = session(api), session(api)
    expired = api.ok("POST", f"{URL}/{one['id']}/expire")
    assert_valid("POST", URL + "/{session}/expire", 200, expired)
    assert api.post(f"{URL}/{one['id']}/expire").status == 400
    api.advance(86_400)
    assert again(api, two)["status"] == "expired"
    assert len(api.events("checkout.session.expired")) == 2


def test_line_items_are_listed_and_expanded(api: Api) -> None:
    made = session(api, expand=["line_items"])
    items = api.ok("GET", f"{URL}/{made['id']}/line_items")
    assert_valid("GET", URL + "/{session}/line_items", 200, items)
    assert items["data"] == made["line_items"]["data"]
    assert items["data"][0]["amount_total"] == 3000
    assert_valid("GET", URL, 200, api.ok("GET", URL, status="open"))


def test_older_versions_call_the_hosted_page_hosted(api: Api) -> None:
    made = session(api)
    old = api.ok("GET", f"{URL}/{made['id']}", headers={"Stripe-Version": "2025-01-27.acacia"})
    assert (made["ui_mode"], old["ui_mode"], old["shipping_details"]) == ("hosted_page", "hosted", None)


def test_a_card_that_the_customer_saved_the_old_way_pays_a_session(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jo@shop.example", source="tok_visa")
    made = session(api, customer=customer["id"])
    paid = api.ok("POST", f"/v1/payment_pages/{made['id']}/confirm", payment_method=customer["default_source"])
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")


def test_a_saved_bank_account_does_not_pay_a_session(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jo@shop.example", source="btok_us_verified")
    made = session(api, customer=customer["id"])
    answer = api.post(f"/v1/payment_pages/{made['id']}/confirm", payment_method=customer["default_source"])
    assert (answer.status, answer["error"]["code"]) == (400, "resource_missing")
