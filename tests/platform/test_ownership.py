"""What a platform may change in an account, by who collects its requirements and whether its owner was asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api, World
from tests.support.connected import LINK, everything

OWNERS = {
    "business_type": "individual",
    "company": {"name": "Rocket Rides"},
    "individual": {"first_name": "Jenny"},
    "external_account": "btok_us",
}


def account(api: Api, kind: str) -> str:
    wanted = {name: {"requested": True} for name in ("card_payments", "transfers")}
    made: str = api.ok("post", "/v1/accounts", type=kind, country="US", capabilities=wanted)["id"]
    return made


def ask_owner(api: Api, id: str, way: str) -> Answer:
    if way == "link":
        return api.ok("post", "/v1/account_links", account=id, **LINK)
    return api.ok("post", "/v1/account_sessions", account=id, components={"payments": {"enabled": True}})


@pytest.mark.parametrize("way", ["link", "session"])
@pytest.mark.parametrize("kind", ["standard", "express", "custom"])
def test_what_the_owner_says_is_closed_to_the_platform_once_the_owner_was_asked(api: Api, kind: str, way: str) -> None:
    id = account(api, kind)
    ask_owner(api, id, way)
    for name, value in OWNERS.items():
        answer = api.post(f"/v1/accounts/{id}", **{name: value})
        assert answer.status == (200 if kind == "custom" else 403)
        if kind != "custom":
            message = (
                f"This application does not have the required permissions for the parameter '{name}' on account '{id}'."
            )
            assert (answer.error["message"], answer.error["param"]) == (message, name)
    assert api.post(f"/v1/accounts/{id}", metadata={"a": "b"}, email="jenny@example.com").status == 200


@pytest.mark.parametrize("kind", ["standard", "express"])
def test_before_that_the_platform_fills_in_what_it_knows(api: Api, kind: str) -> None:
    id = account(api, kind)
    for name, value in OWNERS.items():
        assert api.post(f"/v1/accounts/{id}", **{name: value}).status == 200


@pytest.mark.parametrize(("kind", "status"), [("standard", 400), ("express", 400), ("custom", 200)])
def test_terms_are_accepted_only_for_accounts_whose_requirements_the_platform_collects(
    api: Api, kind: str, status: int
) -> None:
    terms = {"date": api.now, "ip": "203.0.113.12"}
    assert api.post("/v1/accounts", type=kind, country="US", tos_acceptance=terms).status == status
    answer = api.post(f"/v1/accounts/{account(api, kind)}", tos_acceptance=terms)
    assert answer.status == status
    assert status == 200 or answer.error["message"].startswith("You cannot accept the Terms of Service on behalf of")


@pytest.mark.parametrize(("kind", "status"), [("standard", 403), ("express", 403), ("custom", 200)])
def test_bank_accounts_are_updated_only_where_the_platform_collects_requirements(
    api: Api, kind: str, status: int
) -> None:
    id = account(api, kind)
    bank = api.ok("post", f"/v1/accounts/{id}/external_accounts", external_account="btok_us")["id"]
    for word in ("external_accounts", "bank_accounts"):
        assert api.post(f"/v1/accounts/{id}/{word}/{bank}", metadata={"a": "b"}).status == status


@pytest.mark.parametrize(("kind", "status"), [("standard", 400), ("express", 200), ("custom", 200)])
def test_accounts_are_rejected_only_where_the_platform_is_liable(api: Api, kind: str, status: int) -> None:
    assert api.post(f"/v1/accounts/{account(api, kind)}/reject", reason="fraud_other").status == status
    assert api.post(f"/v1/accounts/{api.account}/reject", reason="fraud_other").status == 400


@pytest.mark.parametrize(("kind", "status"), [("standard", 400), ("express", 400), ("custom", 200)])
@pytest.mark.parametrize(
    ("feature", "value"), [("disable_stripe_user_authentication", True), ("external_account_collection", False)]
)
def test_features_that_bypass_the_owner_are_for_accounts_that_the_platform_answers_for(
    api: Api, kind: str, status: int, feature: str, value: bool
) -> None:
    asked = {"account_onboarding": {"enabled": True, "features": {feature: value}}}
    answer = api.post("/v1/account_sessions", account=account(api, kind), components=asked)
    assert answer.status == status
    assert status == 200 or answer.error["param"] == f"components[account_onboarding][features][{feature}]"


@pytest.mark.parametrize(("kind", "status"), [("standard", 400), ("express", 400), ("custom", 200)])
def test_account_update_links_are_for_accounts_whose_requirements_the_platform_collects(
    api: Api, kind: str, status: int
) -> None:
    given = {**LINK, "type": "account_update"}
    assert api.post("/v1/account_links", account=account(api, kind), **given).status == status


@pytest.mark.parametrize(
    ("country", "currency", "given", "status"),
    [
        ("US", "usd", "savings", 200),
        ("US", "usd", "futsu", 400),
        ("JP", "jpy", "toza", 200),
        ("JP", "jpy", "checking", 400),
    ],
)
def test_a_bank_account_has_a_type_of_its_country(
    api: Api, country: str, currency: str, given: str, status: int
) -> None:
    bank = {"object": "bank_account", "country": country, "currency": currency, "account_number": "000123456789"}
    numbered = {**bank, "routing_number": "110000000"}
    id = api.ok("post", "/v1/accounts", type="custom", country=country, external_account=numbered)["id"]
    (made,) = api.get(f"/v1/accounts/{id}/external_accounts")["data"]
    answer = api.post(f"/v1/accounts/{id}/external_accounts/{made['id']}", account_type=given)
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "account_type"


def company(api: Api) -> str:
    given = {"business_type": "company", "company": {"name": "Rocket Rides"}}
    made = api.ok("post", "/v1/accounts", type="custom", country="US", **given)["id"]
    return f"/v1/accounts/{made}/persons"


def test_the_only_verified_executive_is_not_deleted(api: Api) -> None:
    path = company(api)
    given: dict[str, Any] = {"relationship": {"executive": True}, "first_name": "Jane", "last_name": "Diaz"}
    person = {"dob": {"day": 1, "month": 1, "year": 1902}}
    first = api.ok("post", path, **given, **person)["id"]
    api.advance(10)
    assert api.get(f"{path}/{first}")["verification"]["status"] == "verified"
    refused = api.delete(f"{path}/{first}")
    assert (refused.status, refused.error["message"]) == (
        400,
        "You cannot delete the only verified executive of an account.",
    )
    api.ok("post", path, **given, **person)
    api.advance(10)
    assert api.delete(f"{path}/{first}")["deleted"]


def test_the_person_of_a_sole_trader_is_not_deleted(api: Api) -> None:
    made = api.ok("post", "/v1/accounts", **everything(api))
    refused = api.delete(f"/v1/accounts/{made['id']}/persons/{made['individual']['id']}")
    assert (refused.status, refused.error["message"]) == (400, "You cannot delete the representative of an account.")


def test_there_is_one_representative_and_nobody_owns_more_than_everything(api: Api) -> None:
    path = company(api)
    api.ok("post", path, relationship={"representative": True})
    refused = api.post(path, relationship={"representative": True})
    assert (refused.status, refused.error["param"]) == (400, "relationship[representative]")
    for part, status in ((0, 200), (100, 200), (100.5, 400), (-1, 400)):
        answer = api.post(path, relationship={"owner": True, "percent_ownership": part})
        assert answer.status == status
        assert status == 200 or answer.error["param"] == "relationship[percent_ownership]"


def test_events_are_listed_by_one_type_or_by_up_to_twenty(api: Api) -> None:
    both = api.get("/v1/events", type="customer.created", types=["customer.updated"])
    assert (both.status, both.error["code"]) == (400, "parameters_exclusive")
    for count, status in ((20, 200), (21, 400)):
        assert api.get("/v1/events", types=[f"customer.{n}" for n in range(count)]).status == status


def test_terms_of_accounts_with_a_controller_are_refused_in_its_words(api: Api) -> None:
    terms = {"date": api.now, "ip": "203.0.113.12"}
    refused = api.post("/v1/accounts", controller={"requirement_collection": "stripe"}, tos_acceptance=terms)
    assert refused.error["message"].endswith("account where `controller[requirement_collection]=stripe`")


class French(Api):
    """A merchant in France."""

    country = "FR"


def test_platforms_in_france_make_accounts_that_they_answer_for_from_tokens(sqlite_world: World) -> None:
    api = French(sqlite_world)
    wanted = {"capabilities": {"transfers": {"requested": True}}}
    message = (
        "Connect platforms based in FR must create accounts via account tokens when"
        " `controller[requirement_collection]=application`, which includes Custom accounts."
    )
    assert api.post("/v1/accounts", type="custom", country="FR", **wanted).error["message"] == message
    person = {"business_type": "individual", "individual": {"first_name": "Jo"}, "tos_shown_and_accepted": True}
    token = api.ok("post", "/v1/tokens", account=person)["id"]
    made = api.ok("post", "/v1/accounts", type="custom", country="FR", account_token=token, **wanted)
    assert made["individual"]["first_name"] == "Jo"
    assert api.post("/v1/accounts", type="express", country="FR").status == 200
    assert api.post(f"/v1/accounts/{made['id']}", metadata={"a": "b"}).status == 200
