"""Tax registrations: where an account collects tax, from when to when."""

from __future__ import annotations

from tests.payments.tax.steps import register
from tests.support.api import Api

DAY = 86_400


def test_a_registration_needs_the_options_of_its_country(api: Api) -> None:
    refused = api.post(
        "/v1/tax/registrations", country="DE", active_from="now", country_options={"fr": {"type": "standard"}}
    )
    assert (refused.status, refused.error["param"]) == (400, "country_options")


def test_the_status_follows_from_the_two_dates(api: Api) -> None:
    register(api, "DE")
    (one,) = api.get("/v1/tax/registrations", status="active")["data"]
    changed = api.ok("POST", f"/v1/tax/registrations/{one['id']}", expires_at=one["active_from"] + DAY)
    assert (changed["status"], changed["expires_at"]) == ("active", one["active_from"] + DAY)
    api.advance(DAY)
    assert api.get("/v1/tax/registrations", status="active")["data"] == []
    assert api.get(f"/v1/tax/registrations/{one['id']}")["status"] == "expired"


def test_a_registration_takes_no_options_of_another_country(api: Api) -> None:
    options = {"de": {"type": "standard"}, "fr": {"type": "standard"}}
    refused = api.post("/v1/tax/registrations", country="DE", active_from="now", country_options=options)
    assert (refused.status, refused.error["param"]) == (400, "country_options[fr]")


def _taxed(api: Api, country: str, postal_code: str) -> int:
    address = {"country": country, "postal_code": postal_code}
    made = api.ok(
        "POST",
        "/v1/tax/calculations",
        currency="eur",
        customer_details={"address": address, "address_source": "billing"},
        line_items=[{"amount": 1000, "reference": "one"}],
    )
    return int(made["tax_amount_exclusive"])


def test_the_one_stop_shop_of_a_country_is_for_the_whole_union(api: Api) -> None:
    register(api, "IE", type="oss_union")
    assert (_taxed(api, "DE", "10115"), _taxed(api, "FR", "75001"), _taxed(api, "GB", "N1 1AA")) == (190, 200, 0)


def test_a_standard_registration_is_for_its_country_alone(api: Api) -> None:
    register(api, "IE", type="standard", standard={"place_of_supply_scheme": "standard"})
    assert (_taxed(api, "IE", "D01"), _taxed(api, "DE", "10115")) == (230, 0)


def test_a_registration_for_another_tax_of_a_state_collects_no_sales_tax(api: Api) -> None:
    register(api, "US", state="CA", type="state_communications_tax")
    assert _taxed(api, "US", "94111") == 0
    register(api, "US", state="CA", type="state_sales_tax")
    assert _taxed(api, "US", "94111") == 73
