"""Steps that several tests of tax share."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api

BERLIN = {"country": "DE", "postal_code": "10115", "city": "Berlin", "line1": "Chausseestr. 1"}
FRISCO = {"country": "US", "postal_code": "94111"}


def register(api: Api, country: str, **options: Any) -> None:
    """Let the account collect tax there."""
    given = {country.lower(): options or {"type": "standard"}}
    api.ok("POST", "/v1/tax/registrations", country=country, active_from="now", country_options=given)


def calculate(api: Api, **more: object) -> Answer:
    """The tax on 10 euros for a customer in Berlin."""
    details = {"address": {"country": "DE", "postal_code": "10115"}, "address_source": "billing"}
    return api.ok("POST", "/v1/tax/calculations", currency="eur", customer_details=details,
                  line_items=[{"amount": 1000, "reference": "one"}], expand=["line_items"], **more)  # fmt: skip
