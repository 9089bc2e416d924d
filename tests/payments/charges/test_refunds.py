"""Refunds: at once, later, failing; what is refused, word for word; the books stay sound."""

from __future__ import annotations

import pytest

from tests.payments.charges.steps import charged
from tests.support.api import Api
from tests.support.connected import audit


def test_a_refund_takes_the_money_from_the_balance_with_its_events(api: Api) -> None:
    made = charged(api)
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


def test_a_pending_refund_can_be_cancelled(api: Api) -> None:
    refund = api.ok("post", "/v1/refunds", charge=charged(api, "tok_pendingRefund")["id"])
    assert api.ok("post", f"/v1/refunds/{refund['id']}/cancel")["status"] == "canceled"
    assert api.post(f"/v1/refunds/{refund['id']}/cancel").status == 400
    audit(api)


@pytest.mark.parametrize(
    ("name", "value"), [("customer", "cus_1"), ("origin", "customer_balance"), ("currency", "eur")]
)
def test_a_cash_balance_and_another_currency_are_not_refunded(api: Api, name: str, value: str) -> None:
    charge = api.ok("post", "/v1/charges", amount=500, currency="usd", source="tok_visa")["id"]
    refused = api.post("/v1/refunds", charge=charge, **{name: value})
    assert (refused.status, refused.error["param"]) == (400, name)
    assert api.ok("post", "/v1/refunds", charge=charge, currency="USD")["currency"] == "usd"


def test_neither_charge_nor_payment_intent_is_an_error(api: Api) -> None:
    refused = api.post("/v1/refunds", amount=5)
    assert (
        refused.error["message"]
        == "One of the following params should be provided for this request: payment_intent or charge."
    )


def test_before_2022_11_15_a_charge_carries_its_refunds(api: Api) -> None:
    made = charged(api)
    api.ok("post", "/v1/refunds", charge=made["id"])
    old = api.get(f"/v1/charges/{made['id']}", headers={"Stripe-Version": "2020-08-27"})
    assert old["refunds"]["total_count"] == 1
    assert "refunds" not in api.get(f"/v1/charges/{made['id']}")


def test_a_refund_names_what_its_charge_was_paid_with(api: Api) -> None:
    customer = api.ok("post", "/v1/customers", source="tok_visa")
    charge = api.ok("post", "/v1/charges", amount=1000, currency="usd", customer=customer["id"])
    refund = api.ok("post", "/v1/refunds", charge=charge["id"])
    assert (refund["customer"], refund["payment_method"]) == (customer["id"], customer["default_source"])


NEITHER = "One of the following params should be provided for this request: payment_intent or charge."


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({}, (400, None, None, NEITHER)),
        ({"charge": "ch_none"}, (404, "resource_missing", "id", "No such charge: 'ch_none'")),
    ],
)
def test_a_refund_names_a_charge_that_exists(
    api: Api, params: dict[str, str], refusal: tuple[int, str | None, str | None, str]
) -> None:
    assert api.post("/v1/refunds", **params).refusal == refusal


def test_money_that_was_returned_or_never_taken_is_not_returned_again(api: Api) -> None:
    refund = api.ok("POST", "/v1/refunds", charge=charged(api)["id"])["id"]
    canceled = api.post(f"/v1/refunds/{refund}/cancel")
    assert canceled.refusal == (400, None, None, "Canceling this refund is unsupported.")
    declined = api.post(
        "/v1/payment_intents",
        amount=500,
        currency="usd",
        payment_method="pm_card_chargeDeclined",
        confirm=True,
        allowed_payment_method_types=["card"],
    ).error
    intent = declined["payment_intent"]["id"]
    never = (400, None, None, f"This PaymentIntent ({intent}) does not have a successful charge to refund.")
    assert api.post("/v1/refunds", payment_intent=intent).refusal == never
    assert api.post("/v1/refunds", charge=declined["charge"]).refusal == never


def test_a_refund_keeps_the_address_that_its_instructions_go_to(api: Api) -> None:
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa")["id"]
    refund = api.ok("POST", "/v1/refunds", charge=charge, amount=400, instructions_email="jo@example.com")
    assert refund["instructions_email"] == "jo@example.com"
    assert "instructions_email" not in api.ok("POST", "/v1/refunds", charge=charge)


def test_a_charge_is_not_refunded_in_the_name_of_another_payment_intent(api: Api) -> None:
    paid = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    types = {"allowed_payment_method_types": ["card"]}
    intent, other = (api.ok("post", "/v1/payment_intents", **paid, **types) for _ in range(2))
    charge = intent["latest_charge"]
    for path, given, param in (
        ("/v1/refunds", {"charge": charge, "payment_intent": other["id"]}, "charge"),
        (f"/v1/charges/{charge}/refund", {"payment_intent": other["id"]}, "payment_intent"),
        (f"/v1/charges/{charge}/refunds", {"payment_intent": other["id"]}, "payment_intent"),
    ):
        refused = api.post(path, **given)
        assert (refused.status, refused.error["param"]) == (400, param)
        assert refused.error["message"] == (
            f"The charge {charge} is not the latest charge of the PaymentIntent {other['id']}."
        )
    assert api.ok("post", f"/v1/charges/{charge}/refund", payment_intent=intent["id"])["refunded"] is True
    assert api.get(f"/v1/charges/{other['latest_charge']}")["refunded"] is False
