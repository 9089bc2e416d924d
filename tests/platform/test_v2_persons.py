"""Persons of the v2 API are the people of v1 in another form."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api

#: Fields of a person of v2 -> what v1 shows of them.
FORMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "names": ({"given_name": "Jane", "surname": "Diaz"}, {"first_name": "Jane", "last_name": "Diaz"}),
    "contact": (
        {"email": "jane@example.com", "phone": "+14155551234"},
        {"email": "jane@example.com", "phone": "+14155551234"},
    ),
    "birth": ({"date_of_birth": {"day": 1, "month": 2, "year": 1990}}, {"dob": {"day": 1, "month": 2, "year": 1990}}),
    "gender": ({"legal_gender": "female"}, {"gender": "female"}),
    "exposure": ({"political_exposure": "none"}, {"political_exposure": "none"}),
    "nationality": ({"nationalities": ["US"]}, {"nationality": "US"}),
    "metadata": ({"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
    "number": ({"id_numbers": [{"type": "us_ssn"}]}, {"id_number_provided": True}),
    "last four": (
        {"id_numbers": [{"type": "us_ssn_last_4"}]},
        {"ssn_last_4_provided": True},
    ),
    "aliases": (
        {"additional_names": [{"full_name": "Jane D.", "purpose": "alias"}]},
        {"full_name_aliases": ["Jane D."]},
    ),
    "maiden name": ({"additional_names": [{"purpose": "maiden", "surname": "Roe"}]}, {"maiden_name": "Roe"}),
    "second number": ({"id_numbers": [{"type": "th_lc"}]}, {"id_number_secondary_provided": True}),
}
NUMBERS = {"th_lc": "000000000", "us_ssn": "000000000", "us_ssn_last_4": "0000"}


def company(api: Api, **more: Any) -> str:
    given = {"type": "custom", "country": "US", "business_type": "company", **more}
    made: str = api.ok("post", "/v1/accounts", **given)["id"]
    return made


def people(api: Api) -> str:
    return f"/v2/core/accounts/{company(api)}/persons"


def told(given: dict[str, Any]) -> dict[str, Any]:
    """The parameters that make a person show these fields: numbers are told, and not shown."""
    numbers = [{**one, "value": NUMBERS[one["type"]]} for one in given.get("id_numbers", ())]
    return {**given, **({"id_numbers": numbers} if numbers else {})}


ENDS = ("created", "updated", "deleted")


@pytest.mark.parametrize("what", FORMS)
@pytest.mark.parametrize("later", [False, True])
def test_both_apis_see_one_person(api: Api, what: str, later: bool) -> None:
    path = people(api)
    new, old = FORMS[what]
    made = api.ok("post", path, **({} if later else told(new)))
    if later:
        made = api.ok("post", f"{path}/{made['id']}", **told(new))
    v1 = api.ok("get", f"{path.replace('/v2/core', '/v1')}/{made['id']}")
    assert {name: v1.get(name) for name in old} == old
    for shown in (made, api.ok("get", f"{path}/{made['id']}"), *api.ok("get", path)["data"]):
        assert shown["object"] == "v2.core.account_person"
        assert {name: shown.get(name) for name in new} == new


def test_an_address_a_document_and_a_part_of_the_company(api: Api) -> None:
    path = people(api)
    address = {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "us"}
    document = {"front_back": {"front": "file_identity_document_success"}, "type": "front_back"}
    relation = {"owner": True, "title": "CEO", "percent_ownership": "60"}
    made = api.ok("post", path, address=address, relationship=relation, documents={"primary_verification": document})
    assert made["address"] == {**address, "country": "US"}
    assert made["relationship"]["percent_ownership"] == "60"
    assert (made["relationship"]["owner"], made["relationship"]["title"]) == (True, "CEO")
    front = made["documents"]["primary_verification"]["front_back"]["front"]
    v1 = api.ok("get", f"{path.replace('/v2/core', '/v1')}/{made['id']}")
    assert v1["verification"]["document"]["front"] == front
    assert v1["relationship"]["percent_ownership"] == 60


def test_names_and_addresses_in_two_scripts(api: Api) -> None:
    path = f"/v2/core/accounts/{company(api, country='JP')}/persons"
    names = {
        "kana": {"given_name": "ジェニー", "surname": "ローゼン"},
        "kanji": {"given_name": "恵", "surname": "薔薇"},
    }
    addresses = {"kana": {"line1": "1-1", "postal_code": "100-0000", "country": "JP"}}
    made = api.ok("post", path, script_names=names, script_addresses=addresses)
    assert made["script_names"] == names
    assert made["script_addresses"]["kana"]["line1"] == "1-1"
    v1 = api.ok("get", f"{path.replace('/v2/core', '/v1')}/{made['id']}")
    assert (v1["first_name_kana"], v1["last_name_kanji"]) == ("ジェニー", "薔薇")
    assert v1["address_kana"]["line1"] == "1-1"


@pytest.mark.parametrize("end", ENDS)
def test_changes_are_told_by_thin_events_about_the_person(api: Api, end: str) -> None:
    path = people(api)
    id = api.ok("post", path, given_name="Jane")["id"]
    if end == "updated":
        api.ok("post", f"{path}/{id}", given_name="Anna")
    if end == "deleted":
        gone = api.ok("delete", f"{path}/{id}")
        assert (gone["id"], gone["object"]) == (id, "v2.core.account_person")
        assert api.get(f"{path}/{id}").status == 404
    account = path.split("/")[4]
    event = api.ok(
        "get", "/v2/core/events", types=[f"v2.core.account_person.{end}"], headers={"Stripe-Account": account}
    )["data"][0]
    assert event["related_object"] == {"id": id, "type": "v2.core.account_person", "url": f"{path}/{id}"}
    assert event["data"] == {"account_id": account}


def test_people_own_no_more_than_the_company(api: Api) -> None:
    path = people(api)
    api.ok("post", path, relationship={"owner": True, "percent_ownership": "60"})
    second = api.ok("post", path, relationship={"owner": True, "percent_ownership": "40"})["id"]
    for target in (path, f"{path}/{second}"):
        refused = api.post(target, relationship={"percent_ownership": "40.5"})
        assert (refused.status, refused.error["code"]) == (400, "total_person_ownership_exceeded")


def test_a_list_is_paged_and_of_one_account(api: Api) -> None:
    path = people(api)
    ids = [api.ok("post", path, given_name=f"P{n}")["id"] for n in range(12)]
    assert [one["id"] for one in api.ok("get", path)["data"]] == ids[::-1]
    page = api.ok("get", path, limit=5)
    assert [one["id"] for one in page["data"]] == ids[:-6:-1]
    assert page["next_page_url"]
    assert api.get("/v2/core/accounts/acct_1nobody00000000/persons").error["code"] == "not_found"
    other = people(api)
    assert api.get(f"{other}/{ids[0]}").status == 404


def test_a_person_has_one_nationality_here(api: Api) -> None:
    refused = api.post(people(api), nationalities=["US", "CA"])
    assert (refused.status, refused.error["code"]) == (400, "invalid_fields")


FRONT = {"front": "file_identity_document_success"}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"legal_gender": "female"}, 200),
        ({"legal_gender": "other"}, 400),
        ({"documents": {"passport": {"files": [], "type": "files"}}}, 200),
        ({"documents": {"passport": {"files": [], "type": "front_back"}}}, 400),
        ({"documents": {"primary_verification": {"front_back": FRONT, "type": "front_back"}}}, 200),
        ({"documents": {"primary_verification": {"front_back": {"front": "file_1"}, "type": "files"}}}, 400),
    ],
)
def test_what_has_few_values_takes_no_others(api: Api, given: dict[str, Any], status: int) -> None:
    assert api.post(people(api), **given).status == status


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("additional_addresses", [{"country": country, "purpose": "registered"} for country in ("us", "ca")]),
        ("additional_names", [{"purpose": "maiden", "surname": surname} for surname in ("Roe", "Doe")]),
        ("id_numbers", [{"type": kind, "value": "000000000"} for kind in ("us_ssn", "us_itin")]),
    ],
)
def test_what_a_person_has_once_here_is_not_taken_twice(api: Api, name: str, values: list[dict[str, str]]) -> None:
    path = people(api)
    api.ok("post", path, **{name: values[:1]})
    refused = api.post(path, **{name: values})
    assert refused.error["message"].startswith("Persons of this server have one")
    assert len(api.ok("get", path)["data"]) == 1


def test_a_registered_address_and_accepted_terms_are_kept(api: Api) -> None:
    path = people(api)
    address = {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "us"}
    terms = {"account": {"date": "2026-01-01T00:00:00.000Z", "ip": "127.0.0.1", "user_agent": "test"}}
    made = api.ok(
        "post", path, additional_addresses=[{**address, "purpose": "registered"}], additional_terms_of_service=terms
    )
    assert made["additional_addresses"] == [{**address, "country": "US", "purpose": "registered"}]
    assert made["additional_terms_of_service"] == terms
    v1 = api.ok("get", f"{path.replace('/v2/core', '/v1')}/{made['id']}")
    assert v1["registered_address"]["line1"] == "1 Main St"
    assert v1["additional_tos_acceptances"]["account"]["ip"] == "127.0.0.1"
