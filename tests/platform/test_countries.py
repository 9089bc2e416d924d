"""What accounts in Japan are asked for: names and addresses in kana and in kanji, and what is sold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import JAPANESE, JAPANESE_BANK, JAPANESE_PROFILE, everything
from tests.support.openapi import assert_valid

PLACES = [
    f"address_{script}.{name}" for script in ("kana", "kanji")
    for name in ("city", "line1", "postal_code", "state", "town")
]  # fmt: skip
NAMES = ["first_name_kana", "first_name_kanji", "last_name_kana", "last_name_kanji"]
BORN = ["dob.day", "dob.month", "dob.year"]
#: Without those that follow from a postal code.
LINES = [path for path in PLACES if path.endswith(("line1", "postal_code"))]


def account(api: Api, **params: Any) -> Answer:
    given = {"type": "custom", "country": "JP", "capabilities": everything(api)["capabilities"], **params}
    made = api.ok("post", "/v1/accounts", **given)
    assert_valid("POST", "/v1/accounts", 200, made)
    return made


def due(answer: Answer) -> list[str]:
    return list(answer["requirements"]["currently_due"])


def test_a_new_account_is_asked_for_both_scripts(api: Api) -> None:
    """As a public log of an Express account in Japan shows it."""
    made = api.ok("post", "/v1/accounts", type="express", country="JP")
    person = [f"representative.{path}" for path in (*PLACES, *BORN, "email", *NAMES, "phone")]
    assert due(made) == [
        "business_profile.mcc", "business_profile.product_description", "business_profile.url", "business_type",
        "external_account", *person, "tos_acceptance.date", "tos_acceptance.ip",
    ]  # fmt: skip


def test_a_person_who_told_both_scripts_is_asked_for_a_document_alone(api: Api) -> None:
    person = {name: value for name, value in JAPANESE.items() if name != "verification"}
    given = {**everything(api), "business_profile": JAPANESE_PROFILE, "external_account": JAPANESE_BANK}
    made = account(api, **{**given, "country": "JP", "individual": person})
    assert due(made) == ["individual.verification.document"]
    assert (made["charges_enabled"], made["payouts_enabled"]) == (True, False)
    shown = made["individual"]
    assert (shown["address_kana"]["postal_code"], shown["address_kanji"]["postal_code"]) == (
        "1000000",
        "１００００００",
    )
    assert "address" not in shown
    assert made["company"]["address_kanji"] == shown["address_kanji"]
    document = {"verification": JAPANESE["verification"]}
    assert api.ok("post", f"/v1/accounts/{made['id']}", individual=document)["payouts_enabled"]


@pytest.mark.parametrize("missing", [*NAMES, "address_kana", "address_kanji", "email", "phone", "dob"])
def test_each_part_of_a_person_is_asked_for(api: Api, missing: str) -> None:
    person = {name: value for name, value in JAPANESE.items() if name != missing}
    if missing == "address_kana":
        person["address_kanji"] = {"line1": "１−１"}
    made = account(api, business_type="individual", individual=person)
    asked = {
        "dob": BORN,
        "address_kana": [path for path in PLACES if path not in ("address_kanji.line1",)],
        "address_kanji": ["address_kanji.line1"],
    }.get(missing, [missing])
    assert [path for path in due(made) if path.startswith("individual.")] == [f"individual.{path}" for path in asked]


def test_a_company_is_asked_for_both_scripts(api: Api) -> None:
    made = account(api, business_type="company", company={"structure": "private_corporation"})
    asked = ["name", "name_kana", "name_kanji", "phone", "tax_id"]
    company = [path for path in due(made) if path.startswith("company.")]
    assert company == [f"company.{path}" for path in (*PLACES, *asked)]
    assert made["company"]["address_kana"]["country"] == "JP"
    person = [path for path in due(made) if path.startswith("representative.")]
    assert {f"representative.{path}" for path in (*NAMES, *PLACES)} < set(person)
    told = {
        "name": "Tea", "name_kana": "チャ", "name_kanji": "茶", "phone": "+81312345678", "tax_id": "000000000",
        "address_kanji": {"line1": "１−１", "postal_code": "1000000"}, "address_kana": {"line1": "1-1"},
    }  # fmt: skip
    changed = api.ok("post", f"/v1/accounts/{made['id']}", company=told)
    assert [path for path in due(changed) if path.startswith("company.")] == []
    assert changed["company"]["address_kana"]["postal_code"] == "1000000"


def test_a_person_of_a_company_is_asked_for_both_scripts(api: Api) -> None:
    path = f"/v1/accounts/{account(api, business_type='company')['id']}/persons"
    asked = api.ok("post", path, relationship={"representative": True, "title": "CEO", "executive": True})
    assert [one for one in due(asked) if one in (*NAMES, *PLACES)] == [*PLACES, *NAMES]
    told = {name: value for name, value in JAPANESE.items() if name != "id_number"}
    assert due(api.ok("post", f"{path}/{asked['id']}", **told)) == []


def test_the_onboarding_page_tells_both_scripts(api: Api) -> None:
    made = api.ok("post", "/v1/accounts", type="express", country="JP")
    home = "https://p.example/"
    about = {"account": made["id"], "type": "account_onboarding", "return_url": home, "refresh_url": home}
    path = "/" + api.ok("post", "/v1/account_links", **about)["url"].split("/", 3)[3]
    cookie = api.send("GET", path, key=None).headers["set-cookie"].partition(";")[0]
    assert api.send("POST", f"{path}/submit", key=None, headers={"Cookie": cookie}).status == 303
    assert due(api.get(f"/v1/accounts/{made['id']}")) == ["individual.verification.document"]


def test_the_spec_of_the_country_says_the_same(api: Api) -> None:
    fields = api.get("/v1/country_specs/JP")["verification_fields"]
    assert {f"individual.{path}" for path in (*NAMES, *PLACES)} < set(fields["individual"]["minimum"])
    assert {"company.name_kana", "company.address_kanji.town"} < set(fields["company"]["minimum"])


def test_a_spec_is_the_same_in_each_answer(api: Api) -> None:
    path = "/v1/country_specs"
    alone = api.ok("GET", f"{path}/JP")
    assert [spec for spec in api.ok("GET", path, limit=100)["data"] if spec["id"] == "JP"] == [alone]
    old = api.get(f"{path}/JP", headers={"Stripe-Version": "2020-08-27"})
    assert (old, api.ok("GET", f"{path}/JP")) == (alone, alone)
