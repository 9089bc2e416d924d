"""The other Elements, in a page without any package that loads the script from the server itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running
from tests.browser.stripejs.local import plain_shop
from tests.browser.stripejs.shopfront import Shopfront


@pytest.fixture(scope="module")
def shop(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with plain_shop(chromium, shared_server) as shop:
        yield shop


def run(shop: Shopfront, script: str, **given: Any) -> Any:
    """What a script with `stripe` and `given` returns."""
    shop.open()
    begin = f"const stripe = Stripe('{shop.server.publishable_key}');"
    return shop.page.evaluate(f"async (given) => {{ {begin} {script} }}", given)


def test_an_address_and_an_email_go_with_the_payment(shop: Shopfront) -> None:
    intent = shop.intent()
    run(
        shop,
        """const elements = stripe.elements({ clientSecret: given.secret });
        for (const [kind, options] of [['linkAuthentication'], ['address', { mode: 'shipping' }], ['payment']]) {
          await shop.mounted(elements, kind, options);
        }
        window.paying = () => stripe.confirmPayment({ elements, redirect: 'if_required' });""",
        secret=intent["client_secret"],
    )
    shop.frame("Secure email input frame").get_by_label("Email").fill("jenny@example.com")
    address = shop.frame("Secure address input frame")
    typed = {"Full name": "Jenny Rosen", "Address line 1": "1 Main Street", "City": "Austin", "State": "TX"}
    for label, text in {**typed, "ZIP code": "78701"}.items():
        address.get_by_label(label).fill(text)
    payment = shop.frame("Secure payment input frame")
    for name, text in {"number": "4242424242424242", "expiry": "1234", "cvc": "123", "postalCode": "78701"}.items():
        payment.locator(f'[name="{name}"]').fill(text)
    assert shop.page.evaluate("paying()")["paymentIntent"]["status"] == "succeeded"
    told = shop.page.evaluate("changed.address.value")
    assert (told["name"], told["address"]["city"], told["address"]["country"]) == ("Jenny Rosen", "Austin", "US")
    paid = shop.get(f"/v1/payment_intents/{intent['id']}?expand[]=payment_method")
    assert paid["shipping"]["address"]["line1"] == "1 Main Street"
    assert paid["payment_method"]["billing_details"]["email"] == "jenny@example.com"
    assert shop.problems == []


@pytest.mark.parametrize(
    ("kind", "call", "currency", "typed"),
    [
        ("iban", "confirmSepaDebitPayment", "eur", {"iban": "AT611904300234573201"}),
        ("auBankAccount", "confirmAuBecsDebitPayment", "aud", {"bsb": "000000", "accountNumber": "000123456"}),
    ],
)
def test_a_bank_account_pays(shop: Shopfront, kind: str, call: str, currency: str, typed: dict[str, str]) -> None:
    type = {"iban": "sepa_debit", "auBankAccount": "au_becs_debit"}[kind]
    intent = shop.intent(currency=currency, allowed_payment_method_types=[type])
    run(
        shop,
        """const elements = stripe.elements();
        const { element } = await shop.mounted(elements, given.kind, { supportedCountries: ['SEPA'] });
        const billing_details = { name: 'Jenny Rosen', email: 'jenny@example.com' };
        window.paying = () =>
          stripe[given.call](given.secret, { payment_method: { [given.type]: element, billing_details } });""",
        **{"kind": kind, "call": call, "secret": intent["client_secret"], "type": type},
    )
    frame = shop.page.frame_locator(f"#{kind} iframe")
    for name, text in typed.items():
        frame.locator(f'[name="{name}"]').fill(text)
    assert shop.page.evaluate("paying()")["paymentIntent"]["status"] == "processing"


def test_no_wallet_is_offered_unless_the_page_is_told_so(shop: Shopfront) -> None:
    options = {"mode": "payment", "amount": 2000, "currency": "usd"}
    asked = """const total = { label: 'Tea', amount: 1 };
        const request = stripe.paymentRequest({ country: 'US', currency: 'usd', total });
        const { event } = await shop.mounted(stripe.elements(given.options), 'expressCheckout');
        return [await request.canMakePayment(), event.availablePaymentMethods === undefined];"""
    assert run(shop, asked, options=options) == [None, True]


def test_a_wallet_that_the_page_is_told_of_pays(shop: Shopfront) -> None:
    intent = shop.intent()
    run(
        shop,
        """const meta = document.createElement('meta');
        meta.name = 'tollkey-wallets';
        meta.content = 'google_pay';
        document.head.append(meta);
        const elements = stripe.elements({ mode: 'payment', amount: 2000, currency: 'usd' });
        const { element, event } = await shop.mounted(elements, 'expressCheckout');
        window.offered = event.availablePaymentMethods;
        element.on('click', (clicked) => clicked.resolve({}));
        const confirmParams = { return_url: 'https://shop.example/thanks' };
        window.paid = new Promise((resolve) => element.on('confirm', async () => {
          await elements.submit();
          const asked = { elements, clientSecret: given.secret, confirmParams, redirect: 'if_required' };
          resolve(await stripe.confirmPayment(asked));
        }));""",
        secret=intent["client_secret"],
    )
    shop.frame("Secure express checkout frame").get_by_role("button", name="Pay with Google Pay").click()
    assert shop.page.evaluate("paid")["paymentIntent"]["status"] == "succeeded"
    assert shop.page.evaluate("offered") == {"googlePay": True}


def test_a_security_code_is_collected_again(shop: Shopfront) -> None:
    run(
        shop,
        """const { element } = await shop.mounted(stripe.elements(), 'cardCvc');
        window.made = () => stripe.createToken('cvc_update', element);""",
    )
    shop.frame("Secure CVC input frame").locator('[name="cvc"]').fill("123")
    assert shop.page.evaluate("made()")["token"]["type"] == "cvc_update"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("stripe.elements().create('payment')", "pass a clientSecret, or a mode"),
        ("stripe.elements().create('cart')", "A valid Element name must be provided"),
        ("stripe.elements({ clientSecret: 'x' })", "should be a client secret"),
        ("const all = stripe.elements(); all.create('card'); all.create('card')", "Can only create one Element"),
        ("stripe.elements().create('card').mount('#nowhere')", "applies to no DOM elements"),
        ("await stripe.confirmCardPayment('x')", "should be a client secret"),
        ("await stripe.confirmPayment({ clientSecret: 'pi_1_secret_2' })", "return_url"),
        ("await stripe.createToken('card', { number: '4242424242424242' })", "unknown token type"),
        ("Stripe('sk_test_123')", "should not use your secret key"),
    ],
)
def test_a_call_that_cannot_work_is_an_integration_error(shop: Shopfront, script: str, says: str) -> None:
    caught = f"try {{ {script} }} catch (error) {{ return [error.name, error.message]; }}"
    name, message = run(shop, caught)
    assert (name, says in message) == ("IntegrationError", True), message


def test_an_option_without_effect_is_told_of(shop: Shopfront) -> None:
    run(shop, "stripe.elements({ mode: 'setup', fonts: [], customPaymentMethods: [] });")
    (said,) = shop.problems
    assert said.startswith("warning elements(): fonts has no effect here.")
    assert "elements(): customPaymentMethods has no effect here." in said
