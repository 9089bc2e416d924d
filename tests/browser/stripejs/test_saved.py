"""Saved payment methods in the payment Element, as the customer session of the page grants them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import within
from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import bundle
from tests.browser.stripejs.shopfront import Shopfront

TITLE = "Secure payment input frame"


@pytest.fixture(scope="module")
def shop(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with Shopfront(chromium, shared_server, bundle()) as shop:
        yield shop


def returning(shop: Shopfront, **features: Any) -> tuple[str, str]:
    """A customer with two saved cards, at a payment that the page shows: the customer and the intent."""
    customer = shop.post("/v1/customers", email="jenny@example.com")["id"]
    for card in ("pm_card_visa", "pm_card_mastercard"):
        method = shop.post(f"/v1/payment_methods/{card}/attach", customer=customer)["id"]
        shop.post(f"/v1/payment_methods/{method}", allow_redisplay="always")
    components = {"payment_element": {"enabled": True, "features": features}}
    secret = shop.post("/v1/customer_sessions", customer=customer, components=components)["client_secret"]
    intent = shop.intent(customer=customer)
    options = {"clientSecret": intent["client_secret"], "customerSessionClientSecret": secret}
    shop.open(form="payment", deed="confirmPayment", redirect="if_required", options=options)
    return customer, intent["id"]


def test_a_saved_card_is_chosen_and_pays(shop: Shopfront) -> None:
    _, intent = returning(shop, payment_method_redisplay="enabled")
    frame = shop.frame(TITLE)
    expect(frame.get_by_role("tab").first).to_have_text("Saved")
    frame.get_by_label("Visa ending in 4242").check()
    assert within(next(one for one in shop.frames() if "inner-payment" in one.url)) == []
    shop.pay()
    assert shop.result()["paymentIntent"]["status"] == "succeeded"
    paid = shop.get(f"/v1/payment_intents/{intent}?expand[]=payment_method")
    assert paid["payment_method"]["card"]["last4"] == "4242"
    told = [event for name, event in shop.page.evaluate("window.events") if name == "change"][-1]["value"]
    assert (told["type"], told["payment_method"]["id"]) == ("card", paid["payment_method"]["id"])
    assert shop.problems == []


@pytest.mark.parametrize("ticked", [True, False])
def test_a_new_card_is_saved_if_the_box_is_ticked(shop: Shopfront, ticked: bool) -> None:
    customer, _ = returning(shop, payment_method_save="enabled", payment_method_save_usage="off_session")
    frame = shop.frame(TITLE)
    expect(frame.get_by_role("tab", name="Saved")).to_have_count(0)
    for name, text in {"number": "4242424242424242", "expiry": "1234", "cvc": "123", "postalCode": "12345"}.items():
        frame.locator(f'[name="{name}"]').fill(text)
    frame.get_by_label("Save my payment details for future purchases").set_checked(ticked)
    shop.pay()
    assert shop.result()["paymentIntent"]["status"] == "succeeded"
    kept = shop.get(f"/v1/customers/{customer}/payment_methods")["data"]
    assert [one["allow_redisplay"] for one in kept].count("always") == (3 if ticked else 2)


def test_nothing_saved_is_shown_without_the_feature(shop: Shopfront) -> None:
    returning(shop)
    expect(shop.frame(TITLE).get_by_label("Card number")).to_be_visible()
    expect(shop.frame(TITLE).get_by_text("ending in")).to_have_count(0)
