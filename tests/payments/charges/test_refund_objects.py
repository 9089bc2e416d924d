"""Refund objects that a capture or a release makes by itself, and whose money cannot be given back."""

from __future__ import annotations

from tests.payments.charges.steps import charged
from tests.payments.intents.steps import pay
from tests.support.api import Api
from tests.support.connected import audit


def test_a_partial_capture_shows_the_rest_as_a_refund_that_moves_no_money(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    api.ok("post", f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=1500)
    charge = api.ok("get", f"/v1/charges/{intent['latest_charge']}", expand=["refunds"])
    (rest,) = charge["refunds"]["data"]
    assert (rest["amount"], rest["status"], rest["balance_transaction"]) == (500, "succeeded", None)
    assert (rest["payment_intent"], charge["amount_refunded"], charge["refunded"]) == (intent["id"], 500, False)
    assert [one["amount"] for one in api.get("/v1/balance_transactions")["data"]] == [1500]
    audit(api)


def test_a_canceled_authorization_is_a_refund_of_all_of_it(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    api.ok("post", f"/v1/payment_intents/{intent['id']}/cancel")
    (refund,) = api.get("/v1/refunds", charge=intent["latest_charge"])["data"]
    assert (refund["amount"], refund["balance_transaction"]) == (2000, None)
    assert api.get("/v1/balance_transactions")["data"] == []


def test_a_charge_shows_its_ten_newest_refunds_and_says_that_there_are_more(api: Api) -> None:
    made = charged(api, amount=1200)
    for _ in range(12):
        api.ok("post", "/v1/refunds", charge=made["id"], amount=100)
    refunds = api.ok("get", f"/v1/charges/{made['id']}", expand=["refunds"])["refunds"]
    assert (len(refunds["data"]), refunds["has_more"], refunds["total_count"]) == (10, True, 12)


def test_a_refund_by_its_intent_waits_for_the_capture(api: Api) -> None:
    intent = pay(api, capture_method="manual")
    refused = api.post("/v1/refunds", payment_intent=intent["id"], amount=100)
    assert refused.error["message"].startswith(
        f"This uncaptured Charge was created by a PaymentIntent ({intent['id']}). You must cancel the PaymentIntent"
    )
    api.ok("post", f"/v1/payment_intents/{intent['id']}/capture")
    assert api.ok("post", "/v1/refunds", payment_intent=intent["id"], amount=100)["amount"] == 100
