"""Embedded Checkout in a React application, with the real packages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import bundle
from tests.browser.stripejs.shopfront import ORIGIN, Shopfront

LINE = {"price_data": {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Tea"}}, "quantity": 1}


@pytest.fixture(scope="module")
def shop(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with Shopfront(chromium, shared_server, bundle()) as shop:
        yield shop


def opened(shop: Shopfront, **params: Any) -> tuple[str, Any]:
    """A session that the page shows: its id, and its page in the frames."""
    made = shop.post("/v1/checkout/sessions", mode="payment", ui_mode="embedded_page", line_items=[LINE], **params)
    shop.open(form="embedded", secret=made["client_secret"])
    return made["id"], shop.frame("Secure checkout frame").frame_locator('iframe[title="Checkout"]')


def pay(page: Any, number: str = "4242424242424242", *, known: bool = False) -> None:
    """Fill in the page and send it. known: whether the customer's email address was taken before."""
    typed = {"number": number, "expiry": "12/34", "cvc": "123", "name": "Jenny Rosen"}
    for name, text in {**typed, **({} if known else {"email": "jenny@example.com"})}.items():
        page.locator(f'[name="{name}"]').fill(text)
    page.get_by_role("button", name="Pay").last.click()


def test_a_session_is_paid_in_the_frame(shop: Shopfront) -> None:
    session, page = opened(shop, redirect_on_completion="never")
    pay(page)
    assert shop.result() == {"complete": True}
    assert shop.get(f"/v1/checkout/sessions/{session}")["status"] == "complete"
    assert shop.problems == []


def test_the_page_around_it_is_led_on(shop: Shopfront) -> None:
    session, page = opened(shop, return_url=f"{ORIGIN}/done?session={{CHECKOUT_SESSION_ID}}")
    pay(page)
    shop.page.wait_for_url(f"{ORIGIN}/done?session={session}")


def test_its_challenge_is_answered_in_the_frame(shop: Shopfront) -> None:
    _, page = opened(shop, redirect_on_completion="never")
    pay(page, "4000002760003184")
    page.locator("#test-source-fail-3ds").click()
    expect(page.get_by_role("alert")).to_contain_text("could not authenticate")
    pay(page, "4000002760003184", known=True)
    page.locator("#test-source-authorize-3ds").click()
    assert shop.result() == {"complete": True}
