"""Pages for people without an account (checkout, portal, receipts …): axe finds nothing wrong with them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser

import tollkey.payments
import tollkey.platform
from tests.browser.axe import violations
from tests.browser.conftest import Running
from tests.browser.crawl import crawl
from tests.browser.person import Person
from tests.browser.shop import Shop, fill
from tollkey.core import gather

PUBLIC = sorted(
    {e.path for r in gather(tollkey.platform, tollkey.payments) for e in r.endpoints if e.public and e.method == "GET"},
    key=len,
    reverse=True,
)
#: What is no page: files, and addresses that only lead on.
NO_PAGE = {
    "/links/{token}",
    "/pictures/{token}",
    "/i/{token}/pdf",
    "/cn/{token}/pdf",
    "/receipts/{token}/pdf",
    "/pay/{token}/return",
    "/connect/express/{token}",
}
#: Pages that follow on what a customer does.
AFTERWARDS = {"/portal/{token}/done"}


def kind_of(address: str) -> str:
    """The declared path of a page's address, or "" for one that is none of these."""
    path = urlsplit(address).path
    found = [one for one in PUBLIC if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)]
    return found[0] if found and found[0] not in NO_PAGE else ""


def test_axe_finds_nothing_wrong_with_a_public_page(
    shared_server: Running, chromium: Browser, screenshots: Path
) -> None:
    with Shop(shared_server) as shop:
        fill(shop)
    visitor = Person(chromium, screenshots)
    wrong, seen = [], set()
    for kind, _ in crawl(visitor.page, shop.addresses, kind_of):
        seen.add(kind)
        wrong += [f"{kind}: {one}" for one in violations(visitor.page)]
        visitor.keep("public-" + re.sub(r"\W+", "-", kind).strip("-"))
    assert wrong == []
    assert set(PUBLIC) - NO_PAGE - AFTERWARDS - seen == set()


def test_a_phone_shows_words_of_any_length_without_scrolling_sideways(
    shared_server: Running, chromium: Browser, screenshots: Path
) -> None:
    long = "W" * 200
    with Shop(shared_server) as shop:
        price = shop.post("/v1/prices", currency="usd", unit_amount=99_999_999, product_data={"name": long})["id"]
        lines = [{"price": price, "quantity": 1}]
        label = {"type": "custom", "custom": "W" * 50}
        more = {"optional_items": lines, "custom_fields": [{"key": "k", "label": label, "type": "text"}]}
        shop.post("/v1/payment_links", line_items=lines)
        shop.post("/v1/checkout/sessions", mode="payment", success_url="https://a.example", line_items=lines, **more)
        customer = shop.post("/v1/customers", name=long, email=f"{'w' * 60}@{'w' * 60}.example")["id"]
        shop.post("/v1/invoiceitems", customer=customer, amount=500, currency="usd", description=long)
        sent = {
            "collection_method": "send_invoice",
            "days_until_due": 3,
            "custom_fields": [{"name": "W" * 40, "value": "W" * 140}],
        }
        draft = shop.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include", **sent)["id"]
        shop.post(f"/v1/invoices/{draft}/finalize")
        shop.post("/v1/billing_portal/sessions", customer=customer)
        shop.post("/v1/charges", amount=500, currency="usd", source="tok_visa", description=long)
        addresses = shop.addresses
    visitor, widths = Person(chromium, screenshots), {}
    visitor.page.set_viewport_size({"width": 390, "height": 780})
    for address in addresses:
        if kind := kind_of(address):
            visitor.page.goto(address)
            widths[kind] = visitor.page.evaluate("document.documentElement.scrollWidth")
    pages = {"/buy/{token}", "/pay/{token}", "/i/{token}", "/portal/{token}", "/receipts/{token}"}
    assert widths == dict.fromkeys(pages, 390)
