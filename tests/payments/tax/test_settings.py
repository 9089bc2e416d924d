"""The tax settings of an account."""

from __future__ import annotations

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
