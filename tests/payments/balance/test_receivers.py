"""Who may receive money of a platform, by capability, country and service agreement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import (
    JAPANESE,
    JAPANESE_PROFILE,
    acting,
    connected,
    everything,
    fund,
    in_state,
    korean_recipient,
)

CAPABILITY = "Your destination account needs to have at least one of the following capabilities enabled: transfers"
REACH = "Funds can't be sent to accounts located in {} when the account is under the `full` service agreement."
OUTSIDE = "Cannot create a destination charge for connected accounts in {}"


def bank(country: str, currency: str) -> dict[str, str]:
    number = f"{country}89370400440532013000" if country in ("DE", "CH") else "000123456789"
    return {"object": "bank_account", "country": country, "currency": currency, "account_number": number}


def send(api: Api, way: str, account: str) -> Answer:
    """Send money to an account in one of the ways that a platform has."""
    if way == "transfer":
        return api.post("/v1/transfers", amount=10, currency="usd", destination=account)
    if way == "charge":
        given: dict[str, Any] = {"source": "tok_visa", "destination": {"account": account}}
        return api.post("/v1/charges", amount=100, currency="usd", **given)
    return api.post("/v1/payment_intents", amount=100, currency="usd", transfer_data={"destination": account})


@pytest.mark.parametrize("way", ["transfer", "charge", "intent"])
@pytest.mark.parametrize(
    ("state", "status"),
    [("unrequested", 400), ("inactive", 400), ("canceled", 400), ("rejected", 400), ("pending", 200), ("active", 200)],
)
def test_money_goes_only_to_accounts_whose_capability_allows_it(api: Api, way: str, state: str, status: int) -> None:
    fund(api, 1_000)
    account = in_state(api, state)
    if state != "rejected":
        shown = api.get(f"/v1/accounts/{account['id']}/capabilities/transfers")
        assert shown["status"] == {"canceled": "unrequested"}.get(state, state)
    answer = send(api, way, account["id"])
    assert answer.status == status
    if status == 400:
        assert answer.error["message"].startswith(CAPABILITY)
        assert answer.error["code"] == "insufficient_capabilities_for_transfer"


@pytest.mark.parametrize("way", ["transfer", "charge", "intent"])
def test_a_deleted_account_and_an_unknown_one_are_no_destination(api: Api, way: str) -> None:
    fund(api, 1_000)
    deleted = connected(api)["id"]
    api.ok("delete", f"/v1/accounts/{deleted}")
    for id in (deleted, "acct_invalid"):
        answer = send(api, way, id)
        assert (answer.status, answer.error["code"]) == (400, "resource_missing")
        assert answer.error["message"] == f"No such destination: '{id}'"


@pytest.mark.parametrize(
    ("country", "currency", "reached"),
    [("CA", "cad", True), ("GB", "gbp", True), ("DE", "eur", True), ("CH", "chf", True), ("MX", "mxn", False),
     ("AU", "aud", False), ("JP", "jpy", False)],
)  # fmt: skip
def test_transfers_cross_borders_only_within_the_platforms_region(
    api: Api, country: str, currency: str, reached: bool
) -> None:
    fund(api, 1_000)
    abroad = bank(country, currency)
    told_of = {"individual": told(api, country), "business_profile": JAPANESE_PROFILE}
    account = connected(api, country=country, external_account=abroad, **told_of)
    answer = send(api, "transfer", account["id"])
    assert answer.status == (200 if reached else 400)
    if not reached:
        assert answer.error["message"] == REACH.format(country)


def told(api: Api, country: str) -> dict[str, Any]:
    """The person behind an account."""
    person: dict[str, Any] = everything(api)["individual"]
    return JAPANESE if country == "JP" else person


def test_a_recipient_receives_transfers_across_any_border(api: Api) -> None:
    fund(api, 1_000)
    account = korean_recipient(api)
    for way in ("transfer", "charge", "intent"):
        assert send(api, way, account["id"]).status == 200


def test_a_destination_charge_abroad_settles_there_on_behalf_of_the_account(api: Api) -> None:
    account = connected(api, country="AU", external_account=bank("AU", "aud"))["id"]
    refused = send(api, "intent", account)
    assert (refused.status, refused.error["message"].startswith(OUTSIDE.format("AU"))) == (400, True)
    given = {"transfer_data": {"destination": account}, "on_behalf_of": account}
    assert api.post("/v1/payment_intents", amount=100, currency="usd", **given).status == 200


def test_an_account_sends_money_to_its_platform_whatever_their_countries(api: Api) -> None:
    account = connected(api, country="AU", external_account=bank("AU", "aud"))
    fund(api, 1_000, account)
    given = {"currency": "usd", "destination": api.account, "headers": acting(account)}
    assert api.post("/v1/transfers", amount=10, **given).status == 200


def test_in_test_mode_a_standard_account_receives_money_before_it_is_onboarded(api: Api) -> None:
    fund(api, 1_000)
    account = api.ok("post", "/v1/accounts")["id"]
    for way in ("transfer", "charge", "intent"):
        assert send(api, way, account).status == 200
