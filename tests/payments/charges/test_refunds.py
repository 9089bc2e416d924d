"""Refunds: at once, later, failing; what is refused, word for word; the books stay sound."""

from __future__ import annotations

from tests.support.api import Answer, Api
from tests.support.connected import audit


def charge(api: Api, source: str = "tok_visa", amount: int = 1000) -> Answer:
    return api.ok("post", "/v1/charges", amount=amount, currency="usd", source=source)


def test_a_refund_takes_the_money_from_the_balance_with_its_events(api: Api) -> None:
    made = charge(api)
    refund = api.ok("post", "/v1/refunds", charge=made["id"], amount=400, reason="requested_by_customer")
    assert (refund["status"], refund["amount"], refund["reason"]) == ("succeeded", 400, "requested_by_customer")
    transaction = api.get(f"/v1/balance_transactions/{refund['balance_transaction']}")
    assert (transaction["net"], transaction["type"], transaction["description"]) == (
        -400,
        "refund",
        "REFUND FOR CHARGE",
    )
    after = api.get(f"/v1/charges/{made['id']}")
    assert (after["amount_refunded"], after["refunded"]) == (400, False)
    assert {event["type"] for event in api.events()} >= {"refund.created", "charge.refunded"}
    audit(api)


def test_more_than_there_is_cannot_be_refunded(api: Api) -> None:
    made = charge(api, amount=1000)
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
    disputed = charge(api, "tok_createDispute")
    refused = api.post("/v1/refunds", charge=disputed["id"])
    assert (refused.error["code"], refused.status) == ("charge_disputed", 400)
    asked = charge(api, "tok_createDisputeInquiry")
    assert api.post("/v1/refunds", charge=asked["id"])["status"] == "succeeded"
    audit(api)


def test_the_pending_card_refunds_later(api: Api) -> None:
    refund = api.ok("post", "/v1/refunds", charge=charge(api, "tok_pendingRefund")["id"])
    assert refund["status"] == "pending"
    api.advance(10)
    assert api.get(f"/v1/refunds/{refund['id']}")["status"] == "succeeded"
    assert "charge.refund.updated" in {event["type"] for event in api.events()}


def test_the_failing_card_sends_the_refund_back_and_the_balance_gets_it_again(api: Api) -> None:
    made = charge(api, "tok_refundFail")
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


def test_a_pending_refund_can_be_cancelled(api: Api) -> None:
    refund = api.ok("post", "/v1/refunds", charge=charge(api, "tok_pendingRefund")["id"])
    assert api.ok("post", f"/v1/refunds/{refund['id']}/cancel")["status"] == "canceled"
    assert api.post(f"/v1/refunds/{refund['id']}/cancel").status == 400
    audit(api)


def test_neither_charge_nor_payment_intent_is_an_error(api: Api) -> None:
    refused = api.post("/v1/refunds", amount=5)
    assert (
        refused.error["message"]
        == "One of the following params should be provided for this request: payment_intent or charge."
    )


def test_before_2022_11_15_a_charge_carries_its_refunds(api: Api) -> None:
    made = charge(api)
    api.ok("post", "/v1/refunds", charge=made["id"])
    old = api.get(f"/v1/charges/{made['id']}", headers={"Stripe-Version": "2020-08-27"})
    assert old["refunds"]["total_count"] == 1
    assert "refunds" not in api.get(f"/v1/charges/{made['id']}")


def test_a_refund_names_what_its_charge_was_paid_with(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa")
    charge = api.ok("post", "/v1/charges", amount=1000, currency="usd", customer=customer["id"])
    refund = api.ok("post", "/v1/refunds", charge=charge["id"])
    assert (refund["customer"], refund["payment_method"]) == (customer["id"], customer["default_source"])
