"""What becomes of an account's bank accounts and cards: who owns them, failed payouts, and updates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api, rule_table
from tests.support.connected import acting, connected, fund

OWNERSHIP = "documents.bank_account_ownership_verification.files"
ROUTING = {"object": "bank_account", "country": "US", "currency": "usd", "routing_number": "110000000"}


def with_bank(api: Api, number: str) -> Answer:
    """An account that is paid out to a bank account of this number."""
    return connected(api, external_account={**ROUTING, "account_number": number})


def bank_of(api: Api, account: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v1/accounts/{account}")["external_accounts"]["data"][0]
    return found


def test_a_bank_account_whose_owner_matches_stays_new(api: Api) -> None:
    account = with_bank(api, "000999999991")["id"]
    api.advance(200)
    assert bank_of(api, account)["status"] == "new"
    assert api.get(f"/v1/accounts/{account}")["payouts_enabled"] is True


@pytest.mark.parametrize("place", ["account", "external account"])
def test_a_document_shows_the_owner_who_could_not_be_verified(api: Api, place: str) -> None:
    id = with_bank(api, "000999999992")["id"]
    api.advance(200)
    account, bank = api.get(f"/v1/accounts/{id}"), bank_of(api, id)
    assert (bank["status"], bank["requirements"]["currently_due"]) == ("verification_failed", [OWNERSHIP])
    assert account["requirements"]["currently_due"] == [OWNERSHIP]
    assert (account["charges_enabled"], account["payouts_enabled"]) == (True, False)
    (event,) = api.get("/v1/events", type="account.external_account.updated", headers={"Stripe-Account": id})["data"]
    assert event["data"]["previous_attributes"]["status"] == "new"
    path = f"/v1/accounts/{id}" if place == "account" else f"/v1/accounts/{id}/external_accounts/{bank['id']}"
    for outcome, status in (("failure", "verification_failed"), ("success", "new")):
        files = {"files": [f"file_identity_document_{outcome}"]}
        api.ok("post", path, documents={"bank_account_ownership_verification": files})
        api.advance(200)
        assert bank_of(api, id)["status"] == status
    account = api.get(f"/v1/accounts/{id}")
    assert (account["requirements"]["currently_due"], account["payouts_enabled"]) == ([], True)


@pytest.mark.parametrize(
    ("external", "changed"),
    [
        ({**ROUTING, "account_number": "000111111116"}, {"account_holder_name": "Jenny"}),
        ("tok_visa_debit_us_transferFail", {"exp_year": 2035}),
    ],
)
def test_what_a_payout_has_come_back_from_is_errored_until_its_details_are_updated(
    api: Api, external: Any, changed: dict[str, Any]
) -> None:
    account = connected(api, external_account=external)
    assert bank_of(api, account["id"])["status"] == "new"
    fund(api, 1_000, account)
    api.ok("post", "/v1/payouts", amount=100, currency="usd", headers=acting(account))
    api.advance(7 * 86_400)
    errored = bank_of(api, account["id"])
    assert errored["status"] == "errored"
    path = f"/v1/accounts/{account['id']}/external_accounts/{errored['id']}"
    assert api.ok("post", path, metadata={"a": "b"})["status"] == "errored"
    assert api.ok("post", path, **changed)["status"] == "new"


def test_a_verified_token_becomes_a_new_external_account(api: Api) -> None:
    assert bank_of(api, connected(api, external_account="btok_us_verified")["id"])["status"] == "new"


def test_a_bank_account_is_not_given_what_only_a_card_has(api: Api) -> None:
    account = with_bank(api, "000123456789")["id"]
    path = f"/v1/accounts/{account}/external_accounts/{bank_of(api, account)['id']}"
    for name, value in (("exp_month", 5), ("address_zip", "94111")):
        refused = api.post(path, **{name: value})
        assert (refused.status, refused.error["param"], refused.error["code"]) == (400, name, "parameter_unknown")


def test_one_external_account_is_added_at_a_time(api: Api) -> None:
    bank = {**ROUTING, "account_number": "000123456789"}
    path = f"/v1/accounts/{with_bank(api, '000123456789')['id']}/external_accounts"
    refused = api.post(path, external_account=bank, bank_account=bank)
    assert (refused.status, refused.error["code"]) == (400, "parameters_exclusive")


_FILES = "documents][bank_account_ownership_verification"


@rule_table
@pytest.mark.parametrize("place", ["account", "external account"])
@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"documents": "abc"}, "documents"),
        ({"documents": {"bank_account_ownership_verification": "abc"}}, _FILES),
        ({"documents": {"bank_account_ownership_verification": {"files": "abc"}}}, f"{_FILES}][files"),
        ({"documents": {"bank_account_ownership_verification": {"files": {"a": {"b": "c"}}}}}, f"{_FILES}][files"),
        ({"country": {"a": "b"}}, "country"),
        ({"currency": ["usd"]}, "currency"),
        ({"account_holder_name": "x" * 5001}, "account_holder_name"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"a": {"b": "c"}}}, "metadata][a"),
        ({"object": "cash"}, "object"),
        ({"iban": "DE89370400440532013000"}, "iban"),
    ],
)
def test_data_of_a_bank_account_is_typed_wherever_it_is_sent(
    api: Api, place: str, given: dict[str, Any], path: str
) -> None:
    bank = {**ROUTING, "account_number": "000123456789", **given}
    own = f"/v1/accounts/{connected(api)['id']}/external_accounts"
    refused = (
        api.post("/v1/accounts", type="custom", country="US", external_account=bank)
        if place == "account"
        else api.post(own, external_account=bank)
    )
    assert refused.status == 400
    assert refused.error["param"].startswith(f"external_account[{path}]")
