"""A cardholder whose data lacks something may not spend yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.recipes import Maker

ADDRESS = {"line1": "1 Main St", "city": "San Francisco", "state": "CA", "postal_code": "94111", "country": "US"}
TERMS = {"user_terms_acceptance": {"date": 1_767_225_000, "ip": "8.8.8.8"}}


def holder(api: Api, **params: Any) -> Answer:
    return api.ok("POST", "/v1/issuing/cardholders", name="Jo Li", billing={"address": ADDRESS}, **params)


def test_an_individual_needs_a_name_and_accepted_terms(api: Api) -> None:
    lacking = holder(api, type="individual")["requirements"]
    assert lacking["disabled_reason"] == "requirements.past_due"
    assert {"individual.first_name", "individual.last_name"} < set(lacking["past_due"])
    person = {"first_name": "Jo", "last_name": "Li", "card_issuing": TERMS}
    assert holder(api, type="individual", individual=person)["requirements"] == {
        "disabled_reason": None,
        "past_due": [],
    }


def test_a_company_needs_neither(api: Api) -> None:
    assert holder(api, type="company")["requirements"]["past_due"] == []


def test_what_was_lacking_can_be_given_later(api: Api) -> None:
    made = holder(api, type="individual")
    person = {"first_name": "Jo", "last_name": "Li", "card_issuing": TERMS}
    after = api.ok("POST", f"/v1/issuing/cardholders/{made['id']}", individual=person)
    assert after["requirements"]["past_due"] == []


def asked(api: Api, **params: Any) -> Answer:
    return api.post("/v1/issuing/cardholders", **{"name": "Jo Li", "billing": {"address": ADDRESS}, **params})


@pytest.mark.parametrize(("name", "status"), [
    ("Jenny Rosen", 200), ("J. O'Brien-Li, Jr", 200), ("Zoë Núñez", 200), ("Jenny 2", 400), ("Jenny & Co", 400),
    ("J" * 24, 200), ("J" * 25, 400),
])  # fmt: skip
def test_a_name_fits_on_a_card_and_has_letters_only(api: Api, name: str, status: int) -> None:
    answer = asked(api, name=name)
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "name"


def test_the_names_of_a_person_have_letters_only(api: Api) -> None:
    person = {"first_name": "Jenny", "last_name": "Rosen"}
    refused = asked(api, individual={**person, "last_name": "R0sen"})
    assert (refused.status, refused.error["param"]) == (400, "individual[last_name]")
    made = holder(api, individual=person)
    changed = api.post(f"/v1/issuing/cardholders/{made['id']}", individual={**person, "first_name": "J3nny"})
    assert (changed.status, changed.error["param"]) == (400, "individual[first_name]")


@pytest.mark.parametrize(("what", "value"), [
    ("card_presences", "present"), ("categories", "bakeries"), ("merchant_countries", "US"),
])  # fmt: skip
def test_what_is_allowed_leaves_nothing_to_block(api: Api, what: str, value: str) -> None:
    both = {f"allowed_{what}": [value], f"blocked_{what}": [value]}
    refused = asked(api, spending_controls=both)
    assert (refused.status, refused.error["param"]) == (400, f"spending_controls[blocked_{what}]")
    assert asked(api, spending_controls={f"allowed_{what}": [value]}).status == 200


def test_the_limits_of_a_cardholder_are_in_the_currency_that_it_names(api: Api) -> None:
    rules = {"spending_limits": [{"amount": 5, "interval": "daily"}], "spending_limits_currency": "eur"}
    made = holder(api, spending_controls=rules)
    assert made["spending_controls"]["spending_limits_currency"] == "eur"
    refused = api.post(f"/v1/issuing/cardholders/{made['id']}", spending_controls={"spending_limits_currency": "xyz"})
    assert refused.error["param"] == "spending_controls[spending_limits_currency]"


def test_a_cardholder_shows_the_files_of_its_document_and_refuses_unknown_ones(api: Api) -> None:
    front = Maker(api).make("file")["id"]
    person = {"first_name": "Jo", "last_name": "Li", "verification": {"document": {"front": front}}}
    made = holder(api, type="individual", individual=person)
    assert made["individual"]["verification"] == {"document": {"back": None, "front": front}}
    unknown = {"verification": {"document": {"back": "file_unknown"}}}
    refused = api.post(f"/v1/issuing/cardholders/{made['id']}", individual=unknown)
    assert refused.error["param"] == "individual[verification][document][back]"


def test_a_company_tells_its_tax_id_later(api: Api) -> None:
    made = holder(api, type="company")
    assert made["company"] is None
    after = api.ok("POST", f"/v1/issuing/cardholders/{made['id']}", company={"tax_id": "000000000"})
    assert after["company"] == {"tax_id_provided": True}
