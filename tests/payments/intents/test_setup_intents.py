"""SetupIntents: saving a payment method, its challenge, its refusals, its attempts and mandates."""

from __future__ import annotations

from tests.payments.intents.steps import setup
from tests.support.api import Api
from tests.support.openapi import assert_valid

SAVING = {"allowed_payment_method_types": ["card"]}


def test_a_card_is_saved_to_its_customer_and_told_in_the_real_order(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    intent = setup(api, customer=customer)
    assert (intent["status"], intent["usage"]) == ("succeeded", "off_session")
    assert_valid("POST", "/v1/setup_intents", 200, dict(intent))
    assert api.get(f"/v1/payment_methods/{intent['payment_method']}")["customer"] == customer
    types = [event["type"] for event in api.events() if "customer.created" not in event["type"]]
    assert types == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]


def test_an_unknown_intent_is_named_as_the_real_one_is(api: Api) -> None:
    error = api.get("/v1/setup_intents/none").error
    assert (error["message"], error["param"]) == ("No such setupintent: 'none'", "intent")


def test_a_browser_sees_the_restricted_shape(api: Api) -> None:
    intent = api.ok("POST", "/v1/setup_intents", **SAVING, metadata={"plan": "gold"})
    path = f"/v1/setup_intents/{intent['id']}"
    done = api.post(f"{path}/confirm", key=api.pk, client_secret=intent["client_secret"], payment_method="pm_card_visa")
    assert (done["status"], "metadata" in done, "customer" in done) == ("succeeded", False, False)
    assert "SetupIntent" in api.get(path, key=api.pk, client_secret="wrong").error["message"]
