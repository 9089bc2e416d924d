"""Steps that several tests of checkout share."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid
from tests.support.recipes import CARD

URL = "/v1/checkout/sessions"
DONE = "https://shop.example/done?session={CHECKOUT_SESSION_ID}"
LINKS = "/v1/payment_links"
MONTHLY = {"recurring": {"interval": "month"}}
#: A field of ``custom_fields``.
FIELD = {"key": "engraving", "label": {"type": "custom", "custom": "Engraving"}, "type": "text"}
#: What is read of an image: its first bytes.
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
BACK = "https://shop.example/done?session={CHECKOUT_SESSION_ID}"
#: An address of a customer.
RESIDENCE = {"country": "US", "line1": "1 Main Street", "city": "San Francisco", "state": "CA", "postal_code": "94111"}
BROWSER = {"accept": "text/html,application/xhtml+xml"}


def line(amount: int = 1500, quantity: int = 2, currency: str = "usd", **more: Any) -> dict[str, Any]:
    data = {"currency": currency, "unit_amount": amount, "product_data": {"name": "T-shirt <b>"}, **more}
    return {"price_data": data, "quantity": quantity}


def session(api: Api, mode: str = "payment", **more: Any) -> Answer:
    lines = (
        {}
        if mode == "setup"
        else {"line_items": [line(**({"recurring": {"interval": "month"}} if mode == "subscription" else {}))]}
    )
    made = api.ok("POST", URL, **{"mode": mode, "success_url": DONE, **lines, **more})
    assert_valid("POST", URL, 200, made)
    return made


def path_of(made: Answer) -> str:
    return str(made["url"]).partition("8420")[2]


def fill(api: Api, path: str, number: str = "4242424242424242", **more: str) -> Answer:
    typed = {
        "method": "card", "email": "jo@shop.example", "number": number, "expiry": "12 / 34", "cvc": "123",
        "name": "Jo Li", "country": "US",
        "postal_code": "94111", **more,
    }  # fmt: skip
    return api.send("POST", path, key=None, body=urlencode(typed).encode(), headers=BROWSER)


def again(api: Api, made: Answer) -> Answer:
    found = api.ok("GET", f"{URL}/{made['id']}")
    assert_valid("GET", URL + "/{session}", 200, found)
    return found


def post(api: Api, path: str, **typed: Any) -> Answer:
    return api.send("POST", path, key=None, body=urlencode(typed).encode(), headers=BROWSER)


def page(api: Api, made: Answer) -> str:
    return api.send("GET", path_of(made), key=None).body.decode()


def price(api: Api, **more: Any) -> str:
    given = {"currency": "usd", "unit_amount": 1500, "product_data": {"name": "T-shirt"}, **more}
    return str(api.ok("post", "/v1/prices", **given)["id"])


def upload(api: Api, purpose: str, headers: dict[str, str] | None = None) -> Answer:
    """Upload an image."""
    fields = f'--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n--edge\r\n'
    head = fields + 'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    sent = {"content-type": "multipart/form-data; boundary=edge", **(headers or {})}
    return api.send("POST", "/v1/files", headers=sent, body=head.encode() + PNG + b"\r\n--edge--\r\n")


def own(api: Api, mode: str = "payment", **more: Any) -> Answer:
    """A session for the shop's own page."""
    return api.ok(
        "POST", "/v1/checkout/sessions",
        **{"mode": mode, "ui_mode": "elements", "return_url": BACK, "line_items": [line()], **more},
    )  # fmt: skip


def sent(api: Api, made: Answer, step: str = "", **params: Any) -> Answer:
    """What the page is answered."""
    path = f"/v1/payment_pages/{made['id']}{step}"
    return api.post(path, key=api.pk, client_secret=made["client_secret"], **params)


def changed(api: Api, made: Answer, **params: Any) -> Any:
    answer = sent(api, made, **params)
    assert answer.status == 200, answer.body
    return answer["checkout"]


def method(api: Api, number: str = CARD["number"], **billing: Any) -> str:
    card = {**CARD, "number": number}
    return str(api.ok("POST", "/v1/payment_methods", key=api.pk, type="card", card=card, billing_details=billing)["id"])
