"""What the parameters of an account change in it."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_company_shows_what_it_declares(api: Api) -> None:
    told = {
        "directorship_declaration": {"date": 5, "ip": "8.8.8.8"},
        "export_license_id": "L1",
        "export_purpose_code": "P0102",
        "ownership_declaration": {"date": 6, "ip": "8.8.8.8", "user_agent": "tea"},
        "ownership_exemption_reason": "qualifies_as_financial_institution",
        "registration_date": {"day": 1, "month": 2, "year": 2003},
        "representative_declaration": {"ip": "8.8.8.8"},
        "tax_id_registrar": "R1",
    }
    made = api.ok("POST", "/v1/accounts", type="custom", country="US", business_type="company", company=told)
    assert_valid("POST", "/v1/accounts", 200, made)
    blank = dict.fromkeys(("date", "ip", "user_agent"))
    declared = {name: {**blank, **value} for name, value in told.items() if name.endswith("_declaration")}
    assert {name: made["company"][name] for name in told} == {**told, **declared}
    path = f"/v1/accounts/{made['id']}"
    assert api.ok("POST", path, company={"registration_date": ""})["company"]["registration_date"] is None
    later = api.ok("POST", path, company={"representative_declaration": {"date": 9}})["company"]
    assert later["representative_declaration"] == {"date": 9, "ip": "8.8.8.8", "user_agent": None}


@pytest.mark.parametrize("script", ["kana", "kanji"])
def test_a_postal_code_in_one_script_alone_is_taken_outside_of_japan(api: Api, script: str) -> None:
    told = {f"address_{script}": {"postal_code": "1000001"}}
    made = api.ok("POST", "/v1/accounts", type="custom", country="US", business_type="individual", individual=told)
    assert made["individual"]["address_kana"]["postal_code"] == "1000001"


def test_a_payout_schedule_has_the_days_of_its_own_interval(api: Api) -> None:
    given = {"type": "custom", "country": "US"}
    refused = api.post("/v1/accounts", settings={"payouts": {"schedule": {"weekly_anchor": "friday"}}}, **given)
    assert (refused.status, refused.error["param"]) == (400, "settings[payouts][schedule][weekly_anchor]")
    weekly = {"payouts": {"schedule": {"interval": "weekly", "weekly_anchor": "friday"}}}
    made = api.ok("POST", "/v1/accounts", settings=weekly, **given)
    assert made["settings"]["payouts"]["schedule"]["weekly_anchor"] == "friday"
    path = f"/v1/accounts/{made['id']}"
    assert api.post(path, settings={"payouts": {"schedule": {"weekly_anchor": "monday"}}}).status == 200
    assert api.post(path, settings={"payouts": {"schedule": {"monthly_anchor": 5}}}).status == 400
