"""A page that wants to know what is typed: frames tell it whether a field is complete, and never what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running
from tests.browser.stripejs.local import plain_shop
from tests.browser.stripejs.shopfront import Shopfront

OPTIONS = {"mode": "payment", "amount": 2000, "currency": "usd", "paymentMethodTypes": ["card"]}


@pytest.fixture(scope="module")
def shop(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with plain_shop(chromium, shared_server) as shop:
        yield shop


def heights(shop: Shopfront, rules: dict[str, Any]) -> list[int]:
    """How high the payment Element is with the sixth and with the seventh country chosen."""
    shop.open()
    shop.page.evaluate(
        f"""async (given) => {{
          const stripe = Stripe('{shop.server.publishable_key}');
          const elements = stripe.elements({{ ...given.options, appearance: {{ rules: given.rules }} }});
          await shop.mounted(elements, 'payment');
        }}""",
        {"options": OPTIONS, "rules": rules},
    )
    frame, found = shop.frame("Secure payment input frame"), []
    for place in (5, 6):
        frame.locator('[name="country"]').select_option(index=place)
        shop.page.wait_for_timeout(300)  # for its size to be told
        found.append(shop.page.locator('iframe[title="Secure payment input frame"]').evaluate("it => it.offsetHeight"))
    return found


@pytest.mark.parametrize(
    "selector",
    [
        ".Input:has(option:nth-child(7):checked)",
        ".Field:has(:checked:nth-child(7))",
        ".Field:is(:has(:nth-child(7):checked))",
    ],
)
def test_a_style_does_not_tell_what_was_chosen(shop: Shopfront, selector: str) -> None:
    """The page sees how high a frame is: a rule that made it higher for one country would tell the country."""
    sixth, seventh = heights(shop, {selector: {"paddingTop": "200px"}})
    assert sixth == seventh


def test_a_style_still_follows_the_states_of_a_field(shop: Shopfront) -> None:
    plain, _ = heights(shop, {})
    for selector in (".Input", ".Field > .Label, .Never", ".Input--empty:hover,.Frame .Input:enabled"):
        higher, _ = heights(shop, {selector: {"paddingTop": "200px"}})
        assert higher > plain + 150, selector


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/tokens"),
        ("POST", "/v1/tokens/../customers"),
        ("POST", "/v1/tokens/..%2Fcustomers"),
        ("POST", "/v1/tokens/a?x=1"),
        ("POST", "//evil.example/v1/tokens"),
    ],
)
def test_what_is_typed_goes_to_the_api_alone_and_into_no_address(shop: Shopfront, method: str, path: str) -> None:
    shop.open()
    shop.page.evaluate(
        f"""async () => {{
          const elements = Stripe('{shop.server.publishable_key}').elements();
          await shop.mounted(elements, 'card');
        }}"""
    )
    shop.type_card()
    asked: list[str] = []
    shop.page.on("request", lambda request: asked.append(request.url))
    answer = shop.page.evaluate(
        """([method, path, home]) => new Promise((resolve) => {
          window.addEventListener('message', ({ data }) => data.to === 99 && resolve(data.data));
          const named = (start) => [...document.querySelectorAll('iframe')].find((one) => one.name.startsWith(start));
          const fields = { frames: [named('__privateStripeFrame').name], at: 'card' };
          const call = { tollkey: 1, type: 'call', id: 99, data: { method, path, params: {}, fields } };
          named('__privateStripeController').contentWindow.postMessage(call, home);
        })""",
        [method, path, shop.server.url],
    )
    assert (answer["error"]["type"], asked) == ("invalid_request_error", [])
