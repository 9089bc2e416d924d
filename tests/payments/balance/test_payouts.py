"""Payouts: money from the balance to a bank, by hand."""

from __future__ import annotations

import pytest

from tests.payments.balance.steps import payouts
from tests.support.api import Api
from tests.support.connected import acting, audit, available, connected, everything, fund
from tests.support.openapi import assert_valid

DAY = 86_400


def test_a_payout_leaves_the_balance_at_once_and_arrives(api: Api) -> None:
    fund(api, 10_000)
    before = available(api)
    payout = api.ok("post", "/v1/payouts", amount=1_000, currency="usd", statement_descriptor="Rocket")
    assert_valid("POST", "/v1/payouts", 200, payout)
    assert (payout["status"], available(api)) == ("pending", before - 1_000)
    api.advance(10)
    assert api.get(f"/v1/payouts/{payout['id']}")["status"] == "paid"
    assert [event["type"] for event in api.events() if event["type"].startswith("payout")] == [
        "payout.created",
        "payout.paid",
    ]
    assert api.get(f"/v1/payouts/{payout['id']}", expand=["destination"])["destination"]["object"] == "bank_account"
    audit(api)


def test_a_payout_beyond_the_balance_or_in_a_currency_without_a_bank_is_refused(api: Api) -> None:
    refused = api.post("/v1/payouts", amount=1, currency="usd")
    assert (refused.status, refused.error["code"]) == (400, "balance_insufficient")
    told = "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low.  "
    assert refused.error["message"].startswith(told)
    assert (
        "external accounts in that currency (eur)" in api.post("/v1/payouts", amount=1, currency="eur").error["message"]
    )
    assert api.post("/v1/payouts", amount=1, currency="usd", destination="ba_none").error["param"] == "destination"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("000111111116", "no_account"),
        ("000111111113", "account_closed"),
        ("000222222227", "insufficient_funds"),
        ("000444444440", "invalid_currency"),
    ],
)
def test_a_payout_to_a_failing_test_account_comes_back(api: Api, number: str, code: str) -> None:
    bank = {
        "object": "bank_account",
        "country": "US",
        "currency": "usd",
        "account_number": number,
        "routing_number": "110000000",
    }
    account = connected(api, external_account=bank)
    fund(api, 5_000, account)
    before = available(api, account)
    payout = api.ok("post", "/v1/payouts", amount=1_000, currency="usd", headers=acting(account))
    api.advance(10)
    payout = api.get(f"/v1/payouts/{payout['id']}", headers=acting(account))
    assert (payout["status"], payout["failure_code"]) == ("failed", code)
    assert available(api, account) == before
    assert api.get(f"/v1/accounts/{account['id']}")["external_accounts"]["data"][0]["status"] == "errored"
    events = api.get("/v1/events", type="payout.failed", headers=acting(account))["data"]
    assert [event["account"] for event in events] == [account["id"]]
    audit(api, account)


def test_an_instant_payout_takes_pending_money_but_only_so_much(api: Api) -> None:
    account = connected(api)
    api.ok("post", "/v1/charges", amount=2_000_000, currency="usd", source="tok_visa", headers=acting(account))
    assert available(api, account) == 0
    refused = api.post("/v1/payouts", amount=1_000_000, currency="usd", method="instant", headers=acting(account))
    assert (
        refused.error["message"]
        == "Instant Payouts to bank accounts are only supported for amounts less than or equal to $9999"
    )
    paid = api.post("/v1/payouts", amount=1_000, currency="usd", method="instant", headers=acting(account))
    assert (paid.status, paid["method"]) == (200, "instant")


def test_a_pending_payout_can_be_canceled_and_a_paid_one_reversed(api: Api) -> None:
    fund(api, 10_000)
    before = available(api)
    first = api.ok("post", "/v1/payouts", amount=100, currency="usd")
    assert api.ok("post", f"/v1/payouts/{first['id']}/cancel")["status"] == "canceled"
    assert available(api) == before
    second = api.ok("post", "/v1/payouts", amount=100, currency="usd")
    api.advance(10)
    assert api.post(f"/v1/payouts/{second['id']}/cancel").status == 400
    back = api.ok("post", f"/v1/payouts/{second['id']}/reverse")
    assert (back["amount"], back["original_payout"]) == (-100, second["id"])
    assert api.get(f"/v1/payouts/{second['id']}")["reversed_by"] == back["id"]
    assert available(api) == before
    assert api.post(f"/v1/payouts/{second['id']}/reverse").status == 400
    audit(api)


def test_an_account_whose_payouts_are_blocked_cannot_pay_out(api: Api) -> None:
    account = connected(api)
    fund(api, 5_000, account)
    api.ok(
        "post",
        "/v1/charges",
        amount=1_000,
        currency="usd",
        source="tok_visa_triggerTransferBlock",
        headers=acting(account),
    )
    api.advance(1)
    assert (
        api.post("/v1/payouts", amount=100, currency="usd", headers=acting(account)).error["code"]
        == "payouts_not_allowed"
    )


def test_an_automatic_payout_that_comes_back_is_not_tried_again_every_day(api: Api) -> None:
    bank = {
        "object": "bank_account",
        "country": "US",
        "currency": "usd",
        "account_number": "000111111116",
        "routing_number": "110000000",
    }
    account = connected(api, external_account=bank, settings={"payouts": {"schedule": {"interval": "daily"}}})
    fund(api, 5_000, account)
    api.advance(DAY)
    api.advance(10)
    assert [one["status"] for one in payouts(api, account)] == ["failed"]
    api.advance(5 * DAY)
    assert len(payouts(api, account)) == 1
    audit(api, account)


@pytest.mark.parametrize(
    ("state", "status"), [("pending", 200), ("active", 200), ("due", 400), ("rejected", 400), ("without a bank", 400)]
)
def test_payouts_follow_the_state_of_the_account(api: Api, state: str, status: int) -> None:
    fund(api, 10_000)
    account = api.ok("post", "/v1/accounts", **everything(api)) if state == "pending" else connected(api)
    path = f"/v1/accounts/{account['id']}"
    api.ok("post", "/v1/transfers", amount=1_000, currency="usd", destination=account["id"])
    if state == "due":
        api.ok("post", path, individual={"email": ""})
    if state == "rejected":
        api.ok("post", f"{path}/reject", reason="other")
    currency = "eur" if state == "without a bank" else "usd"
    answer = api.post("/v1/payouts", amount=100, currency=currency, headers=acting(account))
    assert answer.status == status
    if status == 400:
        code = answer.error.get("code")
        assert code == (None if state == "without a bank" else "payouts_not_allowed")


@pytest.mark.parametrize(
    ("state", "operation", "status"),
    [
        ("pending", "cancel", 200), ("pending", "reverse", 400), ("paid", "cancel", 400), ("paid", "reverse", 200),
        ("failed", "cancel", 400), ("failed", "reverse", 400), ("canceled", "cancel", 400),
        ("canceled", "reverse", 400),
        ("reversed", "cancel", 400), ("reversed", "reverse", 400), ("reversal", "reverse", 400),
        ("automatic", "cancel", 400),
    ],
)  # fmt: skip
def test_a_payout_is_canceled_and_reversed_as_its_state_allows(
    api: Api, state: str, operation: str, status: int
) -> None:
    number = "000111111116" if state == "failed" else "000123456789"
    bank = {"object": "bank_account", "country": "US", "currency": "usd", "account_number": number}
    account = connected(api, external_account={**bank, "routing_number": "110000000"})
    headers = acting(account)
    fund(api, 5_000, account)
    if state == "automatic":
        api.ok("post", f"/v1/accounts/{account['id']}", settings={"payouts": {"schedule": {"interval": "daily"}}})
        api.advance(DAY)
        payout = payouts(api, account)[0]["id"]
    else:
        payout = api.ok("post", "/v1/payouts", amount=100, currency="usd", headers=headers)["id"]
    if state in ("paid", "failed", "reversed", "reversal"):
        api.advance(10)
    if state == "canceled":
        api.ok("post", f"/v1/payouts/{payout}/cancel", headers=headers)
    if state in ("reversed", "reversal"):
        back = api.ok("post", f"/v1/payouts/{payout}/reverse", headers=headers)["id"]
        api.advance(10)
        payout = back if state == "reversal" else payout
    assert api.post(f"/v1/payouts/{payout}/{operation}", headers=headers).status == status
    audit(api, account)


def test_a_payout_takes_only_metadata_later_and_a_descriptor_of_22_characters(api: Api) -> None:
    fund(api, 5_000)
    given = {"amount": 100, "currency": "usd"}
    payout = api.ok("post", "/v1/payouts", **given, statement_descriptor="R" * 22)["id"]
    assert api.post("/v1/payouts", **given, statement_descriptor="R" * 23).status == 400
    assert api.post("/v1/payouts", **given, source_type="cash").error["param"] == "source_type"
    assert api.post(f"/v1/payouts/{payout}", metadata={"a": "b"})["metadata"] == {"a": "b"}
    assert api.post(f"/v1/payouts/{payout}", amount=200).error["code"] == "parameter_unknown"


def test_a_payout_to_another_country_is_not_reversed(api: Api) -> None:
    bank = {"object": "bank_account", "country": "DE", "currency": "eur", "account_number": "DE89370400440532013000"}
    account = connected(api, country="DE", external_account=bank)
    fund(api, 5_000, account)
    given = {"amount": 100, "currency": "eur", "headers": acting(account)}
    payout = api.ok("post", "/v1/payouts", **given)["id"]
    api.advance(10)
    refused = api.post(f"/v1/payouts/{payout}/reverse", headers=acting(account))
    assert (refused.status, "US and Canadian" in refused.error["message"]) == (400, True)


def test_an_instant_payout_needs_an_external_account_that_takes_it(api: Api) -> None:
    bank = {"object": "bank_account", "country": "DE", "currency": "eur", "account_number": "DE89370400440532013000"}
    account = connected(api, country="DE", external_account=bank)
    fund(api, 5_000, account)
    given = {"amount": 100, "currency": "eur", "method": "instant", "headers": acting(account)}
    assert api.post("/v1/payouts", **given).error["code"] == "instant_payouts_unsupported"


@pytest.mark.parametrize("code", ["huf", "twd", "isk", "ugx"])
def test_currencies_that_are_paid_out_in_whole_units_take_no_fractions(api: Api, code: str) -> None:
    refused = api.post("/v1/payouts", amount=1045, currency=code)
    assert (refused.error["param"], refused.error["message"]) == (
        "amount",
        f"Invalid amount. Amounts in {code.upper()} must be evenly divisible by 100; you passed 1045.",
    )
    assert "external accounts in that currency" in api.post("/v1/payouts", amount=1000, currency=code).error["message"]


def test_a_payout_to_a_financial_account_is_refused_by_name(api: Api) -> None:
    refused = api.post("/v1/payouts", amount=100, currency="usd", payout_method="fa_1")
    assert (refused.status, refused.error["param"]) == (400, "payout_method")
