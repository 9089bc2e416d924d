"""Payouts: money from the balance to a bank, by hand."""

from __future__ import annotations

import pytest

from tests.payments.balance.steps import payouts
from tests.support.api import Api
from tests.support.connected import acting, audit, available, connected, fund
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
