"""Stripe.js in live mode, with the card vault: what a customer types reaches the acquirer, and nothing else has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running
from tests.browser.stripejs.local import plain_shop
from tests.browser.stripejs.shopfront import Shopfront
from tests.support.canary import searched
from tests.support.card_shop import NEVER, Shop, card_shop, host_in_a_thread
from tests.support.vault import CANARY

CODE = "739"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with host_in_a_thread() as host, card_shop(tmp_path_factory.mktemp("live"), host) as made:
        yield made


@pytest.fixture(scope="module")
def shop(chromium: Browser, live: Shop) -> Iterator[Shopfront]:
    url = f"http://localhost:{live.port}"
    with plain_shop(chromium, Running(url, "", "", live.keys["sk"], live.keys["pk"], str(live.data))) as found:
        yield found


def test_a_card_that_is_typed_into_the_payment_element_pays(shop: Shopfront, live: Shop) -> None:
    intent = shop.post("/v1/payment_intents", amount=2000, currency="usd", automatic_payment_methods=NEVER)
    shop.open()
    shop.page.evaluate(
        f"""async (secret) => {{
          const stripe = Stripe('{shop.server.publishable_key}');
          const elements = stripe.elements({{ clientSecret: secret }});
          await shop.mounted(elements, 'payment', {{}});
          window.paying = () => stripe.confirmPayment({{ elements, redirect: 'if_required' }});
        }}""",
        intent["client_secret"],
    )
    payment = shop.frame("Secure payment input frame")
    for name, text in {"number": CANARY, "expiry": "1234", "cvc": CODE, "postalCode": "78701"}.items():
        payment.locator(f'[name="{name}"]').fill(text)
    assert shop.page.evaluate("paying()")["paymentIntent"]["status"] == "succeeded"
    sent = [one for one in live.host.seen if one["t"] == "0200"]
    assert [(one["2"], one["14"], one["63"]) for one in sent] == [(CANARY, "3412", CODE)]
    assert searched([live.folder], CANARY, CODE) == {}
