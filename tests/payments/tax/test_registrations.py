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
