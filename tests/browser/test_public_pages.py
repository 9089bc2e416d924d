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
