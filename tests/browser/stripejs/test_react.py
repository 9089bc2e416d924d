"""A React application with the real packages: the card Element, the payment Element and embedded Checkout.

All in one file, so that they share one server and one browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import bundle
from tests.browser.stripejs.shopfront import ORIGIN, Shopfront

CHALLENGED = "4000002760003184"
TITLE = "Secure payment input frame"
LINE = {"price_data": {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Tea"}}, "quantity": 1}


@pytest.fixture(scope="module")
def shop(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with Shopfront(chromium, shared_server, bundle()) as shop:
        yield shop


def test_a_card_pays_without_a_word_on_the_console(shop: Shopfront) -> None:
    intent = shop.intent()
    shop.open(form="card", deed="confirmCardPayment", secret=intent["client_secret"])
    shop.type_card()
    shop.pay()
    paid = shop.result()["paymentIntent"]
    assert (paid["id"], paid["status"], paid["amount"]) == (intent["id"], "succeeded", 2000)
    assert shop.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"
    events = shop.page.evaluate("window.events")
    assert next(name for name, _ in events) == "ready"
    last = events[-1][1]
    assert (last["complete"], last["empty"], last["brand"], last["value"]) == (
        True,
        False,
        "visa",
        {"postalCode": "12345"},
    )
    assert shop.problems == []


def test_a_declined_card_is_told_with_its_intent(shop: Shopfront) -> None:
    intent = shop.intent()
    shop.open(form="card", deed="confirmCardPayment", secret=intent["client_secret"])
    shop.type_card(number="4000000000000002")
    shop.pay()
    error = shop.result()["error"]
    assert (error["type"], error["code"], error["decline_code"]) == ("card_error", "card_declined", "generic_decline")
    assert error["payment_intent"]["status"] == "requires_payment_method"


def test_an_incomplete_card_is_refused_before_anything_is_sent(shop: Shopfront) -> None:
    shop.open(form="card", deed="createToken")
    shop.type_card(number="424242")
    shop.pay()
    assert shop.result()["error"] == {
        "type": "validation_error", "code": "incomplete_number", "message": "Your card number is incomplete.",
    }  # fmt: skip


def test_three_d_secure_is_passed_in_a_frame(shop: Shopfront) -> None:
    intent = shop.intent()
    shop.open(form="card", deed="confirmCardPayment", secret=intent["client_secret"])
    shop.type_card(number=CHALLENGED)
    shop.pay()
    shop.bank().locator("#test-source-authorize-3ds").click()
    assert shop.result()["paymentIntent"]["status"] == "succeeded"
    assert shop.problems == []


@pytest.mark.parametrize("way", ["failed", "canceled"])
def test_three_d_secure_that_is_not_passed_is_an_error(shop: Shopfront, way: str) -> None:
    intent = shop.intent()
    shop.open(form="card", deed="confirmCardPayment", secret=intent["client_secret"])
    shop.type_card(number=CHALLENGED)
    shop.pay()
    if way == "failed":
        shop.bank().locator("#test-source-fail-3ds").click()
    else:
        over = shop.page.frame_locator('iframe[name^="__privateStripeFrame"]').first
        over.get_by_role("button", name="Cancel authentication").click()
    error = shop.result()["error"]
    assert error["code"] == "payment_intent_authentication_failure"
    assert error["payment_intent"]["status"] == "requires_payment_method"


def test_a_card_is_saved_with_a_setup_intent(shop: Shopfront) -> None:
    setup = shop.setup()
    shop.open(form="card", deed="confirmCardSetup", secret=setup["client_secret"])
    shop.type_card(number=CHALLENGED)
    shop.pay()
    shop.bank().locator("#test-source-authorize-3ds").click()
    assert shop.result()["setupIntent"]["status"] == "succeeded"


def test_fields_of_their_own_pay_together(shop: Shopfront) -> None:
    intent = shop.intent()
    shop.open(form="split", deed="confirmCardPayment", secret=intent["client_secret"])
    typed = {
        "card number": ("cardnumber", "4242 4242 4242 4242"),
        "expiration date": ("exp-date", "1234"),
        "CVC": ("cvc", "123"),
    }
    for title, (name, text) in typed.items():
        shop.frame(f"Secure {title} input frame").locator(f'[name="{name}"]').fill(text)
    shop.pay()
    assert shop.result()["paymentIntent"]["status"] == "succeeded"


@pytest.mark.parametrize(("deed", "named"), [("createToken", "token"), ("createPaymentMethod", "paymentMethod")])
def test_a_card_becomes_a_token_or_a_payment_method(shop: Shopfront, deed: str, named: str) -> None:
    shop.open(form="card", deed=deed)
    shop.type_card()
    shop.pay()
    made = shop.result()[named]
    assert (made["card"]["last4"], made["card"]["exp_year"]) == ("4242", 2034)


def test_what_is_typed_reaches_neither_the_page_nor_what_the_server_keeps(shop: Shopfront) -> None:
    canary, sent = "5555555555554444", []
    shop.context.add_init_script(
        "if (window === top) { window.heard = [];"
        " addEventListener('message', (event) => heard.push(JSON.stringify(event.data))); }"
    )
    shop.page.on("request", lambda request: sent.append((request.frame.url, request.url, request.post_data or "")))
    intent = shop.intent()
    shop.open(form="card", deed="confirmCardPayment", secret=intent["client_secret"])
    shop.type_card(number=canary)
    shop.pay()
    assert shop.result()["paymentIntent"]["status"] == "succeeded"
    heard = shop.page.evaluate("window.heard")
    assert (len(heard) > 5, [one for one in heard if canary in re.sub(r"\D", "", one)]) == (True, [])
    assert canary not in shop.page.content()
    with_it = [(frame, url) for frame, url, data in sent if canary in data]
    assert [url.partition("/v1")[0] for _, url in with_it] == ["https://api.stripe.com"]
    assert with_it[0][0].startswith("https://js.stripe.com/v3/controller.html")
    shop.get("/v1/events")  # what was logged of the payment is written by now
    kept = [file for file in Path(shop.server.data).rglob("*") if file.is_file()]
    assert kept != []
    assert [file for file in kept if canary.encode() in file.read_bytes()] == []


# -- the payment Element


def type_payment(shop: Shopfront, number: str = "4242424242424242") -> None:
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
    type_payment(shop)
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
    type_payment(shop)
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
    type_payment(shop, "4000002760003184")
    shop.pay()
    shop.bank().locator("#test-source-authorize-3ds").click()
    assert shop.result()["paymentIntent"]["status"] == "succeeded"


def test_what_is_missing_is_said_beside_its_field(shop: Shopfront) -> None:
    options = {"mode": "payment", "amount": 2000, "currency": "usd"}
    shop.open(form="payment", deed="createConfirmationToken", options=options)
    type_payment(shop, "4242424242424241")
    shop.pay()
    assert shop.result()["error"]["code"] == "invalid_number"
    number = shop.frame(TITLE).get_by_role("textbox", name="Card number")
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(shop.frame(TITLE).get_by_role("alert").first).to_have_text("Your card number is invalid.")


def test_a_confirmation_token_pays_on_the_server(shop: Shopfront) -> None:
    options = {"mode": "payment", "amount": 2000, "currency": "usd"}
    shop.open(form="payment", deed="createConfirmationToken", options=options)
    type_payment(shop)
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
    type_payment(shop)
    shop.pay()
    assert shop.result()["setupIntent"]["status"] == "succeeded"


# -- embedded Checkout


def opened(shop: Shopfront, **params: Any) -> tuple[str, Any]:
    """A session that the page shows: its id, and its page in the frames."""
    made = shop.post("/v1/checkout/sessions", mode="payment", ui_mode="embedded_page", line_items=[LINE], **params)
    shop.open(form="embedded", secret=made["client_secret"])
    return made["id"], shop.frame("Secure checkout frame").frame_locator('iframe[title="Checkout"]')


def pay_on(page: Any, number: str = "4242424242424242", *, known: bool = False) -> None:
    """Fill in the page and send it. known: whether the customer's email address was taken before."""
    typed = {"number": number, "expiry": "12/34", "cvc": "123", "name": "Jenny Rosen"}
    for name, text in {**typed, **({} if known else {"email": "jenny@example.com"})}.items():
        page.locator(f'[name="{name}"]').fill(text)
    page.get_by_role("button", name="Pay").last.click()


def test_a_session_is_paid_in_the_frame(shop: Shopfront) -> None:
    session, page = opened(shop, redirect_on_completion="never")
    pay_on(page)
    assert shop.result() == {"complete": True}
    assert shop.get(f"/v1/checkout/sessions/{session}")["status"] == "complete"
    assert shop.problems == []


def test_the_page_around_it_is_led_on(shop: Shopfront) -> None:
    session, page = opened(shop, return_url=f"{ORIGIN}/done?session={{CHECKOUT_SESSION_ID}}")
    pay_on(page)
    shop.page.wait_for_url(f"{ORIGIN}/done?session={session}")


def test_its_challenge_is_answered_in_the_frame(shop: Shopfront) -> None:
    _, page = opened(shop, redirect_on_completion="never")
    pay_on(page, "4000002760003184")
    page.locator("#test-source-fail-3ds").click()
    expect(page.get_by_role("alert")).to_contain_text("could not authenticate")
    pay_on(page, "4000002760003184", known=True)
    page.locator("#test-source-authorize-3ds").click()
    assert shop.result() == {"complete": True}
