"""The hosted page at work: what was typed on it, step by step, without a script."""

from __future__ import annotations

import pytest

from tests.payments.checkout.steps import again, fill, path_of, post, session
from tests.payments.tax.steps import register
from tests.support.api import Api


def test_a_refusal_is_shown_next_to_its_field_and_the_session_stays_open(api: Api) -> None:
    made = session(api)
    refused = fill(api, path_of(made), "4000000000000002")
    assert refused.status == 402
    assert b'id="number-error"' in refused.body
    assert b"4000000000000002" not in refused.body
    assert b"Jo Li" in refused.body
    assert b'id="cvc-error"' in fill(api, path_of(made), "4000000000000127").body
    assert b'id="expiry-error"' in fill(api, path_of(made), expiry="12/20").body
    assert again(api, made)["status"] == "open"
    assert len(api.events("payment_intent.created")) == 1
    assert fill(api, path_of(made)).status == 303


@pytest.mark.parametrize("field", ["name", "email", "line1", "country", "promotion_code", "quantity", "saved"])
def test_what_is_typed_is_a_text_and_nothing_else(api: Api, field: str) -> None:
    """A hash in place of a name would stand in the business's charges, where its programs read a text."""
    made = session(api, allow_promotion_codes=True)
    path = {"promotion_code": "/promotion", "quantity": "/order", "saved": "/remove"}.get(field, "")
    for inside in (f"{field}[a][b]", f"{field}[a][]", f"{field}[][b]"):
        refused = post(api, path_of(made) + path, **{inside: "x"})
        assert (refused.status, refused.headers["content-type"]) == (400, "text/html; charset=utf-8"), inside
    assert again(api, made)["status"] == "open"
    assert api.events("payment_intent.created") == []


def test_a_form_that_contradicts_itself_is_refused_on_a_page(api: Api) -> None:
    refused = fill(api, path_of(session(api)), **{"name[a]": "x"})
    assert (refused.status, b"<h1>This did not work</h1>" in refused.body) == (400, True)


def test_a_challenge_is_gone_to_and_completes_the_session(api: Api) -> None:
    made = session(api)
    challenge = fill(api, path_of(made), "4000002760003184")
    path = challenge.headers["location"].partition("8420")[2]
    failed = api.send("POST", path + "/fail", key=None)
    back = failed.headers["location"].partition("8420")[2]
    shown = api.send("GET", back.partition("?")[0], key=None, query=back.partition("?")[2])
    assert b"could not authenticate" in shown.body
    challenge = fill(api, path_of(made), "4000002760003184")
    api.send("POST", challenge.headers["location"].partition("8420")[2] + "/complete", key=None)
    assert again(api, made)["status"] == "complete"
    assert api.send("GET", path_of(made) + "/return", key=None).headers["refresh"].endswith(made["id"])


def test_a_promotion_code_is_taken_on_the_page(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")
    api.ok("POST", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon["id"]}, code="HALF")
    made = session(api, allow_promotion_codes=True)
    wrong = api.send("POST", path_of(made) + "/promotion", key=None, body=b"promotion_code=NO")
    assert b"This code is invalid." in wrong.body
    assert api.send("POST", path_of(made) + "/promotion", key=None, body=b"promotion_code=HALF").status == 303
    assert again(api, made)["amount_total"] == 1500
    assert fill(api, path_of(made)).status == 303
    assert api.get(f"/v1/payment_intents/{again(api, made)['payment_intent']}")["amount"] == 1500


def test_a_total_that_changed_is_shown_before_it_is_charged(api: Api) -> None:
    register(api, "US", state="CA", type="state_sales_tax")
    made = session(api, automatic_tax={"enabled": True})
    post(api, path_of(made) + "/address", email="a@b.example", country="US", postal_code="10001")
    changed = fill(api, path_of(made), shown_total="3000")  # the card lives in California
    assert changed.status == 402
    assert "The total has changed" in changed.body.decode()
    assert again(api, made)["amount_total"] == 3218
    assert api.events("payment_intent.created") == []


ATTEMPTS = 10


def test_a_checkout_page_takes_no_further_code_after_ten_wrong_ones(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=50, duration="once")["id"]
    api.ok("POST", "/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, code="HALF")
    items = [{"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tea"}}, "quantity": 1}]
    made = api.ok(
        "POST",
        "/v1/checkout/sessions",
        mode="payment",
        line_items=items,
        allow_promotion_codes=True,
        success_url="https://example.com",
    )
    path = "/" + made["url"].split("/", 3)[3].partition("#")[0] + "/promotion"
    for number in range(ATTEMPTS):
        assert b"This code is invalid." in api.post(path, key=None, promotion_code=f"GUESS{number}").body
    assert b"Too many codes" in api.post(path, key=None, promotion_code="HALF").body
    assert api.get(f"/v1/checkout/sessions/{made['id']}")["amount_total"] == 500
