"""The language of Elements: that of the page or of the browser, with nothing left in English; and narrow pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import within
from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import SHOP
from tests.browser.stripejs.shopfront import Shopfront
from tollkey.stripejs.files import STATIC

SETUP = {"mode": "setup", "currency": "usd"}
#: Names of brands, and what is written so everywhere.
NAMES = re.compile(
    r"Afterpay|BLIK|Bancontact|Boleto|Cash App Pay|EPS|FPX|Klarna|Konbini|MB WAY|Multibanco|OXXO|PayPal|Przelewy24"
    r"|WeChat Pay|iDEAL|Sofort|IBAN|BSB|CVC|CPF/CNPJ|DE00 .*|Test account|[a-z]+ ?[a-z0-9]* ?(bank|islam)?"
)
READ = """async () => {
  const found = [document.documentElement.lang];
  for (const tab of [null, ...document.querySelectorAll('[role=tab]')]) {
    if (tab) document.getElementById(tab.id).click();
    tollkeyFields.values();
    for (const node of document.querySelectorAll('#root *')) {
      if (!node.childElementCount) found.push(node.textContent.trim());
      for (const name of ['aria-label', 'placeholder', 'title']) found.push(node.getAttribute(name) || '');
    }
  }
  return [...new Set(found)];
}"""


@contextmanager
def shop_of(browser: Browser, server: Running, **context: Any) -> Iterator[Shopfront]:
    head = '<script src="https://js.stripe.com/endive/stripe.js"></script>'
    with Shopfront(browser, server, (SHOP / "plain.js").read_bytes(), head=head, **context) as shop:
        shop.open()
        shop.page.evaluate("(key) => { window.stripe = Stripe(key); }", shop.server.publishable_key)
        yield shop


@pytest.fixture(scope="module")
def japanese(chromium: Browser, shared_server: Running) -> Iterator[Shopfront]:
    with shop_of(chromium, shared_server, locale="ja-JP") as shop:
        yield shop


def shown(shop: Shopfront, kind: str, options: dict[str, Any] | None = None, **element: Any) -> Any:
    """An Element in the page, alone; its frame."""
    shop.page.evaluate(
        """async ([options, kind, element]) => { document.getElementById('app').replaceChildren();
        window.all = stripe.elements(options || {}); await shop.mounted(all, kind, element); }""",
        [options, kind, element],
    )
    handle = shop.page.query_selector("#app iframe")
    assert handle is not None
    frame = handle.content_frame()
    assert frame is not None
    return frame


@pytest.mark.parametrize(
    ("kind", "options", "element"),
    [
        ("card", None, {}),
        ("cardNumber", None, {}),
        ("cardExpiry", None, {}),
        ("cardCvc", None, {}),
        ("iban", None, {"supportedCountries": ["SEPA"]}),
        ("auBankAccount", None, {}),
        ("address", None, {"mode": "shipping", "fields": {"phone": "always"}}),
        ("linkAuthentication", None, {}),
        ("payment", {**SETUP, "paymentMethodTypes": ["card", "sepa_debit"]}, {}),
    ],
)
def test_an_element_in_a_japanese_browser_has_no_english_text(
    japanese: Shopfront, kind: str, options: dict[str, Any] | None, element: dict[str, Any]
) -> None:
    frame = shown(japanese, kind, options, **element)
    lang, *texts = frame.evaluate(READ)
    title = japanese.page.locator("#app iframe").get_attribute("title") or ""
    assert (lang, english([title, *texts])) == ("ja-JP", [])
    assert (within(frame), japanese.problems) == ([], [])


def english(texts: list[str]) -> list[str]:
    latin = [text for text in texts if re.search(r"[A-Za-z]{3}", text) and not re.search(r"[぀-鿿]", text)]
    return [text for text in latin if not NAMES.fullmatch(text)]


def test_every_type_of_payment_method_is_described_in_japanese(japanese: Shopfront) -> None:
    table = (STATIC / "frames" / "methods.js").read_text().partition("const METHODS = {")[2].partition("\n};")[0]
    types = re.findall(r"^  (\w+): \{", table, re.MULTILINE)
    frame = shown(
        japanese, "payment", {"mode": "payment", "amount": 2000, "currency": "usd", "paymentMethodTypes": types}
    )
    assert frame.locator("[role=tab]").count() == len(types) > 20
    assert english(frame.evaluate(READ)) == []


def test_the_page_says_in_which_language(japanese: Shopfront) -> None:
    frame = shown(japanese, "payment", {**SETUP, "paymentMethodTypes": ["card"], "locale": "de"})
    expect(frame.get_by_label("Kartennummer")).to_be_visible()
    expect(japanese.page.locator('iframe[title="Sicherer Eingaberahmen für Zahlungen"]')).to_be_visible()
    japanese.page.evaluate("all.update({ locale: 'fr' })")
    french = japanese.frame("Cadre de saisie sécurisé pour le paiement")
    expect(french.get_by_label("Numéro de carte")).to_be_visible()
    frame = shown(japanese, "payment", {**SETUP, "paymentMethodTypes": ["card"], "locale": "sv"})
    expect(frame.get_by_label("Card number")).to_be_visible()


def test_what_is_wrong_is_said_in_the_language_of_the_page(japanese: Shopfront) -> None:
    frame = shown(japanese, "card", {"locale": "es"})
    frame.locator("[name=cardnumber]").fill("4242424242424241")
    japanese.page.wait_for_function("changed.card.error")
    error = japanese.page.evaluate("changed.card.error")
    assert (error["code"], error["message"]) == ("invalid_number", "Su número de tarjeta no es válido.")


@pytest.mark.parametrize(
    ("country", "label", "region"),
    [("US", "ZIP code", "State"), ("CA", "Postal code", "Province"), ("DE", "Postal code", None)],
)
def test_an_address_is_asked_for_as_its_country_writes_it(
    japanese: Shopfront, country: str, label: str, region: str | None
) -> None:
    frame = shown(japanese, "address", {"locale": "en"}, mode="billing")
    frame.get_by_label("Country or region").select_option(country)
    expect(frame.locator(".Field-postalCode .Label")).to_have_text(label)
    state = frame.locator(".Field-administrativeArea .Label")
    if region:
        expect(state).to_have_text(region)
    else:
        expect(state).to_be_hidden()


@pytest.mark.parametrize("width", [390, 320])
def test_a_card_is_one_line_on_a_phone(japanese: Shopfront, width: int) -> None:
    japanese.page.set_viewport_size({"width": width, "height": 700})
    frame = shown(japanese, "card", {"locale": "en"})
    line = frame.locator(".Row")
    before = line.bounding_box()
    frame.locator("[name=cardnumber]").press_sequentially("4242424242424242")
    expect(line).to_have_class(re.compile("narrow typed"))
    assert frame.evaluate("document.activeElement.name") == "exp-date"
    places = [frame.locator(f"[name={name}]").bounding_box() for name in ("cardnumber", "exp-date", "cvc", "postal")]
    assert len({round(place["y"]) for place in places}) == 1
    assert before["height"] == line.bounding_box()["height"] < 25
    end = places[-1]["x"] + places[-1]["width"]
    assert end <= before["x"] + before["width"] + 1
