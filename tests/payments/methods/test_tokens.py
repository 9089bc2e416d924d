"""Tokens: card, bank or personal data, exchanged for something that may be passed around, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import connected


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


DEBIT = {**CARD, "number": "4000056655665556", "currency": "usd"}
#: Kind of token -> what it is made of.
KINDS: dict[str, dict[str, object]] = {
    "credit card": {"card": CARD},
    "debit card": {"card": DEBIT},
    "bank account": {"bank_account": BANK},
    "personal data": {"pii": {"id_number": "000000000"}},
    "account": {"account": {"business_type": "company", "company": {"name": "Rocket Rides"}}},
    "person": {"person": {"first_name": "Jane"}},
    "security code": {"cvc_update": {"cvc": "123"}},
}


def _of_customer(api: Api, token: str) -> Answer:
    return api.post(f"/v1/customers/{api.ok('POST', '/v1/customers')['id']}/sources", source=token)


def _of_account(api: Api, token: str) -> Answer:
    return api.post(f"/v1/accounts/{connected(api)['id']}/external_accounts", external_account=token)


def _person(api: Api, token: str) -> Answer:
    account = api.ok("POST", "/v1/accounts", type="custom", country="US", business_type="company")["id"]
    return api.post(f"/v1/accounts/{account}/persons", person_token=token)


CARDS = ("credit card", "debit card")
#: What a token is used for -> how, and the kinds that are taken.
USES: dict[str, tuple[Callable[[Api, str], Answer], tuple[str, ...]]] = {
    "a charge": (lambda api, token: api.post("/v1/charges", amount=100, currency="usd", source=token), CARDS),
    "a new customer": (lambda api, token: api.post("/v1/customers", source=token), (*CARDS, "bank account")),
    "a source of a customer": (_of_customer, (*CARDS, "bank account")),
    "a source": (lambda api, token: api.post("/v1/sources", type="card", token=token), CARDS),
    "a payment method": (
        lambda api, token: api.post("/v1/payment_methods", type="card", card={"token": token}),
        CARDS,
    ),
    "an external account": (_of_account, ("debit card", "bank account")),
    "an account": (
        lambda api, token: api.post("/v1/accounts", type="custom", country="US", account_token=token),
        ("account",),
    ),
    "a person": (_person, ("person",)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", USES)
def test_a_token_is_used_once_and_for_what_it_holds(api: Api, use: str, kind: str) -> None:
    act, kinds = USES[use]
    token = api.ok("POST", "/v1/tokens", **KINDS[kind])["id"]
    first = act(api, token)
    assert (first.status == 200) == (kind in kinds), first
    if kind in kinds:
        assert api.get(f"/v1/tokens/{token}")["used"] is True
        again = act(api, token)
        assert (again.status, again.error["code"]) == (400, "token_already_used")
        assert again.error["message"] == f"You cannot use a Stripe token more than once: {token}."
    else:
        assert (first.status, first.error["type"]) in ((400, "invalid_request_error"), (402, "card_error"))
        assert api.get(f"/v1/tokens/{token}")["used"] is False


@pytest.mark.parametrize("use", USES)
def test_an_unknown_token_is_not_found(api: Api, use: str) -> None:
    act, _ = USES[use]
    assert act(api, "tok_1NowhereNowhere").error["code"] == "resource_missing"


def test_a_bank_account_is_not_copied_of_a_payment_method(api: Api) -> None:
    bank = {"account_number": "000123456789", "country": "US", "payment_method": "pm_1"}
    refused = api.post("/v1/tokens", bank_account=bank)
    assert (refused.status, refused.error["param"]) == (400, "bank_account[payment_method]")
