"""The issuing balance is a book of its own: what cards spend never comes from the payments balance."""

from __future__ import annotations

from tests.payments.issuing.steps import HELP, balance, fund, issued
from tests.support.api import Api
from tests.support.connected import audit


def test_money_is_put_in_spent_and_given_back_in_its_own_book(api: Api) -> None:
    fund(api, 1000)
    card = issued(api)["id"]
    spent = api.ok("POST", f"{HELP}/transactions/create_force_capture", card=card, amount=400, currency="usd")
    assert balance(api) == 600
    moved = api.get(f"/v1/balance_transactions/{spent['balance_transaction']}")
    assert (moved["amount"], moved["net"], moved["type"], moved["source"]) == (
        -400,
        -400,
        "issuing_transaction",
        spent["id"],
    )
    api.ok("POST", f"{HELP}/transactions/create_unlinked_refund", card=card, amount=100, currency="usd")
    assert balance(api) == 700
    assert api.get("/v1/balance")["available"][0]["amount"] == 0
    audit(api)


def test_a_forced_capture_may_take_more_than_there_is(api: Api) -> None:
    card = issued(api)["id"]
    api.ok("POST", f"{HELP}/transactions/create_force_capture", card=card, amount=400, currency="usd")
    assert balance(api) == -400
