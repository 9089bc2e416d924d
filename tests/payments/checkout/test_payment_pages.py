"""Paying a session on a shop's own page: what is asked for first, challenges, and what is paid."""

from __future__ import annotations

import pytest

from tests.payments.checkout.steps import again, changed, line, method, own, sent
from tests.support.api import Api

CHALLENGED = "4000002760003184"


def test_a_card_pays_what_the_page_showed(api: Api) -> None:
    made = own(api)
    changed(api, made, email="jo@shop.example")
    other = sent(api, made, "/confirm", payment_method=method(api), expected_amount=1)
    assert (other.status, other.error["code"]) == (400, "checkout_amount_mismatch")
    paid = sent(api, made, "/confirm", payment_method=method(api), expected_amount=3000)
    assert (paid.status, paid["intent"]) == (200, None)
    assert paid["checkout"]["status"] == {"type": "complete", "paymentStatus": "paid"}
    assert again(api, made)["payment_status"] == "paid"


def test_an_email_is_asked_for_first(api: Api) -> None:
    made = own(api)
    refused = sent(api, made, "/confirm", payment_method=method(api))
    assert "collects an email address" in refused.error["message"]
    assert sent(api, made, "/confirm", payment_method=method(api, email="jo@shop.example")).status == 200


def test_a_decline_leaves_it_open_and_is_told(api: Api) -> None:
    made = own(api, customer_email="jo@shop.example")
    declined = sent(api, made, "/confirm", payment_method=method(api, "4000000000000002"))
    assert (declined.status, declined.error["decline_code"]) == (402, "generic_decline")
    shown = sent(api, made, "/init")["checkout"]
    assert (shown["status"], shown["lastPaymentError"]["message"]) == ({"type": "open"}, "Your card was declined.")


@pytest.mark.parametrize("mode", ["payment", "subscription", "setup"])
def test_a_challenge_is_told_with_its_intent(api: Api, mode: str) -> None:
    lines = {"line_items": [line(recurring={"interval": "month"})]} if mode == "subscription" else {}
    if mode == "setup":
        lines = {"line_items": [], "currency": "usd"}
    made = own(api, mode, customer_email="jo@shop.example", **lines)
    waiting = sent(api, made, "/confirm", payment_method=method(api, CHALLENGED))["intent"]
    assert waiting["type"] == ("setup_intent" if mode == "setup" else "payment_intent")
    assert "/3ds" in waiting["next_action"]["redirect_to_url"]["url"]
    path = f"/v1/{waiting['type']}s/{waiting['client_secret'].partition('_secret_')[0]}"
    assert api.ok("GET", path, key=api.pk, client_secret=waiting["client_secret"])["status"] == "requires_action"


def test_a_free_session_needs_no_payment_method(api: Api) -> None:
    made = own(api, customer_email="jo@shop.example", line_items=[line(amount=0)])
    assert sent(api, made, "/confirm")["checkout"]["status"]["paymentStatus"] == "no_payment_required"


def test_a_method_is_saved_if_the_session_offers_that(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jo@shop.example")["id"]
    kept = []
    for offered in ({}, {"saved_payment_method_options": {"payment_method_save": "enabled"}}):
        made = own(api, customer=customer, **offered)
        sent(api, made, "/confirm", payment_method=method(api), save_payment_method=True)
        kept.append(len(api.ok("GET", f"/v1/customers/{customer}/payment_methods")["data"]))
    assert kept == [0, 1]


def test_the_session_for_the_cli_s_fixtures_is_answered_as_before(api: Api) -> None:
    made = api.ok(
        "POST", "/v1/checkout/sessions", mode="payment", success_url="https://shop.example", line_items=[line()]
    )
    assert api.ok("GET", f"/v1/payment_pages/{made['id']}")["object"] == "checkout.session"
    paid = api.ok(
        "POST", f"/v1/payment_pages/{made['id']}/confirm", payment_method="pm_card_visa", expected_amount=3000
    )
    assert (paid["object"], paid["status"]) == ("checkout.session", "complete")
