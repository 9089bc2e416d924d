"""Every major version of `@stripe/stripe-js` and of `@stripe/react-stripe-js`, each with those it is made for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running, chromium, shared_server
from tests.browser.stripejs.bundles import SHOP, bundle
from tests.browser.stripejs.local import served
from tests.browser.stripejs.shopfront import PAGE, POLICY, Shopfront
from tests.contract.conftest import ROOT, node_binaries, serving
from tests.contract.judges.installing import KEPT, PROGRAMS, lines_of_json, node_with, run
from tests.support.chromium import chromium_path

__all__ = ["chromium", "shared_server"]  # fixtures

CHALLENGED = "4000002760003184"
#: Majors of `@stripe/stripe-js`, and that of `@stripe/react-stripe-js` which takes them (its peer dependencies).
PAIRS = ((1, 1), (1, 2), (2, 2), (3, 2), (4, 2), (4, 3), (5, 3), (6, 3), (7, 3), (7, 4), (8, 5), (9, 6), (10, 7))
_IDS = [f"stripe-js {one}, react-stripe-js {other}" for one, other in PAIRS]


@pytest.mark.parametrize(("stripe_js", "react"), PAIRS, ids=_IDS)
def test_a_major_version_pays_is_declined_and_authenticates(
    chromium: Browser, shared_server: Running, stripe_js: int, react: int
) -> None:
    packages = (
        f"@stripe/stripe-js@{stripe_js}", f"@stripe/react-stripe-js@{react}", "react@18", "react-dom@18", "prop-types",
        "esbuild@0.25",
    )  # fmt: skip
    script = bundle("majors.jsx", packages, KEPT)
    with Shopfront(chromium, shared_server, script) as shop:
        intent = shop.intent()
        shop.open(form="card", secret=intent["client_secret"])
        shop.type_card(number="4000000000000002")
        shop.pay()
        assert shop.result()["error"]["code"] == "card_declined"
        shop.open(form="card", secret=intent["client_secret"])
        shop.type_card(number=CHALLENGED)
        shop.pay()
        shop.bank().locator("#test-source-authorize-3ds").click()
        assert shop.result()["paymentIntent"]["status"] == "succeeded"
        secret = shop.intent()["client_secret"]
        shop.open(form="payment", options={"clientSecret": secret})
        payment = shop.frame("Secure payment input frame")
        for name, text in {"number": "4242424242424242", "expiry": "1234", "cvc": "123", "postalCode": "12345"}.items():
            payment.locator(f'[name="{name}"]').fill(text)
        shop.pay()
        assert shop.result()["paymentIntent"]["status"] == "succeeded"
        assert shop.problems == []


def test_a_checkout_session_is_paid_through_the_promise_of_the_basil_train(
    chromium: Browser, shared_server: Running
) -> None:
    packages = (
        "@stripe/stripe-js@7", "@stripe/react-stripe-js@3", "react@18", "react-dom@18", "prop-types", "esbuild@0.25",
    )  # fmt: skip
    line = {"price_data": {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Tea"}}, "quantity": 1}
    given = {"mode": "payment", "ui_mode": "elements", "return_url": "https://shop.example/done", "line_items": [line]}
    with Shopfront(chromium, shared_server, bundle("basil.jsx", packages, KEPT)) as shop:
        shop.open(secret=shop.post("/v1/checkout/sessions", **given)["client_secret"])
        payment = shop.frame("Secure payment input frame")
        for name, text in {"number": "4242424242424242", "expiry": "1234", "cvc": "123", "postalCode": "12345"}.items():
            payment.locator(f'[name="{name}"]').fill(text)
        shop.pay()
        done = shop.result()
        assert (done["type"], done["session"]["status"]["type"], shop.problems) == ("success", "complete", [])


def test_a_browser_that_resolves_stripe_s_names_to_a_server_with_tls_pays(chromium: Browser, tmp_path: Path) -> None:
    names = ("js.stripe.com", "api.stripe.com")
    page = PAGE.format(head='<script src="https://js.stripe.com/endive/stripe.js"></script>').encode()
    pages = {"/": ("text/html", page), "/app.js": ("text/javascript", (SHOP / "plain.js").read_bytes())}
    with serving(tmp_path / "data", TOLLKEY_TLS_HOSTS=",".join(names)) as server, served(pages, POLICY) as origin:
        port = server.url.rpartition(":")[2]
        rules = ", ".join(f"MAP {name}:443 127.0.0.1:{port}" for name in names)
        browser = chromium.browser_type.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu", f"--host-resolver-rules={rules}"]
        )
        with browser, browser.new_context(ignore_https_errors=True) as context:
            tab = context.new_page()
            tab.goto(origin)
            tab.evaluate(
                """async (key) => { const stripe = Stripe(key);
                const { element } = await shop.mounted(stripe.elements(), 'card');
                window.made = () => stripe.createPaymentMethod({ type: 'card', card: element }); }""",
                server.publishable_key,
            )
            frame = tab.frame_locator('iframe[title="Secure card payment input frame"]')
            for name, text in {
                "cardnumber": "4242424242424242",
                "exp-date": "1234",
                "cvc": "123",
                "postal": "12345",
            }.items():
                frame.locator(f'[name="{name}"]').fill(text)
            assert tab.evaluate("made()")["paymentMethod"]["card"]["last4"] == "4242"


def test_the_file_for_playwright_in_typescript_routes_a_page(shared_server: Running, tmp_path: Path) -> None:
    modules = node_with("playwright", "@playwright/test", "typescript@5", "esbuild@0.25") / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)
    for source in (ROOT / "clients" / "browser-tests" / "playwright.ts", PROGRAMS / "route_stripe.ts"):
        shutil.copy(source, tmp_path)
    checked = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    run(modules / ".bin" / "tsc", *checked, "--target", "es2022", tmp_path / "playwright.ts")
    bundled = ["--bundle", "--platform=node", "--format=esm", "--external:@playwright/test", "--outfile=run.mjs"]
    run(modules / ".bin" / "esbuild", "route_stripe.ts", *bundled, folder=tmp_path)
    node, _ = node_binaries()
    said = run(node, "run.mjs", shared_server.url, shared_server.publishable_key, chromium_path(), folder=tmp_path)
    assert lines_of_json(said) == {"last4": "4242"}
