"""Legacy Checkout: its button in a form, and `StripeCheckout.configure().open()`."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Request

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import SHOP
from tests.browser.stripejs.shopfront import ORIGIN, Shopfront


def shown(browser: Browser, server: Running, head: str) -> Shopfront:
    return Shopfront(browser, server, (SHOP / "plain.js").read_bytes(), head=head)


def type_card(frame: Any) -> None:
    typed = {"number": "4242424242424242", "expiry": "1234", "cvc": "123"}
    for name, text in {"email": "jenny@example.com", **typed}.items():
        frame.locator(f'[name="{name}"]').fill(text)


def test_a_button_sends_its_form_with_a_token(chromium: Browser, shared_server: Running) -> None:
    key = shared_server.publishable_key
    data = f'data-key="{key}" data-amount="2000" data-currency="usd" data-name="Tea" data-label="Pay for tea"'
    head = (
        '</head><body><form action="/charge" method="post"><script class="stripe-button"'
        f' src="https://js.stripe.com/checkout.js" {data}></script></form>'
    )
    with shown(chromium, shared_server, head) as shop:
        sent: list[Request] = []
        shop.page.on("request", lambda request: sent.append(request) if request.url == f"{ORIGIN}/charge" else None)
        shop.open()
        shop.page.get_by_role("button", name="Pay for tea").click()
        frame = shop.frame("Secure checkout frame")
        type_card(frame)
        frame.get_by_role("button", name="Pay $20.00").click()
        shop.page.wait_for_url(f"{ORIGIN}/charge")
        form = sent[0].post_data_json
        assert (form["stripeToken"][:4], form["stripeEmail"]) == ("tok_", "jenny@example.com")
        charge = shop.post("/v1/charges", amount=2000, currency="usd", source=form["stripeToken"])
        assert (charge["status"], shop.problems) == ("succeeded", [])


def test_a_handler_opens_and_closes_it(chromium: Browser, shared_server: Running) -> None:
    head = '<script src="https://js.stripe.com/checkout.js"></script>'
    with shown(chromium, shared_server, head) as shop:
        shop.open()
        shop.page.evaluate(
            """(key) => { window.said = [];
            const token = (made) => said.push(made.card.last4), closed = () => said.push('closed');
            window.handler = StripeCheckout.configure({ key, token, closed, opened: () => said.push('opened') });
            handler.open({ name: 'Tea', amount: 500 }); }""",
            shared_server.publishable_key,
        )
        frame = shop.frame("Secure checkout frame")
        frame.get_by_role("button", name="Close").click()
        shop.page.locator("iframe.stripe_checkout_app").wait_for(state="detached")
        shop.page.evaluate("handler.open({ name: 'Tea', amount: 500 })")
        type_card(frame)
        frame.get_by_role("button", name="Pay $5.00").click()
        shop.page.locator("iframe.stripe_checkout_app").wait_for(state="detached")
        assert shop.page.evaluate("said") == ["opened", "closed", "opened", "4242", "closed"]
        assert shop.page.evaluate("typeof window.Stripe") == "undefined"
