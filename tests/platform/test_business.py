"""Every documented test value of a business: what a check of it finds, and what that stops."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import PERSON, connected, everything

SITE = "https://{}.stripe.com"
PLACE = [f"company.address.{name}" for name in ("city", "line1", "postal_code", "state")]
#: parameters, code, what is asked for again (None: the parameter itself)
ROWS: list[tuple[dict[str, Any], str, list[str] | None]] = [
    ({"business_profile": {"url": SITE.format("disallowed")}}, "invalid_url_denylisted", None),
    ({"business_profile": {"url": SITE.format("geoblocked")}}, "invalid_url_website_inaccessible_geoblocked", None),
    ({"business_profile": {"url": SITE.format("problem")}}, "invalid_url_website_other", None),
    ({"business_profile": {"url": SITE.format("missing")}}, "invalid_url_website_incomplete", None),
    ({"business_profile": {"url": SITE.format("mismatch")}}, "invalid_url_website_business_information_mismatch", None),
    ({"business_profile": {"url": SITE.format("passwordprotected")}},
     "invalid_url_website_inaccessible_password_protected", None),
    ({"business_profile": {"url": SITE.format("underconstruction")}},
     "invalid_url_website_incomplete_under_construction", None),
    ({"business_profile": {"url": SITE.format("inaccessible")}}, "invalid_url_website_inaccessible", None),
    ({"business_profile": {"product_description": "require_url"}}, "invalid_url_web_presence_detected",
     ["business_profile.url"]),
    ({"business_profile": {"name": "disallowed_dba"}}, "invalid_business_profile_name_denylisted", None),
    ({"business_profile": {"name": "invalid_dba"}}, "invalid_business_profile_name", None),
    ({"settings": {"payments": {"statement_descriptor": "mismatch"}}},
     "invalid_statement_descriptor_business_mismatch", None),
    ({"settings": {"payments": {"statement_descriptor": "disallowed"}}},
     "invalid_statement_descriptor_denylisted", None),
    ({"settings": {"card_payments": {"statement_descriptor_prefix": "mismatch"}}},
     "invalid_statement_descriptor_prefix_mismatch", None),
    ({"settings": {"card_payments": {"statement_descriptor_prefix": "disallowed"}}},
     "invalid_statement_descriptor_prefix_denylisted", None),
    ({"company": {"name": "disallowed_name"}}, "invalid_company_name_denylisted", None),
    ({"company": {"name": "match_name_only"}}, "verification_failed_name_match", None),
    ({"company": {"name": "mismatch_business_name"}}, "verification_failed_name_match", None),
    ({"company": {"tax_id": "111111112"}}, "verification_failed_tax_id_not_issued", None),
    ({"company": {"address": {"line1": "address_line1_no_match"}}}, "invalid_address_city_state_postal_code", PLACE),
]  # fmt: skip


def path_of(params: dict[str, Any]) -> str:
    """The dotted path of the only parameter."""
    ((name, value),) = params.items()
    return f"{name}.{path_of(value)}" if isinstance(value, dict) else name


def business(api: Api) -> str:
    """A company that has told everything and was checked."""
    company = {
        "name": "Rocket Rides", "phone": "0000000000", "tax_id": "000000000", "address": PERSON["address"],
        "owners_provided": True, "directors_provided": True, "executives_provided": True,
    }  # fmt: skip
    given = {**everything(api), "business_type": "company", "company": company}
    del given["individual"]
    id: str = api.ok("post", "/v1/accounts", **given)["id"]
    relation = {"representative": True, "owner": True, "executive": True, "title": "CEO"}
    api.ok("post", f"/v1/accounts/{id}/persons", **PERSON, relationship=relation)
    api.advance(10)
    account = api.get(f"/v1/accounts/{id}")
    assert (account["charges_enabled"], account["payouts_enabled"]) == (True, True), account["requirements"]
    return id


def set_and_checked(api: Api, id: str, params: dict[str, Any]) -> Answer:
    api.ok("post", f"/v1/accounts/{id}", **params)
    api.advance(10)
    return api.get(f"/v1/accounts/{id}")


@pytest.mark.parametrize(("params", "code", "asks"), ROWS, ids=[code for _, code, _ in ROWS])
def test_a_value_that_fails_is_asked_for_again_and_stops_everything(
    api: Api, params: dict[str, Any], code: str, asks: list[str] | None
) -> None:
    id = business(api)
    account = set_and_checked(api, id, params)
    needed, asks = account["requirements"], asks or [path_of(params)]
    assert [(one["code"], one["requirement"]) for one in needed["errors"]] == [(code, path) for path in asks]
    assert needed["currently_due"] == needed["past_due"] == asks
    assert (account["charges_enabled"], account["payouts_enabled"]) == (False, False)
    assert (needed["disabled_reason"], account["details_submitted"]) == ("requirements.past_due", True)
    assert api.get(f"/v1/accounts/{id}/capabilities/card_payments")["status"] == "inactive"


def test_a_street_that_does_not_match_stops_payouts_alone(api: Api) -> None:
    account = set_and_checked(api, business(api), {"company": {"address": {"line1": "address_no_match"}}})
    (error,) = account["requirements"]["errors"]
    assert (error["code"], error["requirement"]) == ("invalid_street_address", "company.address.line1")
    assert (account["charges_enabled"], account["payouts_enabled"]) == (True, False)


def test_another_value_settles_it(api: Api) -> None:
    id = business(api)
    set_and_checked(api, id, {"business_profile": {"url": SITE.format("inaccessible")}})
    account = set_and_checked(api, id, {"business_profile": {"url": SITE.format("accessible")}})
    assert (account["charges_enabled"], account["requirements"]["errors"]) == (True, [])


@pytest.mark.parametrize("line", ["address_no_match", "address_line1_no_match"])
def test_the_address_of_a_person_that_does_not_match_leads_to_a_document(api: Api, line: str) -> None:
    person = {**PERSON, "address": {**PERSON["address"], "line1": line}}
    id = connected(api, individual=person)["id"]
    needed = api.get(f"/v1/accounts/{id}")["requirements"]
    assert needed["currently_due"] == ["individual.verification.document"]


@pytest.mark.parametrize(("version", "reason"), [("2024-06-20", "paused.inactivity"), ("2024-04-10", "rejected.other")])
def test_an_inactive_account_says_why_its_inactive_capabilities_are_disabled(
    api: Api, version: str, reason: str
) -> None:
    given = {"type": "custom", "country": "US", "capabilities": everything(api)["capabilities"]}
    id = api.ok("post", "/v1/accounts", **given, business_profile={"url": SITE.format("inactivity")})["id"]
    for name in ("card_payments", "transfers"):
        shown = api.under(version).get(f"/v1/accounts/{id}/capabilities/{name}")
        assert (shown["status"], shown["requirements"]["disabled_reason"]) == ("inactive", reason)


def test_in_live_mode_these_values_decide_nothing(api: Api) -> None:
    given = {"type": "custom", "country": "US", "business_profile": {"url": SITE.format("inaccessible")}}
    made = api.ok("post", "/v1/accounts", **given, key=api.live_sk)
    assert made["requirements"]["errors"] == []


@pytest.mark.parametrize(
    ("name", "code", "asked"),
    [
        ("mismatch_director", "verification_directors_mismatch", "{person}.first_name"),
        ("missing_director", "verification_missing_directors", "directors.first_name"),
        ("extraneous_director", "verification_extraneous_directors", "{person}.relationship.director"),
    ],
)
@pytest.mark.parametrize("country", ["GB", "US"])
def test_directors_are_compared_with_the_register_of_their_country(
    api: Api, name: str, code: str, asked: str, country: str
) -> None:
    account = api.ok("post", "/v1/accounts", type="custom", country=country, business_type="company")["id"]
    told = {**PERSON, "first_name": name, "relationship": {"director": True}}
    person = api.ok("post", f"/v1/accounts/{account}/persons", **told)["id"]
    api.advance(10)
    due = api.get(f"/v1/accounts/{account}")["requirements"]
    asked = asked.format(person=person)
    found = [(one["code"], one["requirement"]) for one in due["errors"]]
    assert found == ([(code, asked)] if country == "GB" else [])
    assert (asked in due["currently_due"]) == (country == "GB")


def test_an_account_of_somebody_on_a_list_of_sanctions_is_disabled(api: Api) -> None:
    dob = {"day": 1, "month": 1, "year": 1900}
    made = api.ok("post", "/v1/accounts", **{**everything(api), "individual": {**PERSON, "dob": dob}})
    api.advance(10)
    account = api.get(f"/v1/accounts/{made['id']}")
    assert account["requirements"]["disabled_reason"] == "listed"
    assert (account["charges_enabled"], account["payouts_enabled"]) == (False, False)
    assert set(account["capabilities"].values()) == {"inactive"}
    assert account["individual"]["verification"]["status"] == "pending"
