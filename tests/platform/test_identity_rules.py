"""What may be said of people and businesses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api, rule_table

ONLY = "You can only provide `individual` parameters for accounts with `business_type` of 'individual'."
UNTYPED = "The `business_type` must be provided when sending either of `individual` or `company` parameters."
DIGITS = "US tax IDs must have 9 digits"
AGE = "Must be at least 13 years of age to use Stripe"
INTEGER = "parameter_invalid_integer"


def tell(api: Api, **given: Any) -> Answer:
    """A custom account that tells something."""
    return api.post("/v1/accounts", **{"type": "custom", "country": "US", **given})


def of(api: Api, **told: Any) -> Answer:
    """An account that tells something of its individual."""
    return tell(api, business_type="individual", individual=told)


@rule_table
@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"individual": {"first_name": "Jenny"}}, (400, None, "individual", UNTYPED)),
        ({"company": {"name": "Rocket Rides"}}, (400, None, "company", UNTYPED)),
        *(({"business_type": kind, "individual": {"first_name": "Jenny"}}, (400, None, "individual", ONLY))
          for kind in ("company", "non_profit", "government_entity")),
        ({"business_type": "individual", "individual": {"first_name": "Jenny"}}, None),
        ({"business_type": "individual", "company": {"name": "Rocket Rides"}}, None),
        ({"country": "AE", "business_type": "individual"},
         (400, None, "business_type", "'individual' is not a supported business type in the country AE.")),
        ({"country": "AE", "business_type": "company"}, None),
        ({"country": "DE", "business_type": "government_entity"},
         (400, None, "business_type", "'government_entity' is not a supported business type in the country DE.")),
    ],
)  # fmt: skip
def test_an_account_tells_of_those_who_are_behind_its_type_of_business(
    api: Api, given: dict[str, Any], refusal: tuple[object, ...] | None
) -> None:
    answer = tell(api, **given)
    assert answer.status == 200 if refusal is None else answer.refusal == refusal


def test_the_type_of_business_is_the_one_that_the_account_has(api: Api) -> None:
    path = f"/v1/accounts/{tell(api, business_type='company')['id']}"
    assert api.post(path, individual={"first_name": "Jenny"}).error["message"] == ONLY
    assert api.post(path, company={"name": "Rocket Rides"}).status == 200
    assert api.post(path, business_type="individual", individual={"first_name": "Jenny"}).status == 200


@rule_table
@pytest.mark.parametrize(
    ("kind", "structure", "taken"),
    [
        ("company", "sole_proprietorship", True),
        ("company", "llc", False),
        ("company", "incorporated_non_profit", False),
        ("non_profit", "incorporated_non_profit", True),
        ("government_entity", "governmental_unit", True),
        ("individual", "sole_proprietorship", False),
    ],
)
def test_a_business_in_the_us_has_a_structure_of_its_type(api: Api, kind: str, structure: str, taken: bool) -> None:
    answer = tell(api, business_type=kind, company={"structure": structure})
    message = f"'{structure}' is not a valid structure in the country US and under the business type '{kind}'."
    assert answer.status == 200 if taken else answer.refusal == (400, None, "company[structure]", message)


def test_a_structure_is_unset_before_the_business_becomes_an_individual(api: Api) -> None:
    made = tell(api, business_type="company", company={"structure": "sole_proprietorship"})
    path = f"/v1/accounts/{made['id']}"
    assert api.post(path, business_type="individual").error["param"] == "company[structure]"
    api.ok("post", path, company={"structure": ""})
    assert api.post(path, business_type="individual").status == 200


@rule_table
@pytest.mark.parametrize(
    ("day", "month", "year", "refusal"),
    [
        (31, 12, 2012, None),
        (1, 1, 2013, None),  # thirteen today
        (2, 1, 2013, (400, None, "individual[dob][year]", AGE)),
        (1, 1, 2050, (400, None, "individual[dob][year]", AGE)),
        (29, 2, 2000, None),
        (29, 2, 1999, (400, None, "individual[dob][day]", "Invalid date of birth")),
        (0, 1, 1980, (400, INTEGER, "individual[dob][day]", "This value must be greater than or equal to 1.")),
        (32, 1, 1980, (400, INTEGER, "individual[dob][day]", "This value must be less than or equal to 31.")),
        (1, 13, 1980, (400, INTEGER, "individual[dob][month]", "This value must be less than or equal to 12.")),
        (1, 1, 1899, (400, INTEGER, "individual[dob][year]", "This value must be greater than or equal to 1900.")),
    ],
)
def test_a_person_was_born_on_a_day_that_there_was_thirteen_years_ago(
    api: Api, day: int, month: int, year: int, refusal: tuple[object, ...] | None
) -> None:
    answer = of(api, dob={"day": day, "month": month, "year": year})
    assert answer.status == 200 if refusal is None else answer.refusal == refusal


@rule_table
@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"id_number": "000000000"}, None),
        ({"id_number": "000-00-0000"}, None),
        ({"id_number": "12345678"}, "id_number"),
        ({"id_number": "abc"}, "id_number"),
        ({"ssn_last_4": "0000"}, None),
        ({"ssn_last_4": "000"}, "ssn_last_4"),
        ({"ssn_last_4": "abcd"}, "ssn_last_4"),
    ],
)
@pytest.mark.parametrize("where", ["individual", "person"])
def test_numbers_of_people_in_the_us_have_their_digits(
    api: Api, where: str, given: dict[str, str], param: str | None
) -> None:
    if where == "individual":
        answer = of(api, **given)
    else:
        answer = api.post(f"/v1/accounts/{tell(api, business_type='company')['id']}/persons", **given)
    if param is None:
        assert answer.status == 200
    else:
        assert answer.error["param"] == (f"individual[{param}]" if where == "individual" else param)
        assert answer.error["code"] == "tax_id_invalid"


def test_the_number_of_a_company_in_the_us_has_nine_digits_and_elsewhere_its_own_form(api: Api) -> None:
    refused = tell(api, business_type="company", company={"tax_id": "1234"})
    assert refused.refusal == (400, "tax_id_invalid", "company[tax_id]", DIGITS)
    assert tell(api, business_type="company", company={"tax_id": "12-3456789"}).status == 200
    assert tell(api, country="DE", business_type="company", company={"tax_id": "HRA 1234"}).status == 200


@rule_table
@pytest.mark.parametrize("name", ["individual", "company"])
def test_a_business_is_in_the_country_of_its_account(api: Api, name: str) -> None:
    refused = tell(api, business_type=name, **{name: {"address": {"country": "DE"}}})
    assert (refused.status, refused.error["code"]) == (400, "account_country_invalid_address")
    assert refused.error["param"] == f"{name}[address][country]"
    assert tell(api, business_type=name, **{name: {"address": {"country": "US"}}}).status == 200


@rule_table
@pytest.mark.parametrize("phone", ["abc", "12", "+1 555 CALL", "1234567890123456"])
def test_a_phone_number_is_one(api: Api, phone: str) -> None:
    message = f'"{phone}" is not a valid phone number'
    assert of(api, phone=phone).refusal == (400, None, "individual[phone]", message)
    profile = tell(api, business_profile={"support_phone": phone})
    assert profile.refusal == (400, None, "business_profile[support_phone]", message)


@rule_table
@pytest.mark.parametrize("phone", ["0000000000", "+81000000000", "(415) 555-0100"])
def test_phone_numbers_may_be_written_as_usual(api: Api, phone: str) -> None:
    assert of(api, phone=phone).status == 200


@rule_table
@pytest.mark.parametrize(("code", "status"), [("5734", 200), ("573", 400), ("abcd", 400)])
def test_a_category_of_merchants_has_four_digits(api: Api, code: str, status: int) -> None:
    answer = tell(api, business_profile={"mcc": code})
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "business_profile[mcc]"


@rule_table
@pytest.mark.parametrize(("ip", "status"), [("203.0.113.12", 200), ("2001:db8::1", 200), ("203.0.113", 400)])
def test_terms_are_accepted_from_an_ip_address(api: Api, ip: str, status: int) -> None:
    answer = tell(api, tos_acceptance={"date": api.now, "ip": ip})
    assert answer.status == status
    assert status == 200 or answer.error["param"] == "tos_acceptance[ip]"
