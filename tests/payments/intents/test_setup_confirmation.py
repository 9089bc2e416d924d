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


MISSING = (
    "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent"
    " with a payment method and then confirm it again, or confirm it again directly with a payment method or"
    " ConfirmationToken."
)
CANCELED = "You cannot confirm this SetupIntent because it has been canceled."
SUCCEEDED = "You cannot confirm this SetupIntent because it has already succeeded."
NOT_UPDATED = "You cannot update this SetupIntent because it has already succeeded."
NOT_CANCELED = (
    "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of the"
    " following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`."
)


@pytest.mark.parametrize(
    ("given", "canceled", "request_", "message"),
    [
        ({}, False, "/confirm", MISSING),
        ({}, True, "/confirm", MISSING),
        ({"payment_method": "pm_card_visa"}, True, "/confirm", CANCELED),
        ({"payment_method": "pm_card_visa", "confirm": True}, False, "/confirm", SUCCEEDED),
        ({"payment_method": "pm_card_visa", "confirm": True}, False, "", NOT_UPDATED),
        ({"payment_method": "pm_card_visa", "confirm": True}, False, "/cancel", NOT_CANCELED),
    ],
)
def test_an_intent_says_why_its_status_does_not_allow_that(
    api: Api, given: dict[str, object], canceled: bool, request_: str, message: str
) -> None:
    path = (
        f"/v1/setup_intents/{api.ok('POST', '/v1/setup_intents', allowed_payment_method_types=['card'], **given)['id']}"
    )
    if canceled:
        api.ok("POST", f"{path}/cancel")
    params = {} if request_ else {"payment_method": "pm_card_visa"}
    refused = api.post(path + request_, **params)
    assert refused.refusal == (400, "setup_intent_unexpected_state", None, message)
