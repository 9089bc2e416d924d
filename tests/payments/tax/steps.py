"""Steps that several tests of tax share."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api

BERLIN = {"country": "DE", "postal_code": "10115", "city": "Berlin", "line1": "Chausseestr. 1"}
FRISCO = {"country": "US", "postal_code": "94111"}


def register(api: Api, country: str, **options: Any) -> None:
    """Let the account collect tax there."""
    given = {country.lower(): options or {"type": "standard"}}
    api.ok("POST", "/v1/tax/registrations", country=country, active_from="now", country_options=given)
