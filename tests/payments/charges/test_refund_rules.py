"""Giving money back: the checks, the ledger, and what comes later with the test cards that ask for it."""

from __future__ import annotations

from tests.payments.charges.steps import charged
from tests.support.api import Api
from tests.support.connected import audit


def test_more_than_there_is_cannot_be_refunded(api: Api) -> None:
    made = charged(api, amount=1000)
    above = api.post("/v1/refunds", charge=made["id"], amount=1100)
    assert above.error["message"] == "Refund amount ($11.00) is greater than charge amount ($10.00)"
    api.ok("post", "/v1/refunds", charge=made["id"], amount=500)
    beyond = api.post("/v1/refunds", charge=made["id"], amount=600)
    assert beyond.error["message"] == "Refund amount ($6.00) is greater than unrefunded amount on charge ($5.00)"
    assert (beyond.status, beyond.error["param"]) == (400, "amount")
    api.ok("post", "/v1/refunds", charge=made["id"])
    again = api.post("/v1/refunds", charge=made["id"])
    assert (again.error["code"], again.error["message"]) == (
        "charge_already_refunded",
        f"Charge {made['id']} has already been refunded.",
    )


def test_a_disputed_charge_cannot_be_refunded_but_one_with_an_inquiry_can(api: Api) -> None:
    disputed = charged(api, "tok_createDispute")
    refused = api.post("/v1/refunds", charge=disputed["id"])
    assert (refused.error["code"], refused.status) == ("charge_disputed", 400)
    asked = charged(api, "tok_createDisputeInquiry")
    assert api.post("/v1/refunds", charge=asked["id"])["status"] == "succeeded"
    audit(api)


def test_the_pending_card_refunds_later(api: Api) -> None:
    refund = api.ok("post", "/v1/refunds", charge=charged(api, "tok_pendingRefund")["id"])
    assert refund["status"] == "pending"
    api.advance(10)
    assert api.get(f"/v1/refunds/{refund['id']}")["status"] == "succeeded"
    assert "charge.refund.updated" in {event["type"] for event in api.events()}


def test_the_failing_card_sends_the_refund_back_and_the_balance_gets_it_again(api: Api) -> None:
    made = charged(api, "tok_refundFail")
    before = api.get("/v1/balance")["pending"]
    refund = api.ok("post", "/v1/refunds", charge=made["id"])
    assert refund["status"] == "succeeded"
    api.advance(10)
    failed = api.get(f"/v1/refunds/{refund['id']}")
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert failed["failure_balance_transaction"].startswith("txn_")
    assert api.get("/v1/balance")["pending"] == before
    assert api.get(f"/v1/charges/{made['id']}")["refunded"] is False
    assert "refund.failed" in {event["type"] for event in api.events()}
    audit(api)


def test_an_application_fee_that_does_not_exist_is_not_refunded(api: Api) -> None:
    made = charged(api)
    refused = api.post("/v1/refunds", charge=made["id"], refund_application_fee=True)
    message = f"Attempting to refund_application_fee on {made['id']}, but it has no application fee"
    assert refused.refusal == (400, None, "refund_application_fee", message)
    assert api.get(f"/v1/charges/{made['id']}")["amount_refunded"] == 0


def test_a_transfer_that_does_not_exist_is_not_reversed(api: Api) -> None:
    made = charged(api)
    refused = api.post("/v1/refunds", charge=made["id"], reverse_transfer=True)
    assert (refused.status, refused.error["param"]) == (400, "reverse_transfer")
    assert refused.error["message"].startswith(f"Cannot reverse transfer on charge `{made['id']}`")
    assert api.get(f"/v1/charges/{made['id']}")["amount_refunded"] == 0
