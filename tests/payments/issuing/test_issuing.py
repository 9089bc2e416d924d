"""Issued cards: authorizations, captures, refunds, disputes and their balance."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

HELP = "/v1/test_helpers/issuing"


def issued(api: Api, status: str = "active") -> Answer:
    terms = {"user_terms_acceptance": {"date": 1470266163, "ip": "91.121.146.224"}}
    person = {"first_name": "Jo", "last_name": "Li", "card_issuing": terms}
    billing = {
        "address": {
            "line1": "1 Main St",
            "city": "San Francisco",
            "state": "CA",
            "postal_code": "94111",
            "country": "US",
        }
    }
    holder = api.ok(
        "POST", "/v1/issuing/cardholders", name="Jo Li", type="individual", individual=person, billing=billing
    )
    assert_valid("POST", "/v1/issuing/cardholders", 200, holder)
    card = api.ok("POST", "/v1/issuing/cards", currency="usd", type="virtual", cardholder=holder["id"], status=status)
    assert_valid("POST", "/v1/issuing/cards", 200, card)
    return card


def balance(api: Api) -> int:
    return int(api.get("/v1/balance")["issuing"]["available"][0]["amount"])


def fund(api: Api, amount: int = 1000) -> None:
    api.ok("POST", HELP + "/fund_balance", amount=amount, currency="usd")


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


def test_spending_limits_refuse_what_is_above_them(api: Api) -> None:
    card = issued(api)
    fund(api, 100_000)
    over = api.ok("POST", HELP + "/authorizations", card=card["id"], amount=50_001)
    assert over["request_history"][0]["reason"] == "spending_controls"


def test_a_dispute_gives_money_back_and_losing_takes_it_again(api: Api) -> None:
    card = issued(api)
    bought = api.ok("POST", HELP + "/transactions/create_force_capture", card=card["id"], amount=100, currency="usd")
    assert_valid("POST", HELP + "/transactions/create_force_capture", 200, bought)
    evidence = {"reason": "fraudulent", "fraudulent": {"explanation": "losing_evidence"}}
    dispute = api.ok("POST", "/v1/issuing/disputes", transaction=bought["id"], evidence=evidence)
    assert_valid("POST", "/v1/issuing/disputes", 200, dispute)
    sent = api.ok("POST", f"/v1/issuing/disputes/{dispute['id']}/submit")
    assert_valid("POST", "/v1/issuing/disputes/{d}/submit", 200, sent)
    assert balance(api) == 0
    api.advance(10)
    assert (api.get(f"/v1/issuing/disputes/{dispute['id']}")["status"], balance(api)) == ("lost", -100)


def test_number_and_cvc_are_there_when_expanded_only(api: Api) -> None:
    card = issued(api)
    assert "number" not in card
    full = api.ok("GET", f"/v1/issuing/cards/{card['id']}", expand=["number", "cvc"])
    assert full["number"].endswith(card["last4"])
    assert len(full["cvc"]) == 3
