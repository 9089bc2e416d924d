"""Parameters in the URL of a payment link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.payments.checkout.steps import LINKS, fill, price
from tests.support.api import Answer, Api
from tollkey.payments.checkout import link_parameters


def link(api: Api, **more: object) -> str:
    """Create a link, and return the path of its URL."""
    made = api.ok("POST", LINKS, line_items=[{"price": price(api), "quantity": 1}], **more)
    return str(made["url"].partition("8420")[2])


def enter(api: Api, path: str, **given: str) -> tuple[str, Answer]:
    """Open a link with parameters, continue, and return the path of the session's page and the session."""
    shown = api.send("GET", path, key=None, query=urlencode(given))
    assert shown.status == 200
    inputs = dict(link_parameters.usable(given))
    assert all(f'name="{name}" value="{value}"'.encode() in shown.body for name, value in inputs.items())
    page = api.send("POST", path, key=None, body=urlencode(inputs).encode()).headers["location"].partition("8420")[2]
    return page, api.get("/v1/checkout/sessions", limit=1)["data"][0]


def test_a_reference_and_a_locked_address_stand_in_the_session(api: Api) -> None:
    page, session = enter(
        api, link(api), client_reference_id="user_42-a", locked_prefilled_email="jenny@example.com", locale="de"
    )
    assert session["client_reference_id"] == "user_42-a"
    assert session["customer_email"] == "jenny@example.com"
    assert session["locale"] == "de"
    shown = api.send("GET", page, key=None).body
    assert b'name="email"' not in shown
    assert b"jenny@example.com" in shown
    assert b'lang="de"' in shown


def test_a_prefilled_address_can_be_changed(api: Api) -> None:
    page, session = enter(api, link(api), prefilled_email="jenny@example.com")
    assert session["customer_email"] is None
    assert b'name="email" value="jenny@example.com"' in api.send("GET", page, key=None).body
    assert b"Payment complete" in fill(api, page, email="other@example.com").body
    assert api.get(f"/v1/checkout/sessions/{session['id']}")["customer_details"]["email"] == "other@example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_reference_id", "with space"),
        ("client_reference_id", "x" * 201),
        ("client_reference_id", "<b>"),
        ("locale", "xx"),
        ("locale", "auto"),
        ("locked_prefilled_email", "nobody"),
        ("prefilled_email", "a@b"),
        ("prefilled_email", f"{'x' * 510}@example.com"),
        ("prefilled_promo_code", "x" * 501),
        ("utm_source", "a b"),
        ("utm_source", "x" * 151),
    ],
)
def test_a_value_that_cannot_be_used_is_left_out_and_the_link_works(api: Api, name: str, value: str) -> None:
    _, session = enter(api, link(api, allow_promotion_codes=True), **{name: value})
    given: dict[str, Any] = {name: session[name] for name in ("client_reference_id", "customer_email", "locale")}
    assert given == {"client_reference_id": None, "customer_email": None, "locale": None}
    assert session["discounts"] == []


def test_a_promotion_code_is_applied_where_the_link_takes_some(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=20)
    promotion = {"type": "coupon", "coupon": coupon["id"]}
    code = api.ok("POST", "/v1/promotion_codes", promotion=promotion, code="SAVE20")
    path = link(api, allow_promotion_codes=True)
    page, session = enter(api, path, prefilled_promo_code="save20")
    assert session["discounts"] == [{"coupon": None, "promotion_code": code["id"]}]
    assert session["amount_total"] == 1200
    assert b"SAVE20" in api.send("GET", page, key=None).body
    assert enter(api, path, prefilled_promo_code="OTHER")[1]["amount_total"] == 1500
    assert enter(api, link(api), prefilled_promo_code="SAVE20")[1]["amount_total"] == 1500


def test_the_marks_of_a_campaign_come_along_to_where_the_customer_returns(api: Api) -> None:
    back = {"type": "redirect", "redirect": {"url": "https://example.com/thanks?a=1#top"}}
    _, session = enter(api, link(api, after_completion=back), utm_source="mail", utm_campaign="fall-26")
    assert session["success_url"] == "https://example.com/thanks?a=1&utm_campaign=fall-26&utm_source=mail#top"
    _, session = enter(api, link(api, after_completion=back))
    assert session["success_url"] == "https://example.com/thanks?a=1#top"
