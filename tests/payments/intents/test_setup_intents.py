"""SetupIntents: saving a payment method, its challenge, its refusals, its attempts and mandates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.intents.steps import setup
from tests.support.api import Answer, Api, rule_table
from tests.support.openapi import assert_valid
from tests.support.versions import BEFORE_ENDIVE
from tollkey.wire.params import operation_params

SAVING: dict[str, Any] = {"allowed_payment_method_types": ["card"]}
AUTOMATIC: dict[str, Any] = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}


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


Step = Callable[[Api, str], Answer]
CODE = "setup_intent_unexpected_state"
VISA, ASKS = "pm_card_visa", "pm_card_authenticationRequired"


def _post(step: str = "", **params: object) -> Step:
    return lambda api, path: api.post(path + step, **params)


#: State -> the steps that lead there, and the status then.
STATES: dict[str, tuple[list[Step], str]] = {
    "new": ([], "requires_payment_method"),
    "with a payment method": ([_post(payment_method=VISA)], "requires_confirmation"),
    "challenged": (
        [_post("/confirm", payment_method=ASKS, return_url="https://shop.example/")],
        "requires_action",
    ),
    "succeeded": ([_post("/confirm", payment_method=VISA)], "succeeded"),
    "canceled": ([_post(payment_method=VISA), _post("/cancel")], "canceled"),
    "canceled without a payment method": ([_post("/cancel")], "canceled"),
}
OPEN = ("new", "with a payment method", "challenged")
ENDED = ("succeeded", "canceled", "canceled without a payment method")
ALL = (*OPEN, *ENDED)
MISSING = "You cannot confirm this SetupIntent because it's missing a payment method."


def _late(verb: str) -> dict[str, str]:
    canceled = f"You cannot {verb} this SetupIntent because it has been canceled."
    return {
        "succeeded": f"You cannot {verb} this SetupIntent because it has already succeeded.",
        "canceled": canceled,
        "canceled without a payment method": canceled,
    }


#: What is done -> how, the states in which it is, and elsewhere the text of the refusal.
TABLE: dict[str, tuple[Step, tuple[str, ...], dict[str, str]]] = {
    "confirm with another payment method": (_post("/confirm", payment_method=VISA), OPEN, _late("confirm")),
    "confirm": (
        _post("/confirm", return_url="https://shop.example/"),
        OPEN[1:],
        {**_late("confirm"), "new": MISSING, "canceled without a payment method": MISSING},
    ),
    "cancel": (
        _post("/cancel"),
        OPEN,
        {
            "succeeded": "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent"
            " with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`,"
            " or `requires_action`.",
            **dict.fromkeys(ENDED[1:], "already canceled"),
        },
    ),
    "description": (_post(description="A card"), ALL, {}),
    "metadata": (_post(metadata={"a": "b"}), ALL, {}),
    "payment_method": (_post(payment_method="pm_card_mastercard"), OPEN, _late("update")),
    "payment_method_data": (
        _post(payment_method_data={"type": "card", "card": {"token": "tok_visa"}}),
        OPEN,
        _late("update"),
    ),
    "payment_method_options": (
        _post(payment_method_options={"card": {"request_three_d_secure": "any"}}),
        OPEN,
        _late("update"),
    ),
    "payment_method_configuration": (
        lambda api, path: api.post(
            path, payment_method_configuration=api.get("/v1/payment_method_configurations")["data"][0]["id"]
        ),
        OPEN,
        _late("update"),
    ),
    "payment_method_types": (
        lambda api, path: api.under(BEFORE_ENDIVE).post(path, payment_method_types=["card"]),
        OPEN,
        _late("update"),
    ),
    "allowed_payment_method_types": (_post(allowed_payment_method_types=["card"]), OPEN, _late("update")),
    "excluded_payment_method_types": (_post(excluded_payment_method_types=""), OPEN, _late("update")),
    "flow_directions": (_post(flow_directions=["inbound"]), OPEN, _late("update")),
    "attach_to_self": (_post(attach_to_self=False), OPEN, _late("update")),
    "customer": (
        lambda api, path: api.post(path, customer=api.ok("POST", "/v1/customers")["id"]),
        ALL,
        {},
    ),
}


def _reached(api: Api, state: str, types: dict[str, Any] = SAVING) -> tuple[str, Answer]:
    """The path of an intent in that state, and the intent."""
    steps, status = STATES[state]
    path = f"/v1/setup_intents/{api.ok('POST', '/v1/setup_intents', **types)['id']}"
    for step in steps:
        assert step(api, path).status == 200
    intent = api.get(path)
    assert intent["status"] == status
    return path, intent


@rule_table
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", TABLE)
def test_each_step_is_for_intents_in_its_states(api: Api, what: str, state: str) -> None:
    step, allowed, words = TABLE[what]
    chooses = what == "payment_method_configuration" and state in allowed  # among the types that are not named
    path, before = _reached(api, state, AUTOMATIC if chooses else SAVING)
    answer = step(api, path)
    if state in allowed:
        assert answer.status == 200, answer
        return
    assert (answer.status, answer.error["code"]) == (400, CODE), answer
    assert words[state] in answer.error["message"]
    assert answer.error["setup_intent"]["status"] == before["status"]
    assert api.get(path) == before


def test_every_parameter_of_an_update_has_its_row() -> None:
    known = operation_params("POST", "/v1/setup_intents/{intent}").fields
    aside = {"client_secret", "customer_account", "expand"}  # of browsers, not built, of the answer
    assert set(known) - aside <= set(TABLE)


@pytest.mark.parametrize("state", STATES)
def test_deposits_are_verified_only_while_the_intent_waits_for_them(api: Api, state: str) -> None:
    path, before = _reached(api, state)
    refused = api.post(f"{path}/verify_microdeposits", amounts=[32, 45])
    code = "intent_verification_method_missing" if state == "challenged" else "intent_invalid_state"
    assert (refused.status, refused.error["code"]) == (400, code)
    if state != "challenged":
        assert refused.error["message"] == (
            f"This SetupIntent cannot be actioned on because it has a status of {before['status']}. Only a SetupIntent"
            ' with one of the following statuses may be actioned on: ["requires_action"].'
        )
        assert refused.error["setup_intent"]["id"] == before["id"]
    assert api.get(path) == before
