"""Checkout Sessions: a page that takes a payment, starts a subscription, or saves a payment method."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.checkout.steps import DONE, again, fill, path_of, price, session
from tests.support.api import Api
from tests.support.openapi import assert_valid

URL = "/v1/checkout/sessions"


def test_a_session_expires_by_hand_or_after_a_day(api: Api) -> None:
    one, two = session(api), session(api)
    expired = api.ok("POST", f"{URL}/{one['id']}/expire")
    assert_valid("POST", URL + "/{session}/expire", 200, expired)
    assert api.post(f"{URL}/{one['id']}/expire").status == 400
    api.advance(86_400)
    assert again(api, two)["status"] == "expired"
    assert len(api.events("checkout.session.expired")) == 2


def test_line_items_are_listed_and_expanded(api: Api) -> None:
    made = session(api, expand=["line_items"])
    items = api.ok("GET", f"{URL}/{made['id']}/line_items")
    assert_valid("GET", URL + "/{session}/line_items", 200, items)
    assert items["data"] == made["line_items"]["data"]
    assert items["data"][0]["amount_total"] == 3000
    assert_valid("GET", URL, 200, api.ok("GET", URL, status="open"))


def test_older_versions_call_the_hosted_page_hosted(api: Api) -> None:
    made = session(api)
    old = api.ok("GET", f"{URL}/{made['id']}", headers={"Stripe-Version": "2025-01-27.acacia"})
    assert (made["ui_mode"], old["ui_mode"], old["shipping_details"]) == ("hosted_page", "hosted", None)


def test_a_card_that_the_customer_saved_the_old_way_pays_a_session(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jo@shop.example", source="tok_visa")
    made = session(api, customer=customer["id"])
    paid = api.ok("POST", f"/v1/payment_pages/{made['id']}/confirm", payment_method=customer["default_source"])
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")


def test_a_saved_bank_account_does_not_pay_a_session(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jo@shop.example", source="btok_us_verified")
    made = session(api, customer=customer["id"])
    answer = api.post(f"/v1/payment_pages/{made['id']}/confirm", payment_method=customer["default_source"])
    assert (answer.status, answer["error"]["code"]) == (400, "resource_missing")


def test_a_change_of_the_lines_names_all_of_them(api: Api) -> None:
    kept, gone = price(api), price(api)
    lines = [{"price": kept, "quantity": 1}, {"price": gone, "quantity": 2}]
    made = session(api, line_items=lines)
    old = api.get(f"{URL}/{made['id']}/line_items")["data"]
    new = [{"id": old[0]["id"], "quantity": 3}, {"price": gone, "quantity": 1}]
    assert api.ok("POST", f"{URL}/{made['id']}", line_items=new)["amount_total"] == 4 * 1500
    api.ok("POST", f"{URL}/{made['id']}", line_items=[{"price": kept, "quantity": 1}])
    found = api.get(f"{URL}/{made['id']}/line_items")["data"]
    assert [(one["price"]["id"], one["quantity"]) for one in found] == [(kept, 1)]


@pytest.mark.parametrize("status", ["open", "complete", "expired"])
def test_only_an_open_session_expires(api: Api, status: str) -> None:
    made = session(api)
    if status == "complete":
        assert fill(api, path_of(made)).status == 303
    elif status == "expired":
        api.ok("POST", f"{URL}/{made['id']}/expire")
    answer = api.post(f"{URL}/{made['id']}/expire")
    assert answer.status == (200 if status == "open" else 400)
    if status != "open":
        assert answer.error["message"] == (
            'Only Checkout Sessions with a status in ["open"] can be expired.'
            f" This Checkout Session has a status of {status}."
        )


@pytest.mark.parametrize("path", [URL, "/v1/payment_links"])
def test_a_currency_is_one_that_can_be_charged(api: Api, path: str) -> None:
    body = {"mode": "payment", "success_url": DONE} if path == URL else {}
    refused = api.post(path, **body, line_items=[{"price": price(api), "quantity": 1}], currency="xxx")
    assert (refused.status, refused.error["param"]) == (400, "currency")
    assert refused.error["message"].startswith("Invalid currency: xxx.")


def recurring(api: Api, interval: str = "month") -> str:
    return price(api, recurring={"interval": interval})


@pytest.mark.parametrize(
    ("mode", "lines", "param", "words"),
    [
        ("payment", lambda api: [recurring(api)], "line_items[0][price]", "passed a recurring price"),
        ("subscription", lambda api: [price(api)], "line_items", "at least one recurring price"),
        (
            "subscription",
            lambda api: [recurring(api), recurring(api, "year")],
            "line_items",
            "Checkout does not support multiple prices with different billing intervals.",
        ),
        ("subscription", lambda api: [recurring(api)] * 2, "line_items[1][price]", "with the same Price"),
        ("payment", lambda api: [price(api, unit_amount=10)], None, "must add up to at least $0.50 USD"),
        ("setup", lambda api: [price(api)], "line_items", "You can not pass `line_items` in `setup` mode."),
    ],
)
def test_a_session_has_lines_of_its_mode_when_it_is_made_and_when_it_is_changed(
    api: Api, mode: str, lines: Any, param: str | None, words: str
) -> None:
    given = [{"price": one, "quantity": 1} for one in lines(api)]
    currency = {"currency": "usd"} if mode == "setup" else {}
    made = session(api, mode, **currency)
    new = {"mode": mode, "success_url": DONE, "line_items": given, **currency}
    for refused in (api.post(URL, **new), api.post(f"{URL}/{made['id']}", line_items=given)):
        assert (refused.status, refused.error.get("param")) == (400, param)
        assert words in refused.error["message"]
    kept = {name: value for name, value in again(api, made).items() if name != "request_id"}
    assert kept == dict(made)


@pytest.mark.parametrize("intervals", [("month", "year"), ("week", "month")])
def test_a_payment_link_has_one_interval(api: Api, intervals: tuple[str, str]) -> None:
    lines = [{"price": recurring(api, interval), "quantity": 1} for interval in intervals]
    refused = api.post("/v1/payment_links", line_items=lines)
    assert (refused.status, refused.error["param"]) == (400, "line_items")
