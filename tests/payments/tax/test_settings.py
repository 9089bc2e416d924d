"""The tax settings of an account."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_tax_settings_become_active_when_complete(api: Api) -> None:
    assert_valid("GET", "/v1/tax/settings", 200, api.ok("GET", "/v1/tax/settings"))
    settings = api.ok(
        "POST", "/v1/tax/settings", defaults={"tax_code": "txcd_10000000"}, head_office={"address": {"country": "DE"}}
    )
    assert_valid("POST", "/v1/tax/settings", 200, settings)
    assert settings["status"] == "active"


def test_incomplete_settings_name_what_is_missing(api: Api) -> None:
    settings = api.ok("POST", "/v1/tax/settings", head_office={"address": {"country": "DE"}})
    assert settings["status"] == "pending"
    assert settings["status_details"] == {"pending": {"missing_fields": ["defaults.tax_code"]}}
    assert "id" not in settings


@pytest.mark.parametrize("param", ["defaults[tax_behavior]", "defaults[tax_code]", "head_office"])
def test_what_was_set_is_not_unset(api: Api, param: str) -> None:
    defaults = {"tax_code": "txcd_10000000", "tax_behavior": "inclusive"}
    before = api.ok("POST", "/v1/tax/settings", defaults=defaults, head_office={"address": {"country": "DE"}})
    refused = api.post("/v1/tax/settings", **{param: ""})
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_invalid_empty", param)
    assert (
        api.ok("POST", "/v1/tax/settings", defaults={"tax_behavior": "exclusive"})["defaults"]["tax_code"]
        == (before["defaults"]["tax_code"])
    )
