"""A cardholder whose data lacks something may not spend yet."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api

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
