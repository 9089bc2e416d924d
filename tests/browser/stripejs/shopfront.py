"""A shop's page in the browser: of another origin than Stripe.js, under a strict Content-Security-Policy."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Frame, Route, expect

from tests.browser.conftest import PATIENCE, Running
from tests.support.api import form
from tollkey.stripejs.routing import route_stripe

ORIGIN = "https://shop.example"
#: What Stripe's documentation asks a shop to allow, and nothing else.
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'self'; script-src 'self' https://js.stripe.com;"
    " frame-src https://js.stripe.com https://hooks.stripe.com; connect-src https://api.stripe.com; img-src 'self';"
    " style-src 'self'"
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>
<body><main><h1>Shop</h1><div id="app"></div></main><script src="/app.js"></script></body></html>"""
CARD = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123", "postal": "12345"}


class Shopfront:
    """The page, and what it says. problems: messages of its console and uncaught errors, but for refused requests.

    origin: of a page that somebody else serves. locale: of the browser.
    """

    def __init__(
        self,
        browser: Browser,
        server: Running,
        script: bytes,
        *,
        head: str = "",
        policy: str = POLICY,
        origin: str = ORIGIN,
        locale: str = "en-US",
    ) -> None:
        self.server, self.problems = server, []
        self._script, self._head, self._policy, self._origin = script, head, policy, origin
        key = {"Authorization": f"Bearer {server.key}"}
        self._server = httpx.Client(base_url=server.url, headers=key, timeout=30)
        self.context = browser.new_context(viewport={"width": 900, "height": 800}, locale=locale)
        if origin == ORIGIN:
            self.context.route(f"{origin}/**", self._serve)
        route_stripe(self.context, server.url)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught {error}"))

    problems: list[str]

    def __enter__(self) -> Shopfront:
        return self

    def __exit__(self, *problem: object) -> None:
        self.context.unroute_all(behavior="ignoreErrors")  # frames may still be loading
        self.context.close()
        self._server.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and message.text.startswith("Failed to load resource"):
            return  # Chromium says so of every answer of 402, from whatever server
        if "Download the React DevTools" not in message.text:
            self.problems.append(f"{message.type} {message.text}")

    def _serve(self, route: Route) -> None:
        if route.request.url.startswith(f"{self._origin}/app.js"):
            route.fulfill(body=self._script, content_type="text/javascript")
        elif route.request.url.endswith("/favicon.ico"):
            route.fulfill(status=204)
        else:
            headers = {"Content-Security-Policy": self._policy}
            route.fulfill(body=PAGE.format(head=self._head), content_type="text/html", headers=headers)

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        """What the API answers to the shop's server."""
        return self._said(self._server.post(path, data=dict(form(params))))

    def get(self, path: str) -> dict[str, Any]:
        return self._said(self._server.get(path))

    def _said(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def intent(self, **params: Any) -> dict[str, Any]:
        """A new PaymentIntent that takes cards."""
        given = {"amount": 2000, "currency": "usd", "allowed_payment_method_types": ["card"], **params}
        return self.post("/v1/payment_intents", **given)

    def setup(self, **params: Any) -> dict[str, Any]:
        return self.post("/v1/setup_intents", **{"allowed_payment_method_types": ["card"], **params})

    def open(self, **asked: Any) -> None:
        """Show the application, and forget what the page said before. asked: what stands in its address."""
        self.problems.clear()
        given = json.dumps({"key": self.server.publishable_key, **asked})
        self.page.goto("about:blank")
        self.page.goto(f"{self._origin}/#{quote(given)}")

    def frame(self, title: str) -> Any:
        return self.page.frame_locator(f'iframe[title="{title}"]')

    def type_card(self, **typed: str) -> None:
        """Fill in the card Element."""
        frame = self.frame("Secure card payment input frame")
        for field, name in (("number", "cardnumber"), ("expiry", "exp-date"), ("cvc", "cvc"), ("postal", "postal")):
            frame.locator(f'[name="{name}"]').fill({**CARD, **typed}[field])

    def pay(self) -> None:
        self.page.get_by_role("button", name="Pay").click()

    def result(self) -> dict[str, Any]:
        """What the application was told."""
        shown = self.page.locator("#result")
        expect(shown).not_to_be_empty()
        said: dict[str, Any] = json.loads(shown.text_content() or "")
        return said

    def bank(self) -> Any:
        """The bank's page of 3-D Secure, as other people's tests find it."""
        return self.page.frame_locator('iframe[name^="__privateStripeFrame"]').first.frame_locator(
            'iframe[name="stripe-challenge-frame"]'
        )

    def frames(self) -> list[Frame]:
        return self.page.frames
