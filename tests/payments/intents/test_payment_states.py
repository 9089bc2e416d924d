"""The state machine of PaymentIntents: every drawn arrow is walked, and no other can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.intents.steps import PAYMENT
from tests.support.api import Api
from tollkey.payments.intents.payment_states import move
from tollkey.payments.intents.states import PAYMENT_INTENT
from tollkey.payments.shared.states import InvalidTransition

Step = Callable[[Api, dict[str, Any]], Any]
_DEBIT = {"customer_acceptance": {"type": "offline"}}


def _post(path: str = "", **params: Any) -> Step:
    return lambda api, intent: api.post(f"/v1/payment_intents/{intent['id']}{path}", **params)


def _confirm(card: str, **params: Any) -> Step:
    return _post("/confirm", payment_method=card, return_url="https://shop.example/", **params)


def _challenge(answer: str) -> Step:
    def step(api: Api, intent: dict[str, Any]) -> None:
        url = api.get(f"/v1/payment_intents/{intent['id']}")["next_action"]["redirect_to_url"]["url"]
        api.send("POST", url.removeprefix(api.core.setup.base_url) + answer, key=None)

    return step


def _wait(seconds: int) -> Step:
    return lambda api, intent: api.advance(seconds)


def _debit(bank: str) -> Step:
    return _post("/confirm", payment_method=bank, mandate_data=_DEBIT)


VISA, DECLINED, ASKS, ASKS_TWICE = (
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_threeDSecure2Required",
)
CANCEL = _post("/cancel")
MANUAL, HELD = {"confirmation_method": "manual"}, {"capture_method": "manual"}
GOOD, BAD, NEVER = "pm_usBankAccount_success", "pm_usBankAccount_noAccount", "pm_usBankAccount_processing"

#: from -> to: further parameters of the intent, the steps to the first state, the step that is tried.
WALKS: list[tuple[str, str, dict[str, Any], list[Step], Step]] = [
    ("requires_payment_method", "requires_payment_method", {}, [], _confirm(DECLINED)),
    ("requires_payment_method", "requires_confirmation", {}, [], _post(payment_method=VISA)),
    ("requires_payment_method", "requires_action", {}, [], _confirm(ASKS)),
    ("requires_payment_method", "processing", {}, [], _debit(NEVER)),
    ("requires_payment_method", "requires_capture", HELD, [], _confirm(VISA)),
    ("requires_payment_method", "succeeded", {}, [], _confirm(VISA)),
    ("requires_payment_method", "canceled", {}, [], CANCEL),
    ("requires_confirmation", "requires_payment_method", {}, [_post(payment_method=VISA)], _post(payment_method="")),
    ("requires_confirmation", "requires_confirmation", {}, [_post(payment_method=VISA)], _post(payment_method=ASKS)),
    (
        "requires_confirmation",
        "requires_action",
        {},
        [_post(payment_method=ASKS)],
        _post("/confirm", return_url="https://shop.example/"),
    ),
    ("requires_confirmation", "processing", {}, [_post(payment_method=GOOD)], _post("/confirm", mandate_data=_DEBIT)),
    ("requires_confirmation", "requires_capture", HELD, [_post(payment_method=VISA)], _post("/confirm")),
    ("requires_confirmation", "succeeded", {}, [_post(payment_method=VISA)], _post("/confirm")),
    ("requires_confirmation", "canceled", {}, [_post(payment_method=VISA)], CANCEL),
    ("requires_action", "requires_payment_method", {}, [_confirm(ASKS)], _challenge("/fail")),
    ("requires_action", "requires_confirmation", MANUAL, [_confirm(ASKS)], _challenge("/complete")),
    ("requires_action", "requires_action", {}, [_confirm(ASKS)], _confirm(ASKS_TWICE)),
    ("requires_action", "processing", {}, [_confirm(ASKS)], _debit(NEVER)),
    ("requires_action", "requires_capture", HELD, [_confirm(ASKS)], _challenge("/complete")),
    ("requires_action", "succeeded", {}, [_confirm(ASKS)], _challenge("/complete")),
    ("requires_action", "canceled", {}, [_confirm(ASKS)], CANCEL),
    ("processing", "requires_payment_method", {}, [_debit(BAD)], _wait(10)),
    ("processing", "succeeded", {}, [_debit(GOOD)], _wait(10)),
    ("processing", "canceled", {}, [_debit(NEVER)], CANCEL),
    (
        "requires_capture",
        "requires_capture",
        {**HELD, "payment_method_options": {"card": {"request_incremental_authorization": "if_available"}}},
        [_confirm(VISA)],
        _post("/increment_authorization", amount=3000),
    ),
    ("requires_capture", "succeeded", HELD, [_confirm(VISA)], _post("/capture")),
    ("requires_capture", "canceled", HELD, [_confirm(VISA)], CANCEL),
]


@pytest.mark.parametrize(
    ("start", "end", "given", "before", "step"), WALKS, ids=[f"{start}->{end}" for start, end, *_ in WALKS]
)
def test_an_intent_walks_the_arrow(
    api: Api, start: str, end: str, given: dict[str, Any], before: list[Step], step: Step
) -> None:
    intent = api.ok(
        "POST",
        "/v1/payment_intents",
        amount=2000,
        currency="usd",
        allowed_payment_method_types=["card", "us_bank_account"],
        **given,
    )
    for earlier in before:
        earlier(api, intent)
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == start
    step(api, intent)
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == end


def test_every_drawn_arrow_is_walked_and_no_other() -> None:
    drawn = {(start, end) for start, ends in PAYMENT_INTENT.table.items() for end in ends}
    assert {(start, end) for start, end, *_ in WALKS} == drawn


def test_where_no_arrow_leads_an_intent_cannot_be_moved() -> None:
    for start, ends in PAYMENT_INTENT.table.items():
        for end in PAYMENT_INTENT.table.keys() - set(ends):
            with pytest.raises(InvalidTransition):
                move({"status": start, "next_action": None}, end)


@pytest.mark.parametrize("end", ["succeeded", "canceled"])
def test_from_an_end_no_request_leads_away(api: Api, end: str) -> None:
    intent = api.ok("POST", "/v1/payment_intents", amount=2000, currency="usd", allowed_payment_method_types=["card"])
    (_confirm(VISA) if end == "succeeded" else CANCEL)(api, intent)
    before = api.get(f"/v1/payment_intents/{intent['id']}")
    for step in (
        _confirm(VISA),
        CANCEL,
        _post("/capture"),
        _post(amount=5),
        _post(payment_method=VISA),
        _post("/increment_authorization", amount=9999),
    ):
        answer = step(api, intent)
        assert (answer.status, answer.error["code"]) == (400, "payment_intent_unexpected_state")
        assert answer.error["payment_intent"]["status"] == end
    assert api.get(f"/v1/payment_intents/{intent['id']}") == before


def test_a_canceled_intent_cannot_be_canceled_again(api: Api) -> None:
    intent = api.ok("POST", "/v1/payment_intents", **PAYMENT)
    gone = api.post(f"/v1/payment_intents/{intent['id']}/cancel", cancellation_reason="duplicate")
    assert (gone["status"], gone["cancellation_reason"], gone["canceled_at"]) == ("canceled", "duplicate", api.now)
    assert api.post(f"/v1/payment_intents/{intent['id']}/cancel").error["message"] == (
        "You cannot cancel this PaymentIntent because it has a status of canceled."
        " Only a PaymentIntent with one of the following statuses"
        " may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action,"
        " processing."
    )
