"""Sources, and the cards and bank accounts that customers have saved (the older way to keep what one pays with)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api


def test_a_bank_account_is_verified_by_its_deposits(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="btok_us")
    path = f"/v1/customers/{customer['id']}/sources/{customer['default_source']}"
    wrong = api.post(path + "/verify", amounts=[1, 2])
    assert (wrong.status, wrong.error["code"]) == (400, "bank_account_verification_failed")
    assert api.ok("post", path + "/verify", amounts=[32, 45])["status"] == "verified"


ATTEMPTS = 10


def test_a_saved_bank_account_whose_verification_failed_stays_unverified(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="btok_us")
    path = f"/v1/customers/{customer['id']}/sources/{customer['default_source']}"
    for _ in range(ATTEMPTS):
        assert api.post(path + "/verify", amounts=[1, 2]).error["code"] == "bank_account_verification_failed"
    late = api.post(path + "/verify", amounts=[32, 45])
    assert (late.status, late.error["code"]) == (400, "bank_account_verification_failed")
    assert api.get(path)["status"] == "verification_failed"


def test_the_new_expiry_of_a_saved_card_is_a_number_and_a_date_to_come(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")
    path = f"/v1/customers/{customer['id']}/sources/{customer['default_source']}"
    changed = api.ok("POST", path, exp_month="10", exp_year="34", name="Jenny Rosen")
    assert (changed["exp_month"], changed["exp_year"], changed["name"]) == (10, 2034, "Jenny Rosen")
    for wrong, code in (("13", "invalid_expiry_month"), ("soon", "invalid_expiry_month")):
        refused = api.post(path, exp_month=wrong)
        assert (refused.status, refused.error["code"]) == (402, code)
    assert api.post(path, exp_year="2001").error["code"] == "invalid_expiry_year"
    assert api.get(path) == changed


@pytest.mark.parametrize(
    ("token", "name", "value"),
    [("tok_visa", "account_holder_name", "Jo"), ("tok_visa", "owner", {"name": "Jo"}), ("btok_us", "exp_month", "10")],
)
def test_what_another_type_of_source_has_is_refused(api: Api, token: str, name: str, value: Any) -> None:
    customer = api.ok("POST", "/v1/customers", source=token)
    refused = api.post(f"/v1/customers/{customer['id']}/sources/{customer['default_source']}", **{name: value})
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_unknown", name)


@pytest.mark.parametrize("type", ["ach_credit_transfer", "sepa_debit", "wechat"])
def test_the_details_of_a_source_are_a_hash(api: Api, type: str) -> None:
    refused = api.post("/v1/sources", type=type, currency="usd", **{type: "tea"})
    assert (refused.status, refused.error["param"], refused.error["message"]) == (400, type, "Invalid object")


def test_details_of_a_type_that_no_source_has_are_refused(api: Api) -> None:
    given = {"type": "ach_credit_transfer", "currency": "usd", "wechat": {"statement_descriptor": "tea"}}
    refused = api.post("/v1/sources", **given)
    assert (refused.status, refused.error["param"]) == (400, "wechat")
