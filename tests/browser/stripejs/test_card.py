"""The card Element in a React application, with the real packages: it pays as with Stripe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import bundle
from tests.browser.stripejs.shopfront import Shopfront

CHALLENGED = "4000002760003184"


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
