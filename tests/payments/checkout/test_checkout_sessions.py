"""Checkout Sessions: what they are made of, and paying them on their page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

URL = "/v1/checkout/sessions"
BROWSER = {"accept": "text/html,application/xhtml+xml"}
DONE = "https://shop.example/done?session={CHECKOUT_SESSION_ID}"


def line(amount: int = 1500, quantity: int = 2, currency: str = "usd", **more: Any) -> dict[str, Any]:
    data = {"currency": currency, "unit_amount": amount, "product_data": {"name": "T-shirt <b>"}, **more}
    return {"price_data": data, "quantity": quantity}


def session(api: Api, mode: str = "payment", **more: Any) -> Answer:
    lines = (
        {}
        if mode == "setup"
        else {"line_items": [line(**({"recurring": {"interval": "month"}} if mode == "subscription" else {}))]}
    )
    made = api.ok("POST", URL, **{"mode": mode, "success_url": DONE, **lines, **more})
    assert_valid("POST", URL, 200, made)
    return made


def path_of(made: Answer) -> str:
    return str(made["url"]).partition("8420")[2]


def fill(api: Api, path: str, number: str = "4242424242424242", **more: str) -> Answer:
    typed = {
        "method": "card", "email": "jo@shop.example", "number": number, "expiry": "12 / 34", "cvc": "123",
        "name": "Jo Li", "country": "US",
        "postal_code": "94111", **more,
    }  # fmt: skip
    return api.send("POST", path, key=None, body=urlencode(typed).encode(), headers=BROWSER)


def again(api: Api, made: Answer) -> Answer:
    found = api.ok("GET", f"{URL}/{made['id']}")
    assert_valid("GET", URL + "/{session}", 200, found)
    return found


def test_a_card_that_is_good_pays_and_leads_to_the_success_url(api: Api) -> None:
    made = session(api)
    assert (made["amount_total"], made["status"], made["payment_status"]) == (3000, "open", "unpaid")
    page = api.send("GET", path_of(made), key=None)
    assert b"T-shirt &lt;b&gt;" in page.body
    assert "script-src" not in page.headers["content-security-policy"]
    answer = fill(api, path_of(made))
    assert (answer.status, answer.headers["location"]) == (303, DONE.replace("{CHECKOUT_SESSION_ID}", made["id"]))
    paid = again(api, made)
    assert (paid["status"], paid["payment_status"], paid["url"]) == ("complete", "paid", None)
    assert paid["customer_details"]["email"] == "jo@shop.example"
    assert api.get(f"/v1/payment_intents/{paid['payment_intent']}")["status"] == "succeeded"
    assert api.events("checkout.session.completed")[0]["data"]["object"]["id"] == made["id"]


def test_a_refusal_is_shown_next_to_its_field_and_the_session_stays_open(api: Api) -> None:
    made = session(api)
    refused = fill(api, path_of(made), "4000000000000002")
    assert refused.status == 402
    assert b'id="number-error"' in refused.body
    assert b"4000000000000002" not in refused.body
    assert b"Jo Li" in refused.body
    assert b'id="cvc-error"' in fill(api, path_of(made), "4000000000000127").body
    assert b'id="expiry-error"' in fill(api, path_of(made), expiry="12/20").body
    assert again(api, made)["status"] == "open"
    assert len(api.events("payment_intent.created")) == 1
    assert fill(api, path_of(made)).status == 303


def test_a_challenge_is_gone_to_and_completes_the_session(api: Api) -> None:
    made = session(api)
    challenge = fill(api, path_of(made), "4000002760003184")
    path = challenge.headers["location"].partition("8420")[2]
    failed = api.send("POST", path + "/fail", key=None)
    back = failed.headers["location"].partition("8420")[2]
    shown = api.send("GET", back.partition("?")[0], key=None, query=back.partition("?")[2])
    assert b"could not authenticate" in shown.body
    challenge = fill(api, path_of(made), "4000002760003184")
    api.send("POST", challenge.headers["location"].partition("8420")[2] + "/complete", key=None)
    assert again(api, made)["status"] == "complete"
    assert api.send("GET", path_of(made) + "/return", key=None).headers["refresh"].endswith(made["id"])


@pytest.mark.parametrize(("iban", "event", "status"), [
    ("DE89370400440532013000", "async_payment_succeeded", "paid"), ("DE62370400440532013001", "async_payment_failed",
    "unpaid"),
])  # fmt: skip
def test_a_bank_debit_completes_at_once_and_is_decided_later(api: Api, iban: str, event: str, status: str) -> None:
    made = session(api, payment_method_types=["sepa_debit"], line_items=[line(currency="eur")])
    typed = {"method": "sepa_debit", "email": "jo@shop.example", "name": "Jo Li", "iban": iban}
    answer = api.send("POST", path_of(made), key=None, body=urlencode(typed).encode())
    assert answer.status == 303, answer.body
    assert (again(api, made)["status"], again(api, made)["payment_status"]) == ("complete", "unpaid")
    api.advance(600)
    assert again(api, made)["payment_status"] == status
    assert len(api.events(f"checkout.session.{event}")) == 1


def test_a_subscription_is_started_with_its_customer(api: Api) -> None:
    made = session(api, "subscription", subscription_data={"metadata": {"plan": "gold"}})
    assert fill(api, path_of(made), "4000000000000341").status == 402
    assert again(api, made)["subscription"] is None
    assert api.get("/v1/subscriptions")["data"] == []
    answer = fill(api, path_of(made))
    assert answer.status == 303, answer.body
    paid = again(api, made)
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
    subscription = api.ok("GET", f"/v1/subscriptions/{paid['subscription']}")
    assert (subscription["status"], subscription["customer"], subscription["metadata"]) == (
        "active",
        paid["customer"],
        {"plan": "gold"},
    )


def test_a_subscription_whose_card_asks_for_a_challenge_waits_for_it(api: Api) -> None:
    made = session(api, "subscription")
    challenge = fill(api, path_of(made), "4000002760003184")
    assert challenge.status == 303, challenge.body
    assert again(api, made)["status"] == "open"
    api.send("POST", challenge.headers["location"].partition("8420")[2] + "/complete", key=None)
    assert again(api, made)["status"] == "complete"
    assert api.get(f"/v1/subscriptions/{again(api, made)['subscription']}")["status"] == "active"


def test_a_setup_session_saves_the_card(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jo@shop.example")
    made = session(api, "setup", customer=customer["id"], currency="usd")
    assert fill(api, path_of(made)).status == 303
    intent = api.ok("GET", f"/v1/setup_intents/{again(api, made)['setup_intent']}")
    assert (intent["status"], intent["customer"]) == ("succeeded", customer["id"])


def test_a_session_expires_by_hand_or_after_a_day(api: Api) -> None:
    one, two = session(api), session(api)
    expired = api.ok("POST", f"{URL}/{one['id']}/expire")
    assert_valid("POST", URL + "/{session}/expire", 200, expired)
    assert api.post(f"{URL}/{one['id']}/expire").status == 400
    api.advance(86_400)
    assert again(api, two)["status"] == "expired"
    assert len(api.events("checkout.session.expired")) == 2


def test_a_promotion_code_is_taken_on_the_page(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")
    api.ok("POST", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon["id"]}, code="HALF")
    made = session(api, allow_promotion_codes=True)
    wrong = api.send("POST", path_of(made) + "/promotion", key=None, body=b"promotion_code=NO")
    assert b"This code is invalid." in wrong.body
    assert api.send("POST", path_of(made) + "/promotion", key=None, body=b"promotion_code=HALF").status == 303
    assert again(api, made)["amount_total"] == 1500
    assert fill(api, path_of(made)).status == 303
    assert api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")["amount"] == 1500


def test_line_items_are_listed_and_expanded(api: Api) -> None:
    made = session(api, expand=["line_items"])
    items = api.ok("GET", f"{URL}/{made['id']}/line_items")
    assert_valid("GET", URL + "/{session}/line_items", 200, items)
    assert items["data"] == made["line_items"]["data"]
    assert items["data"][0]["amount_total"] == 3000
    assert_valid("GET", URL, 200, api.ok("GET", URL, status="open"))


@pytest.mark.parametrize(("params", "message"), [
    ({"line_items": [line(1, 1)]}, "The Checkout Session's total amount due must add up to at least $0.50 USD"),
    ({"mode": "subscription"},
    "You must provide at least one recurring price in `subscription` mode when using prices."),
    ({"customer": "cus_no"}, "No such customer: 'cus_no'"),
    ({"expires_at": 1}, "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."),
    ({"subscription_data": {"trial_period_days": 3}}, "You can not pass `subscription_data` in `payment` mode."),
])  # fmt: skip
def test_parameters_that_do_not_go_together_are_refused(api: Api, params: dict[str, Any], message: str) -> None:
    answer = api.post(URL, **{"mode": "payment", "success_url": DONE, "line_items": [line()], **params})
    assert (answer.status, answer.error["message"]) == (400, message)
    assert api.get("/v1/prices")["data"] == []


def test_older_versions_call_the_hosted_page_hosted(api: Api) -> None:
    made = session(api)
    old = api.ok("GET", f"{URL}/{made['id']}", headers={"Stripe-Version": "2025-01-27.acacia"})
    assert (made["ui_mode"], old["ui_mode"], old["shipping_details"]) == ("hosted_page", "hosted", None)
