"""Issuing authorizations: a purchase with an issued card that asks for money."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("name", ["currency", "merchant_currency"])
def test_a_purchase_is_in_a_currency_that_exists(api: Api, name: str) -> None:
    refused = api.post(HELP + "/authorizations", card=issued(api)["id"], amount=400, **{name: "xyz"})
    assert (refused.status, refused.error["param"]) == (400, name)


def test_an_approval_of_a_part_is_of_a_positive_amount_that_may_be_chosen(api: Api) -> None:
    path = f"/v1/issuing/cards/{issued(api)['id']}/test/authorizations"
    fund(api)
    asked = api.ok("POST", path, held_amount=100, is_amount_controllable=True)
    assert asked["pending_request"]["is_amount_controllable"] is True
    refused = api.post(f"/v1/issuing/authorizations/{asked['id']}/approve", amount=0)
    assert (refused.status, refused.error["param"]) == (400, "amount")
    approved = api.ok("POST", f"/v1/issuing/authorizations/{asked['id']}/approve", amount=40)
    assert (approved["amount"], approved["request_history"][0]["amount"], balance(api)) == (40, 40, 960)
    fixed = f"/v1/issuing/authorizations/{api.ok('POST', path, held_amount=100)['id']}/approve"
    assert api.post(fixed, amount=40).error["param"] == "amount"
    assert api.ok("POST", fixed)["amount"] == 100


def test_the_merchant_of_an_authorization_is_described_by_a_hash(api: Api) -> None:
    path = f"/v1/issuing/cards/{issued(api)['id']}/test/authorizations"
    refused = api.post(path, held_amount=100, merchant_data="tea")
    assert (refused.status, refused.error["param"]) == (400, "merchant_data")
    assert api.post(path, held_amount=100, authorization_method="tea").error["param"] == "authorization_method"
