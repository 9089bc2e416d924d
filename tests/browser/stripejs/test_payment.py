"""The payment Element in a React application, with the real packages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import bundle
from tests.browser.stripejs.shopfront import ORIGIN, Shopfront

TITLE = "Secure payment input frame"


@pytest.fixture(scope="module")
def shop(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with Shopfront(chromium, shared_server, bundle()) as shop:
        yield shop


def type_card(shop: Shopfront, number: str = "4242424242424242") -> None:
    frame = shop.frame(TITLE)
    typed = {"number": number, "expiry": "12 / 34", "cvc": "123", "postalCode": "12345"}
    for name, text in typed.items():
        frame.locator(f"#Field-{name}Input").fill(text)


def test_the_payment_element_pays_without_a_word_on_the_console(shop: Shopfront) -> None:
    intent = shop.intent(automatic_payment_methods={"enabled": True}, allowed_payment_method_types=[])
    secret = intent["client_secret"]
    shop.open(form="payment", deed="confirmPayment", redirect="if_required", options={"clientSecret": secret})
    tabs = shop.frame(TITLE).get_by_role("tablist", name="Payment methods").get_by_role("tab")
    expect(tabs.first).to_have_text("Card")
    type_card(shop)
    shop.pay()
    paid = shop.result()["paymentIntent"]
    assert (paid["id"], paid["status"]) == (intent["id"], "succeeded")
    charge = shop.get(f"/v1/charges?payment_intent={intent['id']}")["data"][0]
    assert charge["billing_details"]["address"]["postal_code"] == "12345"
    available = next(event for name, event in shop.page.evaluate("window.events") if name == "available")
    assert available["paymentMethods"]["card"] == {"available": True}
    assert shop.problems == []


def test_the_customer_is_sent_back_with_the_outcome(shop: Shopfront) -> None:
    secret = shop.intent()["client_secret"]
    shop.open(form="payment", deed="confirmPayment", options={"clientSecret": secret})
    type_card(shop)
    shop.pay()
    shop.page.wait_for_url(f"{ORIGIN}/thanks**")
    told = parse_qs(urlsplit(shop.page.url).query)
    assert (told["payment_intent_client_secret"], told["redirect_status"]) == ([secret], ["succeeded"])


def test_a_method_with_a_page_of_its_own_leads_there_and_back(shop: Shopfront) -> None:
    intent = shop.intent(currency="eur", allowed_payment_method_types=["card", "bancontact"])
    element = {"layout": "accordion", "paymentMethodOrder": ["bancontact", "card"]}
    options = {"clientSecret": intent["client_secret"]}
    shop.open(form="payment", deed="confirmPayment", element=element, options=options)
    frame = shop.frame(TITLE)
    expect(frame.locator('[role="button"]').first).to_have_attribute("data-value", "bancontact")
    frame.get_by_label("Full name").fill("Jenny Rosen")
    shop.pay()
    shop.page.get_by_role("button", name="Complete authentication").click()
    shop.page.wait_for_url(f"{ORIGIN}/thanks**")
    assert shop.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


def test_elements_come_before_the_intent(shop: Shopfront) -> None:
    intent = shop.intent()
    options = {"mode": "payment", "amount": 2000, "currency": "usd"}
    shop.open(form="payment", deed="deferred", secret=intent["client_secret"], options=options)
    type_card(shop, "4000002760003184")
    shop.pay()
    shop.bank().locator("#test-source-authorize-3ds").click()
    assert shop.result()["paymentIntent"]["status"] == "succeeded"


def test_what_is_missing_is_said_beside_its_field(shop: Shopfront) -> None:
    options = {"mode": "payment", "amount": 2000, "currency": "usd"}
    shop.open(form="payment", deed="createConfirmationToken", options=options)
    type_card(shop, "4242424242424241")
    shop.pay()
    assert shop.result()["error"]["code"] == "invalid_number"
    number = shop.frame(TITLE).get_by_role("textbox", name="Card number")
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(shop.frame(TITLE).get_by_role("alert").first).to_have_text("Your card number is invalid.")


def test_a_confirmation_token_pays_on_the_server(shop: Shopfront) -> None:
    options = {"mode": "payment", "amount": 2000, "currency": "usd"}
    shop.open(form="payment", deed="createConfirmationToken", options=options)
    type_card(shop)
    shop.pay()
    token = shop.result()["confirmationToken"]["id"]
    never: dict[str, Any] = {"enabled": True, "allow_redirects": "never"}
    asked = {"amount": 2000, "currency": "usd", "automatic_payment_methods": never}
    assert shop.post("/v1/payment_intents", **asked, confirm=True, confirmation_token=token)["status"] == "succeeded"


def test_a_bank_account_is_debited_with_a_mandate(shop: Shopfront) -> None:
    intent = shop.intent(currency="eur", allowed_payment_method_types=["sepa_debit"])
    options = {"clientSecret": intent["client_secret"]}
    shop.open(form="payment", deed="confirmPayment", redirect="if_required", options=options)
    frame = shop.frame(TITLE)
    for label, text in {"Full name": "Jenny", "Email": "j@example.com", "IBAN": "AT61 1904 3002 3457 3201"}.items():
        frame.get_by_label(label).fill(text)
    shop.pay()
    assert shop.result()["paymentIntent"]["status"] == "processing"


def test_a_card_is_saved_through_the_payment_element(shop: Shopfront) -> None:
    options = {"clientSecret": shop.setup()["client_secret"]}
    shop.open(form="payment", deed="confirmSetup", redirect="if_required", options=options)
    type_card(shop)
    shop.pay()
    assert shop.result()["setupIntent"]["status"] == "succeeded"
