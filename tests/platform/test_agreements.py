"""Which capabilities an account may request, by country and service agreement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import korean_recipient

ALONE = "You cannot request the `transfers` capability without the `card_payments` capability for accounts in {}."
CARDS = "Accounts do not currently support `card_payments` without `transfers`."
CARDS_OF_RECIPIENT = "You cannot request the `card_payments` capability for accounts under the recipient ToS agreement."
RECIPIENT = "The recipient ToS agreement is not supported for platforms in US creating accounts in {}."


def ask(api: Api, country: str, *names: str, agreement: str | None = None, **more: Any) -> Answer:
    terms = {"tos_acceptance": {"service_agreement": agreement}} if agreement else {}
    wanted = {name: {"requested": True} for name in names}
    return api.post("/v1/accounts", type="custom", country=country, capabilities=wanted, **terms, **more)


@pytest.mark.parametrize(
    ("country", "names", "agreement", "message"),
    [
        ("US", ("card_payments", "transfers"), None, None),
        ("US", ("transfers",), None, ALONE.format("US")),
        ("BR", ("transfers",), None, ALONE.format("BR")),
        ("FR", ("transfers",), None, None),
        ("FR", ("card_payments",), None, CARDS),
        ("US", ("card_payments",), None, CARDS),
        ("GB", ("transfers",), "recipient", None),
        ("GB", ("card_payments", "transfers"), "recipient", CARDS_OF_RECIPIENT),
        ("US", ("transfers",), "recipient", RECIPIENT.format("US")),
        ("BR", ("transfers",), "recipient", RECIPIENT.format("BR")),
        ("US", ("card_payments", "transfers"), "full", None),
    ],
)
def test_capabilities_go_together_as_country_and_agreement_allow(
    api: Api, country: str, names: tuple[str, ...], agreement: str | None, message: str | None
) -> None:
    answer = ask(api, country, *names, agreement=agreement)
    assert answer.status == (200 if message is None else 400)
    if message is not None:
        assert answer.error["message"].startswith(message)
        named = message.startswith("The recipient")
        assert answer.error["param"] == ("tos_acceptance[service_agreement]" if named else "capabilities")


def test_the_older_parameter_and_the_capability_itself_follow_the_same_rules(api: Api) -> None:
    older = api.post("/v1/accounts", type="custom", country="US", requested_capabilities=["transfers"])
    assert older.error["message"] == ALONE.format("US")
    account = api.ok("post", "/v1/accounts", type="custom", country="US")["id"]
    path = f"/v1/accounts/{account}/capabilities"
    assert api.post(f"{path}/transfers", requested=True).error["message"] == ALONE.format("US")
    assert api.post(f"{path}/card_payments", requested=True).error["message"].startswith(CARDS)
    both = {name: {"requested": True} for name in ("card_payments", "transfers")}
    api.ok("post", f"/v1/accounts/{account}", capabilities=both)
    assert api.ok("post", f"{path}/card_payments", requested=False)["status"] == "unrequested"


def test_an_accepted_agreement_stays(api: Api) -> None:
    account = korean_recipient(api)["id"]
    refused = api.post(f"/v1/accounts/{account}", tos_acceptance={"service_agreement": "full"})
    assert (refused.status, refused.error["param"]) == (400, "tos_acceptance[service_agreement]")
    assert api.post(f"/v1/accounts/{account}", tos_acceptance={"service_agreement": "recipient"}).status == 200
    open_still = ask(api, "GB", "transfers", agreement="recipient")["id"]
    assert api.post(f"/v1/accounts/{open_still}", tos_acceptance={"service_agreement": "full"}).status == 200


@pytest.mark.parametrize(
    ("country", "currency", "status"),
    [
        ("US", "usd", 200),
        ("US", "eur", 400),
        ("US", "xxx", 400),
        ("CA", "cad", 200),
        ("CA", "usd", 200),
        ("CA", "jpy", 400),
        ("DE", "gbp", 200),
        ("DE", "krw", 400),
    ],
)
def test_the_default_currency_is_one_that_accounts_of_the_country_have(
    api: Api, country: str, currency: str, status: int
) -> None:
    made = api.post("/v1/accounts", type="custom", country=country, default_currency=currency)
    assert made.status == status
    account = api.ok("post", "/v1/accounts", type="custom", country=country)["id"]
    changed = api.post(f"/v1/accounts/{account}", default_currency=currency)
    assert changed.status == status
    for answer in (made, changed):
        assert status == 200 or answer.error["param"] == "default_currency"
