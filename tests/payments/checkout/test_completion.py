"""Paying a session: the intent or subscription that it makes, and how the session ends."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.payments.checkout.steps import BROWSER, MONTHLY, URL, again, fill, line, path_of, session
from tests.payments.methods.steps import Victim
from tests.support.api import Api, rule_table
from tests.support.connected import connected

DONE = "https://shop.example/done?session={CHECKOUT_SESSION_ID}"


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


@pytest.mark.parametrize(("iban", "event", "status"), [
    ("DE89370400440532013000", "async_payment_succeeded", "paid"), ("DE62370400440532013001", "async_payment_failed",
    "unpaid"),
])  # fmt: skip
def test_a_bank_debit_completes_at_once_and_is_decided_later(api: Api, iban: str, event: str, status: str) -> None:
    made = session(api, allowed_payment_method_types=["sepa_debit"], line_items=[line(currency="eur")])
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


def test_another_customer_s_payment_method_does_not_pay_a_checkout_session(api: Api) -> None:
    victim = Victim(api)
    price = api.ok("POST", "/v1/prices", currency="usd", unit_amount=500, product_data={"name": "x"})["id"]
    lines = [{"price": price, "quantity": 1}]
    session = api.ok(
        "POST", "/v1/checkout/sessions", mode="payment", line_items=lines, success_url="https://example.com"
    )["id"]
    answer = api.post(f"/v1/payment_pages/{session}/confirm", key=api.pk, payment_method=victim.method)
    assert (answer.status, victim.shown_in(answer)) == (400, False), answer
    assert api.get(f"/v1/checkout/sessions/{session}")["customer_details"] is None


@pytest.mark.parametrize("wanted", ["always", "limited"])
def test_the_payment_method_of_a_session_is_shown_again_as_its_merchant_wants(api: Api, wanted: str) -> None:
    made = session(api, customer_creation="always", payment_method_data={"allow_redisplay": wanted})
    assert fill(api, path_of(made)).status == 303
    intent = api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")
    assert api.get(f"/v1/payment_methods/{intent['payment_method']}")["allow_redisplay"] == wanted


@rule_table
@pytest.mark.parametrize(("number", "brand"), [
    ("4242424242424242", "visa"), ("378282246310005", "american_express"),
    ("6011111111111117", "discover_global_network"), ("3056930009020004", "discover_global_network"),
])  # fmt: skip
def test_a_card_of_a_blocked_brand_does_not_pay(api: Api, number: str, brand: str) -> None:
    made = session(api, payment_method_options={"card": {"restrictions": {"brands_blocked": [brand]}}})
    refused = fill(api, path_of(made), number)
    assert b"does not take cards of this brand" in refused.body
    assert again(api, made)["status"] == "open"
    assert fill(api, path_of(made), "5555555555554444").status == 303


@rule_table
def test_the_options_of_a_session_are_those_of_its_payment(api: Api) -> None:
    options = {"card": {"request_three_d_secure": "any", "setup_future_usage": "off_session"}}
    made = session(api, payment_method_options=options, customer_creation="always")
    fill(api, path_of(made))
    intent = api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")
    card = intent["payment_method_options"]["card"]
    assert (card["request_three_d_secure"], card["setup_future_usage"]) == ("any", "off_session")


def test_a_subscription_has_the_options_and_the_issuer_of_its_session(api: Api) -> None:
    account = connected(api)["id"]
    made = session(
        api,
        "subscription",
        payment_method_options={"card": {"request_three_d_secure": "any"}},
        subscription_data={"invoice_settings": {"issuer": {"type": "account", "account": account}}},
    )
    assert fill(api, path_of(made)).status == 303
    started = api.get("/v1/subscriptions", status="all", expand=["data.latest_invoice"])["data"][0]
    assert started["payment_settings"]["payment_method_options"]["card"]["request_three_d_secure"] == "any"
    assert started["invoice_settings"]["issuer"]["account"] == started["latest_invoice"]["issuer"]["account"] == account


@pytest.mark.parametrize(("version", "mode"), [("2025-08-27.basil", "classic"), ("2025-09-30.clover", "flexible")])
@pytest.mark.parametrize("linked", [False, True])
def test_a_subscription_has_the_billing_mode_of_the_version_that_asked_for_it(
    api: Api, version: str, mode: str, linked: bool
) -> None:
    older, lines = api.under(version), [line(**MONTHLY)]
    if linked:
        link = older.ok("post", "/v1/payment_links", line_items=lines)
        api.send("POST", link["url"].partition("8420")[2], key=None, headers=BROWSER)
        made = api.ok("get", URL, payment_link=link["id"])["data"][0]
        path = str(made["url"]).partition("8420")[2]
    else:
        made = older.ok("post", URL, mode="subscription", success_url=DONE, line_items=lines)
        path = path_of(made)
    assert fill(api, path).status in (200, 303)
    subscription = api.ok("get", f"{URL}/{made['id']}")["subscription"]
    assert api.get(f"/v1/subscriptions/{subscription}")["billing_mode"]["type"] == mode
