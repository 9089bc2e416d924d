"""Issuing authorizations: a purchase with an issued card that asks for money."""

from __future__ import annotations

from tests.payments.issuing.steps import balance, fund, issued
from tests.support.api import Api
from tests.support.openapi import assert_valid

HELP = "/v1/test_helpers/issuing"


def test_an_approved_authorization_holds_money_until_it_is_captured(api: Api) -> None:
    card = issued(api)
    fund(api)
    made = api.ok("POST", HELP + "/authorizations", card=card["id"], amount=400, currency="usd")
    assert_valid("POST", HELP + "/authorizations", 200, made)
    assert (made["approved"], balance(api)) == (True, 600)
    done = api.ok("POST", f"{HELP}/authorizations/{made['id']}/capture", capture_amount=300)
    assert_valid("POST", HELP + "/authorizations/{a}/capture", 200, done)
    assert (done["status"], balance(api), done["transactions"][0]["amount"]) == ("closed", 700, -300)
    back = api.ok("POST", f"{HELP}/transactions/{done['transactions'][0]['id']}/refund", refund_amount=100)
    assert_valid("POST", HELP + "/transactions/{t}/refund", 200, back)
    assert balance(api) == 800


def test_an_inactive_card_or_an_empty_balance_refuses(api: Api) -> None:
    card = issued(api, "inactive")
    refused = api.ok("POST", HELP + "/authorizations", card=card["id"], amount=400)
    assert (refused["approved"], refused["request_history"][0]["reason"]) == (False, "card_inactive")
    api.ok("POST", f"/v1/issuing/cards/{card['id']}", status="active")
    refused = api.ok("POST", HELP + "/authorizations", card=card["id"], amount=400)
    assert (refused["status"], refused["request_history"][0]["reason"]) == ("closed", "insufficient_funds")


def test_a_request_waits_two_seconds_for_an_answer(api: Api) -> None:
    card = issued(api)
    fund(api)
    asked = api.ok(
        "POST", f"/v1/issuing/cards/{card['id']}/test/authorizations", held_amount=100, authorization_method="online"
    )
    assert asked["pending_request"]["amount"] == 100
    approved = api.ok("POST", f"/v1/issuing/authorizations/{asked['id']}/approve")
    assert_valid("POST", "/v1/issuing/authorizations/{a}/approve", 200, approved)
    assert (approved["approved"], balance(api)) == (True, 900)
    assert api.post(f"/v1/issuing/authorizations/{asked['id']}/approve").status == 400
    late = api.ok("POST", f"/v1/issuing/cards/{card['id']}/test/authorizations", held_amount=100)
    api.advance(2)
    assert api.get(f"/v1/issuing/authorizations/{late['id']}")["request_history"][0]["reason"] == "webhook_timeout"


def test_reversing_and_expiring_give_the_hold_back(api: Api) -> None:
    card = issued(api)
    fund(api)
    one, two = (api.ok("POST", HELP + "/authorizations", card=card["id"], amount=100) for _ in range(2))
    assert api.ok("POST", f"{HELP}/authorizations/{one['id']}/reverse")["status"] == "reversed"
    assert api.ok("POST", f"{HELP}/authorizations/{two['id']}/increment", increment_amount=50)["amount"] == 150
    assert api.ok("POST", f"{HELP}/authorizations/{two['id']}/expire")["status"] == "expired"
    assert balance(api) == 1000
