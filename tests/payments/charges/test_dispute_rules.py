"""What may follow a successful charge: a dispute, an early fraud warning, a review (reference sections 6.6 and
6.7).
"""

from __future__ import annotations

from typing import Any

from tests.payments.charges.steps import charge
from tests.support.api import Api


def test_the_disputed_card_loses_the_amount_and_the_fee_until_the_dispute_is_won(api: Api) -> None:
    made = charge(api, "tok_createDispute")
    assert made["disputed"] is True
    dispute = api.get(f"/v1/disputes/{made['dispute']}")
    assert dispute["balance_transactions"][0]["net"] == -3500
    api.post(f"/v1/disputes/{dispute['id']}", evidence={"uncategorized_text": "winning_evidence"})
    assert api.get(f"/v1/disputes/{dispute['id']}")["status"] == "won"
    assert api.get("/v1/balance")["pending"][0]["amount"] == 1912


def disputes(api: Api, source: str, amount: int = 501) -> list[dict[str, Any]]:
    api.ok("POST", "/v1/charges", amount=amount, currency="usd", source=source)
    api.advance(1)
    return list(api.get("/v1/disputes")["data"])


def test_an_inquiry_leaves_the_money_where_it_is(api: Api) -> None:
    (inquiry,) = disputes(api, "tok_createDisputeInquiry")
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
    assert inquiry["is_charge_refundable"] is True
    (dispute,) = [one for one in disputes(api, "tok_createDispute") if one["id"] != inquiry["id"]]
    assert (dispute["status"], dispute["is_charge_refundable"]) == ("needs_response", False)
    assert [one["amount"] for one in dispute["balance_transactions"]] == [-501]


def test_a_payment_that_is_disputed_twice_is_disputed_in_two_halves(api: Api) -> None:
    amounts = [one["amount"] for one in disputes(api, "tok_createMultipleDisputes")]
    assert sorted(amounts) == [250, 251]


def test_a_card_that_is_fine_is_neither_disputed_nor_warned_of(api: Api) -> None:
    assert disputes(api, "tok_visa") == []
    assert api.get("/v1/radar/early_fraud_warnings")["data"] == []
