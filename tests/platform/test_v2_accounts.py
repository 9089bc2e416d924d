"""Accounts of the v2 API are the connected accounts of v1 in another form."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import connected
from tests.support.versions import BEFORE_ENDIVE
from tollkey.wire.versions import LATEST

PATH = "/v2/core/accounts"
EVERYTHING = ["configuration.merchant", "configuration.recipient", "defaults", "identity", "requirements"]


def company(api: Api, **more: Any) -> Answer:
    made = {
        "contact_email": "a@example.com",
        "display_name": "A",
        "identity": {"country": "us", "entity_type": "company", "business_details": {"registered_name": "A Inc."}},
        "configuration": {
            "merchant": {"capabilities": {"card_payments": {"requested": True}}},
            "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
        },
        "include": EVERYTHING,
    }
    return api.post(PATH, **{**made, **more})


def test_an_account_is_created_and_shows_what_was_asked_for(api: Api) -> None:
    made = company(api)
    assert (made.status, made["object"], made["display_name"]) == (200, "v2.core.account", "A")
    assert made["applied_configurations"] == ["merchant", "recipient"]
    assert made["identity"]["business_details"]["registered_name"] == "A Inc."
    assert (made["identity"]["country"], made["identity"]["entity_type"]) == ("us", "company")
    assert made["configuration"]["merchant"]["capabilities"]["card_payments"]["status"] == "restricted"
    assert made["requirements"]["entries"] != []
    plain = api.get(f"{PATH}/{made['id']}")
    assert [plain[name] for name in ("configuration", "identity", "requirements", "defaults")] == [None] * 4


def test_an_account_keeps_the_languages_that_it_prefers_which_v1_does_not_show(api: Api) -> None:
    made = company(api, defaults={"locales": ["de-DE", "en-US"]})
    assert made["defaults"]["locales"] == ["de-DE", "en-US"]
    assert not [name for name in api.get(f"/v1/accounts/{made['id']}") if "locales" in name]
    changed = api.ok("POST", f"{PATH}/{made['id']}", defaults={"locales": ["fr-FR"]}, include=["defaults"])
    assert changed["defaults"]["locales"] == ["fr-FR"]
    refused = api.post("/v1/accounts", type="custom", _locales=["de-DE"])
    assert refused.error["code"] == "parameter_unknown"


@pytest.mark.parametrize("name", ["merchant", "recipient"])
def test_a_merchant_and_a_recipient_need_not_be_the_same_account(api: Api, name: str) -> None:
    asked = {
        "merchant": {"capabilities": {"card_payments": {"requested": True}}},
        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
    }
    made = api.ok("POST", PATH, identity={"country": "us"}, configuration={name: asked[name]}, include=EVERYTHING)
    assert made["applied_configurations"] == [name]
    both = api.ok("POST", f"{PATH}/{made['id']}", configuration=asked)
    assert both["applied_configurations"] == ["merchant", "recipient"]


@pytest.mark.parametrize("name", ["customer", "merchant", "recipient"])
def test_a_configuration_without_anything_in_it_is_refused_by_name(api: Api, name: str) -> None:
    refused = company(api, configuration={name: {}})
    assert (refused.status, f"configuration.{name}" in refused.error["message"]) == (400, True)


def test_both_apis_see_one_account(api: Api) -> None:
    made = company(api)
    old = api.ok("GET", f"/v1/accounts/{made['id']}")
    assert (old["email"], old["company"]["name"], old["country"]) == ("a@example.com", "A Inc.", "US")
    assert set(old["capabilities"]) == {"card_payments", "transfers"}
    api.ok("POST", f"/v1/accounts/{made['id']}", email="b@example.com")
    assert api.get(f"{PATH}/{made['id']}")["contact_email"] == "b@example.com"
    other = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    assert api.get(f"{PATH}/{other}")["dashboard"] == "express"
    assert [one["id"] for one in api.get(PATH)["data"]] == [other, made["id"]]


@pytest.mark.parametrize(
    ("dashboard", "fees", "losses", "collector"),
    [("none", "application", "application", "application"), ("express", "application", "application", "stripe"),
     ("full", "stripe", "stripe", "stripe")],
)  # fmt: skip
def test_dashboard_and_responsibilities_are_those_of_the_controller(
    api: Api, dashboard: str, fees: str, losses: str, collector: str
) -> None:
    duties = {"fees_collector": fees, "losses_collector": losses}
    made = company(api, dashboard=dashboard, defaults={"responsibilities": duties})
    assert (made["dashboard"], made["defaults"]["responsibilities"]) == (
        dashboard,
        {**duties, "requirements_collector": collector},
    )
    controller = api.get(f"/v1/accounts/{made['id']}")["controller"]
    assert controller["fees"]["payer"] == ("account" if fees == "stripe" else "application")


def test_an_individual_is_a_person_of_the_account(api: Api) -> None:
    person = {"given_name": "Jenny", "surname": "Rosen", "date_of_birth": {"day": 1, "month": 2, "year": 1990}}
    made = company(api, identity={"country": "us", "entity_type": "individual", "individual": person})
    shown = made["identity"]["individual"]
    assert {name: shown[name] for name in person} == person
    assert api.get(f"/v1/accounts/{made['id']}/persons/{shown['id']}")["first_name"] == "Jenny"


@pytest.mark.parametrize(
    "change",
    [
        {"configuration": {"customer": {"shipping": {"name": "A"}}}},
        {"identity": {"attestations": {"directorship_declaration": {"ip": "1.2.3.4"}}}},
    ],
)
def test_what_an_account_of_v1_does_not_have_is_refused(api: Api, change: dict[str, Any]) -> None:
    refused = company(api, **change)
    assert (refused.status, refused.error["code"]) == (400, "invalid_fields")
    assert api.get(PATH)["data"] == []


def test_an_account_has_a_currency_that_accounts_of_its_country_have(api: Api) -> None:
    refused = company(api, defaults={"currency": "xyz"})
    assert (refused.status, refused.error["code"]) == (400, "invalid_fields")
    assert api.get(PATH)["data"] == []
    path = f"{PATH}/{company(api, defaults={'currency': 'usd'})['id']}"
    assert api.post(path, defaults={"currency": "jpy"}).status == 400


def test_an_account_is_updated_but_not_moved(api: Api) -> None:
    path = f"{PATH}/{company(api, metadata={'a': '1'})['id']}"
    changed = api.ok("POST", path, display_name="B", metadata={"a": None, "b": "2"})
    assert (changed["display_name"], changed["metadata"]) == ("B", {"b": "2"})
    for fixed in ({"identity": {"country": "de"}}, {"dashboard": "none"}):
        assert api.post(path, **fixed).status == 400


def test_a_closed_account_is_gone(api: Api) -> None:
    made = company(api)
    path = f"{PATH}/{made['id']}"
    for named in ({}, {"applied_configurations": ["merchant"]}):
        assert api.post(path + "/close", **named).error["code"] == "configs_must_match_to_close"
    closed = api.ok("POST", path + "/close", applied_configurations=["merchant", "recipient"])
    assert (closed["id"], closed["closed"]) == (made["id"], True)
    gone = api.get(path)
    assert (gone.status, gone.error["code"]) == (404, "not_found")
    assert api.get(f"/v1/accounts/{made['id']}").status == 403


def test_accounts_are_listed_by_their_configurations(api: Api) -> None:
    both = company(api)["id"]
    merchant = company(api, configuration={"merchant": {"capabilities": {"card_payments": {"requested": True}}}})["id"]
    found = [one["id"] for one in api.get(PATH, applied_configurations=["recipient"])["data"]]
    assert both in found
    assert merchant in [one["id"] for one in api.get(PATH, applied_configurations=["merchant"])["data"]]
    assert api.get(PATH, closed=True)["data"] == []


def test_an_account_is_told_of_in_thin_events(api: Api) -> None:
    made = company(api)
    headers = {"Stripe-Account": made["id"]}
    (event,) = api.get("/v2/core/events", headers=headers, types=["v2.core.account.created"])["data"]
    related = {"id": made["id"], "type": "v2.core.account", "url": f"{PATH}/{made['id']}"}
    assert (event["related_object"], event["context"]) == (related, made["id"])


def test_an_account_of_another_platform_is_not_found(api: Api) -> None:
    made = company(api)
    assert api.another().get(f"{PATH}/{made['id']}").status == 404
    assert api.get(f"{PATH}/{made['id']}", key=api.live_sk).status == 404
    assert api.get(PATH, key=api.restricted("customer_read")).status == 403


def test_capabilities_of_a_rejected_account_are_rejected_since_endive(api: Api) -> None:
    account = connected(api)["id"]
    api.ok("post", f"/v1/accounts/{account}/reject", reason="fraud_other")
    asked = {"include": ["configuration.merchant", "configuration.recipient"]}
    for version, status, code in (
        (LATEST, "rejected", "rejected_platform_fraud"), (BEFORE_ENDIVE, "restricted", "restricted_other"),
    ):  # fmt: skip
        configuration = api.under(version).ok("get", f"/v2/core/accounts/{account}", **asked)["configuration"]
        for one in (
            configuration["merchant"]["capabilities"]["card_payments"],
            configuration["recipient"]["capabilities"]["stripe_balance"]["stripe_transfers"],
        ):
            assert (one["status"], one["status_details"][0]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"business_profile": {"name": "Rocket Rides"}}, "defaults"),
        ({"business_profile": {"mcc": "5192"}}, "configuration.merchant"),
        ({"business_profile": {"url": "https://disallowed.stripe.com"}}, "requirements"),
        ({"individual": {"last_name": "Diaz"}}, "identity"),
    ],
)
def test_thin_events_tell_which_part_of_an_account_has_changed(api: Api, params: dict[str, Any], part: str) -> None:
    account = connected(api)["id"]
    types = [f"v2.core.account[{part}].updated"]
    within = {"headers": {"Stripe-Account": account}}
    before = len(api.ok("get", "/v2/core/events", types=types, **within)["data"])
    api.ok("post", f"/v1/accounts/{account}", **params)
    event, *earlier = api.ok("get", "/v2/core/events", types=types, **within)["data"]
    assert len(earlier) == before
    related = {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"}
    assert (event["related_object"], event["context"]) == (related, account)


def test_a_thin_event_names_the_capability_whose_status_has_changed(api: Api) -> None:
    account = connected(api)["id"]
    api.ok("post", f"/v1/accounts/{account}/capabilities/transfers", requested=False)
    types = ["v2.core.account[configuration.recipient].capability_status_updated"]
    page = api.ok("get", "/v2/core/events", types=types, headers={"Stripe-Account": account})
    assert page["data"][0]["data"] == {"updated_capability": "stripe_balance.stripe_transfers"}
