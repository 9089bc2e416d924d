"""Tokens: card, bank or personal data, exchanged for something that may be passed around, once."""

from __future__ import annotations

from tests.support.api import Api


def test_the_oldest_versions_see_a_tokens_card_without_a_customer(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030}
    assert api.post("/v1/tokens", headers={"Stripe-Version": "2014-12-08"}, card=card)["card"]["customer"] is None
    assert "customer" not in api.post("/v1/tokens", card=card)["card"]


def test_a_token_can_be_used_once(api: Api) -> None:
    token = api.ok(
        "post", "/v1/tokens", card={"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    )
    api.ok("post", "/v1/customers", source=token["id"])
    again = api.post("/v1/customers", source=token["id"])
    assert (again.status, again.error["code"]) == (400, "token_already_used")
    assert again.error["message"] == f"You cannot use a Stripe token more than once: {token['id']}."


CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}
BANK = {"country": "US", "currency": "usd", "account_number": "000123456789", "routing_number": "110000000"}


def test_a_token_holds_one_thing(api: Api) -> None:
    both = api.post("/v1/tokens", card=CARD, bank_account=BANK)
    assert (both.status, both.error["code"]) == (400, "parameters_exclusive")
    assert api.post("/v1/tokens").status == 400
    assert api.ok("POST", "/v1/tokens", bank_account=BANK)["type"] == "bank_account"


def test_a_token_says_whether_it_was_used(api: Api) -> None:
    token = api.ok("POST", "/v1/tokens", card=CARD)
    assert (token["used"], token["type"], token["card"]["last4"]) == (False, "card", "4242")
    api.ok("POST", "/v1/customers", source=token["id"])
    assert api.get(f"/v1/tokens/{token['id']}")["used"] is True
