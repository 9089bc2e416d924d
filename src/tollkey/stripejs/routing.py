"""For browser tests with Playwright: what a page asks of Stripe's hosts is answered by a Tollkey server.

    from tollkey.stripejs.routing import route_stripe

    def test_checkout(context, page):
        route_stripe(context, "http://127.0.0.1:8420")
        page.goto("https://shop.example/checkout")

The shop, its build and its Content-Security-Policy stay as they are in production. Nothing of Playwright is imported
here.
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

    def answer(route: Any) -> None:
        asked = urlsplit(route.request.url)
        target = f"{asked.path}?{asked.query}" if asked.query else asked.path
        route.fulfill(response=route.fetch(url=url.rstrip("/") + target, max_redirects=0))

    context.route(STRIPE, answer)
