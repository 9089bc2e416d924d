"""PaymentIntents through the API: what they answer, refuse, remember and announce."""

from __future__ import annotations

from tests.payments.intents.steps import PAYMENT, pay, types
from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_payment_is_made_in_one_request_and_told_in_the_real_order(api: Api) -> None:
    intent = pay(api, description="Order 7", metadata={"order": "7"})
    assert (intent.status, intent["status"], intent["amount_received"]) == (200, "succeeded", 2000)
    assert_valid("POST", "/v1/payment_intents", 200, dict(intent))
    assert types(api) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    charge = api.get(f"/v1/charges/{intent['latest_charge']}")
    assert (charge["payment_intent"], charge["metadata"], charge["description"]) == (
        intent["id"],
        {"order": "7"},
        "Order 7",
    )
    assert [event["data"]["object"]["status"] for event in api.events("payment_intent.created")] == [
        "requires_confirmation"
    ]


def test_a_browser_confirms_with_the_card_that_was_typed(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **PAYMENT)
    card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
    done = api.post(
        f"/v1/payment_intents/{intent['id']}/confirm", key=api.pk, client_secret=intent["client_secret"],
        payment_method_data={"type": "card", "card": card},
    )  # fmt: skip
    assert done["status"] == "succeeded"
