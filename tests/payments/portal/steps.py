"""Steps that several tests of portal share."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from tests.payments.checkout.steps import fill, path_of, session
from tests.payments.subscriptions.steps import DAY, advance, clocked, current, ok, plan
from tests.support.api import NOW, Answer, Api


def opened(api: Api, **rules: Any) -> tuple[str, str]:
    """A portal in which cancelling follows these rules: its path, and the id of the one subscription there."""
    made = session(api, "subscription")
    fill(api, path_of(made))
    customer = api.get(f"/v1/checkout/sessions/{made['id']}")["customer"]
    features = {"subscription_cancel": {"enabled": True, **rules}}
    configuration = api.ok("POST", "/v1/billing_portal/configurations", features=features)["id"]
    portal = api.ok("POST", "/v1/billing_portal/sessions", customer=customer, configuration=configuration)
    return path_of(portal), str(api.get("/v1/subscriptions")["data"][0]["id"])


def linked(page: Answer, text: str) -> str:
    """Where the link of that text leads."""
    found = re.search(f'href="([^"]*)">{text}</a>', page.body.decode())
    assert found, page.body
    return unescape(found[1])


def look(api: Api, address: str) -> Answer:
    path, _, query = address.partition("?")
    return api.send("GET", path, key=None, query=query)


def confirm(api: Api, address: str, **fields: str) -> Answer:
    """Open the question and answer yes, as its form does."""
    page = look(api, address)
    form = re.search(
        r'<form method="post" action="([^"]+)"><input type="hidden" name="subscription" value="([^"]+)">',
        page.body.decode(),
    )
    assert form, page.body
    body = "&".join([f"subscription={form[2]}", *(f"{name}={value}" for name, value in fields.items())])
    return api.send("POST", form[1], key=None, body=body.encode())


HALF = NOW + 31 * DAY // 2
BACK = "https://shop.example/back"


class Portal:
    """A customer with a subscription at 10 dollars in the middle of its month, and a portal that offers 20 dollars and
    5 dollars.
    """

    def __init__(self, api: Api, quantity: int = 1, **rules: Any) -> None:
        self.api = api
        self.clock, self.who = clocked(api)
        self.cheap, self.dear, self.less, self.year = (
            plan(api),
            plan(api, 2000),
            plan(api, 500),
            plan(api, 9000, interval="year"),
        )
        items = [{"price": self.cheap, "quantity": quantity}]
        self.sub = ok(api, "POST", "/v1/subscriptions", customer=self.who, items=items)
        self.item = self.sub["items"]["data"][0]["id"]
        prices = (self.cheap, self.dear, self.less, self.year)
        products = [{"product": api.get(f"/v1/prices/{price}")["product"], "prices": [price]} for price in prices]
        update = {
            "enabled": True,
            "default_allowed_updates": ["price", "quantity", "promotion_code"],
            "products": products,
            "proration_behavior": "always_invoice",
            **rules,
        }
        features = {
            "subscription_update": update,
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": True},
        }
        made = ok(api, "POST", "/v1/billing_portal/configurations", features=features)
        self.configuration = made["id"]
        advance(api, self.clock, HALF)

    def open(self, **params: Any) -> str:
        path = "/v1/billing_portal/sessions"
        made = ok(
            self.api, "POST", path, customer=self.who, configuration=self.configuration, return_url=BACK, **params
        )
        return path_of(made)

    def look(self, path: str) -> str:
        path, _, query = path.partition("?")
        return self.api.send("GET", path, key=None, query=query).body.decode()

    def send(self, path: str, **typed: Any) -> Answer:
        return self.api.send("POST", path, key=None, body=urlencode(typed).encode())

    def now(self) -> Answer:
        return current(self.api, self.sub["id"])
