"""For browser tests with Playwright: what a page asks of Stripe's hosts is answered by a Tollkey server.

    from tollkey.stripejs.routing import route_stripe

    def test_checkout(context, page):
        route_stripe(context, "http://127.0.0.1:8420")
        page.goto("https://shop.example/checkout")

The shop, its build and its Content-Security-Policy stay as they are in production. Nothing of Playwright is imported
here; ``clients/browser-tests`` has the same for Playwright in TypeScript, and for Cypress.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

STRIPE = re.compile(r"https://(?:js|api|hooks|checkout)\.stripe\.com/")


def route_stripe(context: Any, url: str) -> None:
    """Have requests of a Playwright context (or page) to Stripe's hosts answered by the server at ``url``.

    It works with the synchronous interface of Playwright.
    """

    base = url.rstrip("/")

    def answer(route: Any) -> None:
        asked = urlsplit(route.request.url)
        response = route.fetch(url=base + _target(asked.path, asked.query), max_redirects=0)
        while response.status in (302, 303) and response.headers.get("location", "").startswith("/"):
            # Playwright routes no request that follows on a redirect, so it is followed here.
            response = route.fetch(url=base + response.headers["location"], method="GET", post_data="", max_redirects=0)
        route.fulfill(response=response)

    context.route(STRIPE, answer)


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
