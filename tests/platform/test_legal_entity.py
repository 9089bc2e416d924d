"""Accounts before 2019-02-19: their parameters do what those of today do, and their answers have the older names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import LINK, connected

OLD = "2018-11-08"
HOME = {"city": "Oakland", "line1": "address_full_match", "postal_code": "94601", "state": "CA"}
BIRTH = {"day": 1, "month": 1, "year": 1901}
BANK = {"object": "bank_account", "country": "US", "currency": "usd"}
BANK |= {"account_number": "000123456789", "routing_number": "110000000"}
TERMS = {"date": 1_500_000_000, "ip": "198.51.100.7"}
NOBODY: dict[str, Any] = {"details": None, "details_code": None, "document": None, "document_back": None}


def made(api: Api, **entity: object) -> Answer:
    return api.under(OLD).ok(
        "POST", "/v1/accounts", type="custom", country="US", email="jenny@example.com", legal_entity=entity
    )


def test_an_account_shows_its_legal_entity_and_its_settings_at_the_top(api: Api) -> None:
    account = api.under(OLD).ok("POST", "/v1/accounts", type="custom", country="US")
    assert account["legal_entity"] == {
        "additional_owners": [],
        "address": {"city": None, "country": "US", "line1": None, "line2": None, "postal_code": None, "state": None},
        "business_name": None,
        "business_tax_id_provided": False,
        "dob": {"day": None, "month": None, "year": None},
        "first_name": None,
        "last_name": None,
        "personal_address": {
            "city": None, "country": "US", "line1": None, "line2": None, "postal_code": None, "state": None,
        },
        "personal_id_number_provided": False,
        "ssn_last_4_provided": False,
        "type": None,
        "verification": {**NOBODY, "status": "unverified"},
    }  # fmt: skip
    assert account["payout_schedule"] == {"delay_days": 2, "interval": "daily"}
    assert account["decline_charge_on"] == {"avs_failure": False, "cvc_failure": False}
    assert (account["business_logo"], account["timezone"], account["mcc"]) == (None, "Etc/UTC", "5734")
    assert not {"business_profile", "company", "individual", "requirements", "settings"} & account.keys()
    verification = account["verification"]
    assert (verification["disabled_reason"], verification["due_by"]) == ("fields_needed", None)
    assert {"legal_entity.type", "business_url", "external_account"} <= set(verification["fields_needed"])
    assert {"legal_entity.first_name", "legal_entity.dob.day"} <= set(verification["fields_needed"])


def test_the_person_behind_an_account_is_told_in_its_legal_entity(api: Api) -> None:
    person = {"first_name": "Jenny", "last_name": "Rosen", "dob": BIRTH, "address": HOME, "ssn_last_4": "0000"}
    account = made(api, type="individual", **person, phone_number="+15105550100", personal_id_number="000000000")
    entity = account["legal_entity"]
    assert (entity["type"], entity["first_name"], entity["dob"]) == ("individual", "Jenny", BIRTH)
    assert entity["address"] == entity["personal_address"] == {**HOME, "country": "US", "line2": None}
    assert (entity["ssn_last_4_provided"], entity["personal_id_number_provided"]) == (True, True)
    new = api.get(f"/v1/accounts/{account['id']}")
    assert (new["business_type"], new["individual"]["phone"], new["individual"]["email"]) == (
        "individual",
        "+15105550100",
        "jenny@example.com",
    )
    assert "legal_entity" not in new


def test_an_account_of_2018_becomes_able_to_charge(api: Api) -> None:
    account = made(
        api,
        type="individual",
        first_name="Jenny",
        last_name="Rosen",
        dob=BIRTH,
        address=HOME,
        ssn_last_4="0000",
        phone_number="+15105550100",
    )
    old = api.under(OLD)
    path = f"/v1/accounts/{account['id']}"
    done = old.ok("POST", path, business_url="https://example.com", external_account=BANK, tos_acceptance=TERMS)
    api.advance(60)
    done = old.ok("GET", path)
    assert (done["charges_enabled"], done["verification"]["fields_needed"]) == (True, [])
    assert done["capabilities"] == {"card_payments": "active", "transfers": "active"}


def test_a_company_has_a_representative_and_further_owners(api: Api) -> None:
    account = made(
        api,
        type="company",
        business_name="Rocket Rides",
        business_tax_id="000000000",
        address=HOME,
        phone_number="+15105550100",
        first_name="Jenny",
        last_name="Rosen",
        personal_address={**HOME, "city": "Berkeley"},
        verification={"document": "file_identity_document_success"},
        additional_owners=[{"first_name": "Kathleen", "last_name": "Banks", "dob": BIRTH}],
    )
    entity = account["legal_entity"]
    assert (entity["business_name"], entity["business_tax_id_provided"]) == ("Rocket Rides", True)
    assert (entity["address"]["city"], entity["personal_address"]["city"]) == ("Oakland", "Berkeley")
    assert entity["verification"]["document"].startswith("file_")
    assert [(one["first_name"], one["dob"]) for one in entity["additional_owners"]] == [("Kathleen", BIRTH)]
    path = f"/v1/accounts/{account['id']}"
    people = {one["first_name"]: one["relationship"] for one in api.get(path + "/persons")["data"]}
    assert people["Jenny"]["representative"]
    assert people["Kathleen"]["owner"]
    assert "Kathleen" not in str(api.get(path)["company"])
    changed = api.under(OLD).ok(
        "POST", path, legal_entity={"additional_owners": [{"last_name": "Bank"}, {"first_name": "Leo"}]}
    )
    named = [(one["first_name"], one["last_name"]) for one in changed["legal_entity"]["additional_owners"]]
    assert named == [("Kathleen", "Bank"), ("Leo", None)]
    assert len(api.get(path + "/persons")["data"]) == 3


@pytest.mark.parametrize(
    ("params", "now"),
    [
        ({"business_name": "Gold"}, ("business_profile", "name", "Gold")),
        ({"business_url": "https://example.com"}, ("business_profile", "url", "https://example.com")),
        ({"product_description": "Hats"}, ("business_profile", "product_description", "Hats")),
        ({"support_email": "help@example.com"}, ("business_profile", "support_email", "help@example.com")),
        ({"statement_descriptor": "GOLDEN"}, ("settings", "payments", "statement_descriptor", "GOLDEN")),
        ({"business_primary_color": "#ff0000"}, ("settings", "branding", "primary_color", "#ff0000")),
        ({"debit_negative_balances": True}, ("settings", "payouts", "debit_negative_balances", True)),
        (
            {"decline_charge_on": {"cvc_failure": True}},
            ("settings", "card_payments", "decline_on", {"avs_failure": False, "cvc_failure": True}),
        ),
        (
            {"payout_schedule": {"interval": "manual"}},
            ("settings", "payouts", "schedule", {"delay_days": 1, "interval": "manual"}),
        ),
        ({"payout_statement_descriptor": "OUT"}, ("settings", "payouts", "statement_descriptor", "OUT")),
    ],
)
def test_a_setting_stands_at_the_top(api: Api, params: dict[str, Any], now: tuple[Any, ...]) -> None:
    old = api.under(OLD)
    account = old.ok("POST", "/v1/accounts", type="custom", country="US", **params)
    *path, value = now
    assert account[next(iter(params))] == value
    found: Any = api.get(f"/v1/accounts/{account['id']}")
    for name in path:
        found = found[name]
    assert found == value
    for refusing in (api, api.under("2019-02-19")):
        refused = refusing.post("/v1/accounts", type="custom", country="US", **params)
        if "debit_negative_balances" not in params:  # which later versions were seen to take
            assert (refused.status, refused.error["code"]) == (400, "parameter_unknown")


def test_since_2019_02_19_there_is_no_legal_entity(api: Api) -> None:
    refused = api.under("2019-02-19").post("/v1/accounts", type="custom", legal_entity={"type": "company"})
    assert (refused.status, refused.error["param"]) == (400, "legal_entity")
    wrong = api.under(OLD).post("/v1/accounts", type="custom", legal_entity={"shoe_size": "9"})
    assert (wrong.status, wrong.error["param"]) == (400, "legal_entity[shoe_size]")


def test_before_2017_accounts_are_managed_and_have_transfers(api: Api) -> None:
    old = api.under("2017-02-14")
    account = old.ok("POST", "/v1/accounts", managed=True, country="US", transfer_schedule={"interval": "manual"})
    assert (account["managed"], account["transfer_schedule"]["interval"], account["transfers_enabled"]) == (
        True,
        "manual",
        False,
    )
    assert not {"type", "payout_schedule", "payouts_enabled"} & account.keys()
    assert api.get(f"/v1/accounts/{account['id']}")["type"] == "custom"
    assert old.ok("POST", "/v1/accounts", managed=False, country="US")["managed"] is False
    assert api.under("2017-05-25").post("/v1/accounts", managed=True).error["param"] == "managed"


def test_an_account_that_answers_for_itself_shows_the_platform_nobody(api: Api) -> None:
    own = api.under(OLD).ok("GET", "/v1/account")
    assert (own["legal_entity"]["type"], own["legal_entity"]["first_name"]) == ("company", None)
    assert own["business_name"] == "Test account"


def test_an_account_reads_itself_in_the_older_shape_too(api: Api) -> None:
    account = made(api, type="individual", first_name="Jenny")
    seen = api.under(OLD).ok("GET", "/v1/account", headers={"Stripe-Account": account["id"]})
    assert seen["legal_entity"]["first_name"] == "Jenny"


def test_a_deleted_account_has_no_legal_entity(api: Api) -> None:
    account = api.under(OLD).ok("POST", "/v1/accounts", type="custom", country="US")["id"]
    assert dict(api.under(OLD).delete(f"/v1/accounts/{account}")) == {
        "id": account, "object": "account", "deleted": True,
    }  # fmt: skip


def test_owners_are_closed_to_the_platform_where_stripe_collects_the_requirements(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="express", country="US")["id"]
    api.ok("POST", "/v1/account_links", account=account, **LINK)
    owners = {"additional_owners": [{"first_name": "Eve"}]}
    assert api.under(OLD).post(f"/v1/accounts/{account}", legal_entity=owners).status == 403


def test_people_that_are_closed_to_the_platform_are_not_shown_in_the_legal_entity(api: Api) -> None:
    made = api.ok("POST", "/v1/accounts", type="express", country="US", business_type="company")["id"]
    path = f"/v1/accounts/{made}"
    for name, role in (("Jenny", {"representative": True}), ("Eve", {"owner": True})):
        api.ok("POST", f"{path}/persons", first_name=name, relationship=role)
    seen = api.under(OLD).get(path)["legal_entity"]
    assert (seen["first_name"], [one["first_name"] for one in seen["additional_owners"]]) == ("Jenny", ["Eve"])
    api.ok("POST", "/v1/account_links", account=made, **LINK)
    assert api.get(f"{path}/persons").status == 403
    seen = api.under(OLD).get(path)["legal_entity"]
    assert (seen["first_name"], seen["additional_owners"]) == (None, [])


@pytest.mark.parametrize("version", ["2018-11-08", "2017-04-06", "2017-02-14", "2011-01-01"])
def test_a_destination_payment_only_names_the_platform_in_older_versions_too(api: Api, version: str) -> None:
    """Its ``source`` is the platform, of which no more is told than its name; an old endpoint hears of it as well."""
    account, to = connected(api), {"url": "https://example.com/", "connect": True, "api_version": version}
    api.ok("POST", "/v1/webhook_endpoints", enabled_events=["*"], **to)
    there = {"destination": account["id"]}
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa", transfer_data=there)
    payment = api.ok("GET", f"/v1/transfers/{charge['transfer']}")["destination_payment"]
    headers = {"Stripe-Account": account["id"], "Stripe-Version": version}
    shown = api.get(f"/v1/charges/{payment}", headers=headers)
    assert (shown.status, shown["source"]["object"], shown["source"]["id"]) == (200, "account", api.account)
    assert not {"legal_entity", "managed", "transfers_enabled"} & shown["source"].keys()
