"""Issuing transactions: money that a merchant takes without asking, and gives back at most once."""

from __future__ import annotations

import pytest

from tests.payments.issuing.steps import HELP, balance, fund, issued
from tests.support.api import Api

PATH = f"{HELP}/transactions"


def test_a_capture_is_given_back_in_parts_until_nothing_is_left(api: Api) -> None:
    fund(api, 1000)
    spent = api.ok("POST", f"{PATH}/create_force_capture", card=issued(api)["id"], amount=500, currency="usd")["id"]
    assert api.post(f"{PATH}/{spent}/refund", refund_amount=501).error["param"] == "refund_amount"
    assert api.ok("POST", f"{PATH}/{spent}/refund", refund_amount=200)["amount"] == 200
    assert api.ok("POST", f"{PATH}/{spent}/refund")["amount"] == 300
    assert balance(api) == 1000
    assert api.post(f"{PATH}/{spent}/refund", refund_amount=1).status == 400


def test_a_refund_is_not_refunded(api: Api) -> None:
    back = api.ok("POST", f"{PATH}/create_unlinked_refund", card=issued(api)["id"], amount=500, currency="usd")
    assert (back["type"], back["authorization"]) == ("refund", None)
    assert api.post(f"{PATH}/{back['id']}/refund").error["message"] == "Only a capture can be refunded."


def test_what_was_bought_is_told_with_the_receipt(api: Api) -> None:
    bought = {"receipt": [{"description": "Tea", "quantity": "2", "total": 500, "unit_cost": 250}], "reference": "r1"}
    given = {"card": issued(api)["id"], "amount": 500, "currency": "usd"}
    made = api.ok("POST", f"{PATH}/create_force_capture", purchase_details=bought, **given)
    assert made["purchase_details"]["receipt"][0]["quantity"] == 2.0
    assert len(api.events("issuing_transaction.purchase_details_receipt_updated")) == 1


@pytest.mark.parametrize("what", ["create_force_capture", "create_unlinked_refund"])
def test_a_transaction_is_in_a_currency_that_exists(api: Api, what: str) -> None:
    refused = api.post(f"{HELP}/transactions/{what}", card=issued(api)["id"], amount=100, currency="xyz")
    assert (refused.status, refused.error["param"]) == (400, "currency")
