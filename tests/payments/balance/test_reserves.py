"""What a platform reserves for its accounts with a negative balance, by whose losses they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import acting, audit, available, connected, fund

WEEK = 7 * 86_400


def reserved(api: Api, currency: str = "usd") -> int:
    """What ``connect_reserved`` of the platform says of one currency."""
    return next(one["amount"] for one in api.get("/v1/balance")["connect_reserved"] if one["currency"] == currency)


def owe(api: Api, account: Answer, amount: int = 15) -> Answer:
    """Let an account send money to its platform that it does not have."""
    given = {"amount": amount, "currency": "usd", "destination": api.account, "headers": acting(account)}
    return api.ok("post", "/v1/transfers", **given)


def history(api: Api) -> list[tuple[int, str, str]]:
    """The reserve's balance transactions, oldest first."""
    page = api.get("/v1/balance_transactions", type="reserve_transaction", limit=100)
    return [(one["amount"], one["reporting_category"], one["currency"]) for one in reversed(page["data"])]


def test_a_negative_balance_is_taken_from_the_platforms_and_given_back_with_what_is_sent(api: Api) -> None:
    account = connected(api)
    fund(api, 1_000)
    before = available(api)
    owe(api, account)
    assert (reserved(api), available(api), available(api, account)) == (15, before + 15 - 15, -15)
    api.ok("post", "/v1/transfers", amount=10, currency="usd", destination=account["id"])
    assert (reserved(api), available(api)) == (5, before - 10 + 10)
    api.ok("post", "/v1/transfers", amount=100, currency="usd", destination=account["id"])
    assert (reserved(api), available(api), available(api, account)) == (0, before + 15 - 110, 95)
    assert history(api) == [(amount, "connect_reserved_funds", "usd") for amount in (-15, 10, 5)]
    audit(api, account)


def test_a_reserve_grows_with_each_account_that_owes(api: Api) -> None:
    first, second = connected(api), connected(api)
    owe(api, first, 20)
    owe(api, second, 30)
    owe(api, first, 5)
    assert reserved(api) == 55
    fund(api, 10_000, second)
    assert reserved(api) == 25
    audit(api, first, second)


@pytest.mark.parametrize(
    ("params", "amount"),
    [
        ({"type": "custom"}, 15),
        ({"type": "express", "tos_acceptance": {}}, 15),
        ({"type": "standard", "tos_acceptance": {}}, 0),
        ({"controller": {"losses": {"payments": "application"}, "requirement_collection": "application",
         "stripe_dashboard": {"type": "none"}, "fees": {"payer": "application"}}}, 15),
        ({"controller": {"losses": {"payments": "stripe"}}, "tos_acceptance": {}}, 0),
    ],
)  # fmt: skip
def test_a_platform_reserves_only_for_losses_that_it_bears(api: Api, params: dict[str, Any], amount: int) -> None:
    given = {"type": None, **params} if "controller" in params else params
    account = made(api, given)
    owe(api, account)
    assert (reserved(api), available(api, account)) == (amount, -15)


def made(api: Api, params: dict[str, Any]) -> Answer:
    """An account of some type or controller. It is not onboarded: money may leave it nevertheless."""
    given = {name: value for name, value in params.items() if value}
    return api.ok("post", "/v1/accounts", country="US", **given)


def test_a_platform_without_money_owes_what_it_reserves(api: Api) -> None:
    account = connected(api)
    charge = fund(api, 1_000, account)
    left = available(api, account)
    api.ok("post", "/v1/payouts", amount=left, currency="usd", headers=acting(account))
    api.ok("post", "/v1/refunds", charge=charge["id"], headers=acting(account))
    assert available(api, account) == -1_000
    assert (reserved(api), available(api)) == (1_000, -1_000)
    assert api.post("/v1/payouts", amount=1, currency="usd").error["code"] == "balance_insufficient"
    audit(api, account)


def test_money_that_becomes_available_gives_the_reserve_back(api: Api) -> None:
    account = connected(api)
    owe(api, account)
    api.ok("post", "/v1/charges", amount=1_000, currency="usd", source="tok_visa", headers=acting(account))
    assert reserved(api) == 15
    api.advance(WEEK)
    assert reserved(api) == 0
    audit(api, account)


def test_a_reserve_is_in_the_currency_of_the_debt(api: Api) -> None:
    bank = {"object": "bank_account", "country": "CA", "currency": "cad", "account_number": "000123456789"}
    account = connected(api, country="CA", external_account=bank)
    given = {"amount": 40, "currency": "cad", "destination": api.account, "headers": acting(account)}
    api.ok("post", "/v1/transfers", **given)
    assert (reserved(api, "cad"), available(api, account, "cad")) == (40, -40)


def test_a_transaction_of_the_reserve_names_no_object(api: Api) -> None:
    owe(api, connected(api))
    (one,) = api.get("/v1/balance_transactions", type="reserve_transaction", expand=["data.source"])["data"]
    assert (one["source"], one["net"], one["status"]) == (None, -15, "available")


def test_an_account_of_nobody_else_reserves_nothing(api: Api) -> None:
    charge = fund(api, 1_000)
    api.ok("post", "/v1/payouts", amount=available(api), currency="usd")
    api.ok("post", "/v1/refunds", charge=charge["id"])
    assert available(api) == -1_000
    assert history(api) == []


def test_the_debt_of_a_deleted_account_is_paid_out_of_its_reserve(api: Api) -> None:
    account, other = connected(api), connected(api)
    owe(api, account)
    owe(api, other, 7)
    before = available(api)
    api.ok("delete", f"/v1/accounts/{account['id']}")
    api.advance(0)
    assert (reserved(api), available(api)) == (7, before)
    written = api.get("/v1/balance_transactions", type="connect_collection_transfer")["data"]
    assert [(one["amount"], one["reporting_category"]) for one in written] == [(-15, "connect_collection_transfer")]
    assert history(api)[-1] == (15, "connect_reserved_funds", "usd")
    audit(api, other)
