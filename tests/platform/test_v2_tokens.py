"""Tokens of the v2 API: made in a browser, and named once by the platform's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tollkey.platform.v2_tokens import SECONDS

ACCOUNTS, ACCOUNT_TOKENS = "/v2/core/accounts", "/v2/core/account_tokens"
PERSON = {"given_name": "Jane", "surname": "Diaz", "id_numbers": [{"type": "us_ssn", "value": "000000000"}]}
ACCEPTED = {"account": {"shown_and_accepted": True}}


def company(api: Api) -> str:
    made: str = api.ok("post", "/v1/accounts", type="custom", country="US", business_type="company")["id"]
    return made


def account_token(api: Api) -> str:
    business = {"entity_type": "company", "business_details": {"registered_name": "Rocket Rides"}}
    told = {"identity": {**business, "attestations": {"terms_of_service": ACCEPTED}}, "contact_email": "a@example.com"}
    made = api.ok("post", ACCOUNT_TOKENS, key=api.pk, **told)
    assert {*made} == {"id", "object", "created", "expires_at", "livemode", "used"}
    assert (made["object"], made["used"]) == ("v2.core.account_token", False)
    assert made["created"] == "2026-01-01T00:00:00.000Z"
    return str(made["id"])


def test_an_account_token_holds_what_its_account_tells_once(api: Api) -> None:
    token = account_token(api)
    given = {
        "account_token": token, "display_name": "A", "dashboard": "none", "include": ["identity"],
        "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
        "configuration": {
            "merchant": {"capabilities": {"card_payments": {"requested": True}}},
            "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
        },
    }  # fmt: skip
    made = api.ok("post", ACCOUNTS, **given)
    assert (made["contact_email"], made["display_name"]) == ("a@example.com", "A")
    assert made["identity"]["business_details"]["registered_name"] == "Rocket Rides"
    v1 = api.ok("get", f"/v1/accounts/{made['id']}")
    assert (v1["tos_acceptance"]["date"], v1["tos_acceptance"]["ip"]) == (api.now, "127.0.0.1")
    assert api.ok("get", f"{ACCOUNT_TOKENS}/{token}")["used"] is True
    assert api.post(ACCOUNTS, **given).error["code"] == "token_already_used"


def test_a_person_token_is_of_one_account(api: Api) -> None:
    mine, other = company(api), company(api)
    tokens = f"{ACCOUNTS}/{mine}/person_tokens"
    token = api.ok("post", tokens, key=api.pk, **PERSON, additional_terms_of_service=ACCEPTED)["id"]
    assert api.post(f"{ACCOUNTS}/{other}/persons", person_token=token).status == 400
    assert api.get(f"{ACCOUNTS}/{other}/person_tokens/{token}").status == 404
    made = api.ok("post", f"{ACCOUNTS}/{mine}/persons", person_token=token, surname="Roe")
    assert (made["given_name"], made["surname"], made["id_numbers"]) == ("Jane", "Roe", [{"type": "us_ssn"}])
    assert made["additional_terms_of_service"]["account"]["ip"] == "127.0.0.1"
    refused = api.post(f"{ACCOUNTS}/{mine}/persons/{made['id']}", person_token=token)
    assert refused.error["code"] == "token_already_used"


@pytest.mark.parametrize("what", ["account", "person"])
def test_a_token_that_is_refused_or_has_expired_holds_nothing(api: Api, what: str) -> None:
    account = company(api)
    path = ACCOUNT_TOKENS if what == "account" else f"{ACCOUNTS}/{account}/person_tokens"
    told: dict[str, Any] = {"contact_email": "a@example.com"} if what == "account" else PERSON
    token = api.ok("post", path, **told)["id"]
    api.world.clock[0] += SECONDS
    target = f"{ACCOUNTS}/{account}" if what == "account" else f"{ACCOUNTS}/{account}/persons"
    refused = api.post(target, **{f"{what}_token": token})
    assert (refused.status, refused.error["code"]) == (400, "token_expired")
    assert api.ok("get", f"{path}/{token}")["used"] is False


def test_what_accounts_do_not_take_here_is_refused_when_it_is_typed(api: Api) -> None:
    for key in (api.pk, api.sk):
        refused = api.post(ACCOUNT_TOKENS, key=key, identity={"business_details": {"estimated_worker_count": 3}})
        assert (refused.status, "estimated_worker_count" in refused.error["message"]) == (400, True)
    numbers = [{"type": kind, "value": "000000000"} for kind in ("us_ssn", "us_itin")]
    assert api.post(f"{ACCOUNTS}/{company(api)}/person_tokens", key=api.pk, id_numbers=numbers).status == 400


@pytest.mark.parametrize("mode", ["test", "live"])
def test_both_keys_make_tokens_in_their_mode(api: Api, mode: str) -> None:
    for key in (api.sk, api.pk) if mode == "test" else (api.live_sk, api.live_pk):
        made = api.ok("post", ACCOUNT_TOKENS, key=key, contact_email="a@example.com")
        assert made["livemode"] is (mode == "live")


@pytest.mark.parametrize("place", [{"city": "Berlin"}, {"country": "de", "line1": "Chausseestr. 1"}])
def test_a_registered_address_needs_no_country_in_a_token(api: Api, place: dict[str, str]) -> None:
    """The specification demands it where a person is made, not in a token or a change."""
    sent = {"additional_addresses": [{"purpose": "registered", **place}]}
    account = company(api)
    token = api.post(f"/v2/core/accounts/{account}/person_tokens", key=api.pk, **sent)
    assert token.status == 200
    person = api.ok("POST", f"/v2/core/accounts/{account}/persons", person_token=token["id"])
    assert api.post(f"/v2/core/accounts/{account}/persons/{person['id']}", **sent).status == 200
    kept = api.ok("GET", f"/v1/accounts/{account}/persons/{person['id']}")["registered_address"]
    assert {name: kept[name] for name in place} == {**place, **({"country": "DE"} if "country" in place else {})}
