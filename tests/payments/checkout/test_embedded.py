"""Embedded Checkout: Stripe.js asks for the page of a session, and shows it in a frame."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api

LINE = {"price_data": {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Tea"}}, "quantity": 1}


def embedded(api: Api, **params: Any) -> Answer:
    return api.ok(
        "POST", "/v1/checkout/sessions", mode="payment", line_items=[LINE], ui_mode="embedded_page",
        **{"return_url": "https://shop.example/done?{CHECKOUT_SESSION_ID}", **params},
    )  # fmt: skip


def begun(api: Api, session: Answer) -> Answer:
    return api.ok("POST", f"/v1/payment_pages/{session['id']}/init", key=api.pk, client_secret=session["client_secret"])


def page_of(api: Api, session: Answer) -> str:
    url: str = begun(api, session)["url"]
    return url.removeprefix(api.core.setup.base_url)


def test_its_page_may_be_framed_and_leads_nowhere(api: Api) -> None:
    session = embedded(api)
    page = api.get(page_of(api, session), key=None)
    assert (page.status, "frame-ancestors" in page.headers["content-security-policy"]) == (200, False)
    assert b"shop.example" not in page.body


def test_the_page_of_another_session_may_not_be_framed(api: Api) -> None:
    session = api.ok(
        "POST", "/v1/checkout/sessions", mode="payment", line_items=[LINE], success_url="https://shop.example"
    )
    page = api.get(session["url"].removeprefix(api.core.setup.base_url), key=None)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_a_payment_on_it_shows_the_result_in_the_frame(api: Api) -> None:
    session = embedded(api)
    card = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123", "name": "Jenny", "email": "j@example.com"}
    done = api.post(page_of(api, session), key=None, method="card", country="US", postal_code="12345", **card)
    assert (done.status, done.headers.get("refresh")) == (200, None)
    assert api.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "complete"


def test_its_challenge_stays_in_the_frame(api: Api) -> None:
    session = embedded(api)
    card = {"number": "4000002760003184", "expiry": "12/34", "cvc": "123", "name": "Jenny", "email": "j@example.com"}
    step = api.post(page_of(api, session), key=None, method="card", country="US", postal_code="12345", **card)
    assert (step.status, step.headers["location"].startswith("/3ds/")) == (303, True)
    path, _, query = step.headers["location"].partition("?")
    challenge = api.send("GET", path, key=None, query=query)
    assert "frame-ancestors" not in challenge.headers["content-security-policy"]


@pytest.mark.parametrize("secret", ["wrong", "{id}_secret_wrong"])
def test_a_wrong_client_secret_shows_nothing(api: Api, secret: str) -> None:
    session = embedded(api)
    sent = secret.replace("{id}", session["id"])
    answer = api.post(f"/v1/payment_pages/{session['id']}/init", key=api.pk, client_secret=sent)
    assert (answer.status, answer.error["param"]) == (400, "client_secret")


def test_a_browser_needs_the_client_secret(api: Api) -> None:
    answer = api.post(f"/v1/payment_pages/{embedded(api)['id']}/init", key=api.pk)
    assert (answer.status, answer.error["param"]) == (400, "client_secret")
