"""Confirming a SetupIntent: from the customer's consent to a saved payment method, a challenge, or a refusal."""

from __future__ import annotations

import pytest

from tests.payments.intents.steps import setup
from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

SAVED_AT = "https://shop.example/saved"


def answer_challenge(api: Api, intent: Answer, answer: str) -> Answer:
    path = intent["next_action"]["redirect_to_url"]["url"].removeprefix(api.core.setup.base_url)
    return api.send("POST", f"{path}/{answer}", key=None)


def test_a_refused_card_is_a_402_that_carries_the_intent(api: Api) -> None:
    answer = setup(api, "pm_card_chargeDeclined")
    assert (answer.status, answer.error["code"]) == (402, "card_declined")
    intent = answer.error["setup_intent"]
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_setup_error"]["code"] == "card_declined"
    attempts = api.get("/v1/setup_attempts", setup_intent=intent["id"])
    assert_valid("GET", "/v1/setup_attempts", 200, dict(attempts))
    assert [attempt["status"] for attempt in attempts["data"]] == ["failed"]
    assert [event["type"] for event in api.events()] == ["setup_intent.created", "setup_intent.setup_failed"]


@pytest.mark.parametrize(
    ("answer", "status", "attempt"),
    [("complete", "succeeded", "succeeded"), ("fail", "requires_payment_method", "failed")],
)
def test_a_challenge_decides_what_becomes_of_the_set_up(api: Api, answer: str, status: str, attempt: str) -> None:
    intent = setup(api, "pm_card_authenticationRequired", return_url=SAVED_AT)
    assert intent["status"] == "requires_action"
    back = answer_challenge(api, intent, answer).headers["location"]
    assert back.startswith(
        f"{SAVED_AT}?setup_intent={intent['id']}&setup_intent_client_secret={intent['client_secret']}&redirect_status="
    )
    assert api.get(f"/v1/setup_intents/{intent['id']}")["status"] == status
    assert [one["status"] for one in api.get("/v1/setup_attempts", setup_intent=intent["id"])["data"]] == [attempt]
