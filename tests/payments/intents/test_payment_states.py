"""The state machine of PaymentIntents: every drawn arrow is walked, and no other can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.payments.intents.steps import PAYMENT
from tests.support.api import Answer, Api, rule_table
from tests.support.versions import BEFORE_ENDIVE
from tollkey.payments.intents.payment_states import CODE, move
from tollkey.payments.intents.states import PAYMENT_INTENT
from tollkey.payments.shared.states import InvalidTransition
from tollkey.wire.params import operation_params

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


#: Only a processor on a network leads there (``test_through_network.py``).
BY_NETWORK = {("processing", "requires_capture"), ("processing", "requires_action")}


def test_every_drawn_arrow_is_walked_and_no_other() -> None:
    drawn = {(start, end) for start, ends in PAYMENT_INTENT.table.items() for end in ends} - BY_NETWORK
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


#: Status -> further parameters of an intent, and the steps that lead there.
REACHED: dict[str, tuple[dict[str, Any], list[Step]]] = {
    "requires_payment_method": ({}, []),
    "requires_confirmation": ({}, [_post(payment_method=VISA)]),
    "requires_action": ({}, [_confirm(ASKS)]),
    "processing": ({}, [_debit(NEVER)]),
    "requires_capture": (
        {**HELD, "payment_method_options": {"card": {"request_incremental_authorization": "if_available"}}},
        [_confirm(VISA)],
    ),
    "succeeded": ({}, [_confirm(VISA)]),
    "canceled": ({}, [_post(payment_method=VISA), CANCEL]),
}
BEFORE = ("requires_payment_method", "requires_confirmation", "requires_action")


NAMED: dict[str, Any] = {"allowed_payment_method_types": ["card", "us_bank_account"]}
AUTOMATIC: dict[str, Any] = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}


def _reached(api: Api, status: str, types: dict[str, Any] = NAMED) -> Answer:
    """An intent in that status, without a customer."""
    given, steps = REACHED[status]
    intent = api.ok("POST", "/v1/payment_intents", amount=2000, currency="usd", **types, **given)
    for step in steps:
        step(api, intent)
    intent = api.get(f"/v1/payment_intents/{intent['id']}")
    assert intent["status"] == status
    return intent


def _refused(api: Api, before: Answer, answer: Answer, code: str, words: str) -> None:
    """Assert that a step was refused, and that it changed nothing."""
    assert (answer.status, answer.error["code"]) == (400, code), answer
    assert words in answer.error["message"]
    assert answer.error["payment_intent"]["status"] == before["status"]
    assert api.get(f"/v1/payment_intents/{before['id']}") == before


#: Operation -> how it is done, the statuses in which it is, and the refusal elsewhere: its code, and words by status.
OPERATIONS: dict[str, tuple[Step, tuple[str, ...], str, dict[str, str]]] = {
    "confirm with another payment method": (
        _confirm("pm_card_mastercard"),
        BEFORE,
        CODE,
        {
            "processing": "You cannot confirm this PaymentIntent because it has a status of processing.",
            "requires_capture": "You cannot confirm this PaymentIntent because it has a status of requires_capture.",
            "succeeded": "because it has already succeeded after being previously confirmed.",
            "canceled": "payment_method could not be updated because it has a status of canceled.",
        },
    ),
    "confirm": (
        _post("/confirm", return_url="https://shop.example/"),
        BEFORE[1:],
        CODE,
        {
            "requires_payment_method": "because it's missing a payment method. You can either update",
            "processing": "You cannot confirm this PaymentIntent because it has a status of processing.",
            "requires_capture": "You cannot confirm this PaymentIntent because it has a status of requires_capture.",
            "succeeded": "because it has already succeeded after being previously confirmed.",
            "canceled": "You cannot confirm this PaymentIntent because it has a status of canceled.",
        },
    ),
    "capture": (
        _post("/capture"),
        ("requires_capture",),
        CODE,
        {
            **{status: f"could not be captured because it has a status of {status}" for status in REACHED},
            "succeeded": "could not be captured because it has already been captured",
        },
    ),
    "cancel": (
        CANCEL,
        (*BEFORE, "processing", "requires_capture"),
        CODE,
        {status: f"because it has a status of {status}. Only" for status in ("succeeded", "canceled")},
    ),
    "increment": (
        _post("/increment_authorization", amount=3000),
        ("requires_capture",),
        CODE,
        {status: f"could not be incremented because it has a status of {status}" for status in REACHED},
    ),
    "apply the customer's balance": (
        _post("/apply_customer_balance"),
        (),
        CODE,
        {status: f"because it has a status of {status}" for status in REACHED},
    ),
}


@rule_table
@pytest.mark.parametrize("status", REACHED)
@pytest.mark.parametrize("what", OPERATIONS)
def test_each_operation_is_for_intents_in_its_statuses(api: Api, what: str, status: str) -> None:
    step, allowed, code, words = OPERATIONS[what]
    before = _reached(api, status)
    answer = step(api, before)
    if status in allowed:
        assert answer.status == 200, answer
    else:
        _refused(api, before, answer, code, words[status])


@pytest.mark.parametrize("status", REACHED)
def test_deposits_are_verified_only_while_the_intent_waits_for_them(api: Api, status: str) -> None:
    before = _reached(api, status)
    answer = _post("/verify_microdeposits", amounts=[32, 45])(api, before)
    if status == "requires_action":
        assert (answer.status, answer.error["code"]) == (400, "intent_verification_method_missing")
    else:
        text = (
            f"This PaymentIntent cannot be actioned on because it has a status of {status}. Only a PaymentIntent with"
            ' one of the following statuses may be actioned on: ["requires_action"].'
        )
        _refused(api, before, answer, "intent_invalid_state", text)


def _calculated(api: Api) -> object:
    """A link to a tax calculation."""
    details = {"address": {"country": "DE"}, "address_source": "billing"}
    items = [{"amount": 2000, "reference": "tea"}]
    made = api.ok("POST", "/v1/tax/calculations", currency="usd", customer_details=details, line_items=items)
    return {"inputs": {"tax": {"calculation": made["id"]}}}


ALWAYS = tuple(REACHED)
#: Parameter of an update -> its new value, or how it is made, and the statuses in which it may change.
UPDATES: dict[str, tuple[object, tuple[str, ...]]] = {
    "allowed_payment_method_types": (["card"], BEFORE),
    "amount": (3000, BEFORE),
    "amount_details": ("", BEFORE),
    "application_fee_amount": ("", (*BEFORE, "requires_capture")),
    "capture_method": ("automatic", BEFORE),
    "currency": ("usd", BEFORE),
    "customer": (lambda api: api.ok("POST", "/v1/customers")["id"], BEFORE),
    "description": ("Order 7", ALWAYS),
    "excluded_payment_method_types": ("", BEFORE),
    "hooks": (_calculated, BEFORE),
    "metadata": ({"order": "7"}, ALWAYS),
    "payment_details": ({"order_reference": "7"}, ALWAYS),
    "payment_method": ("pm_card_mastercard", BEFORE),
    "payment_method_configuration": (
        lambda api: api.get("/v1/payment_method_configurations")["data"][0]["id"],
        BEFORE,
    ),
    "payment_method_data": ({"type": "card", "card": {"token": "tok_visa"}}, BEFORE),
    "payment_method_options": ({"card": {"request_three_d_secure": "any"}}, BEFORE),
    "payment_method_types": (["card", "us_bank_account"], BEFORE),
    "receipt_email": ("j@example.com", (*BEFORE, "requires_capture", "succeeded")),
    "return_url": ("https://shop.example/", BEFORE),
    "save_payment_method": (False, BEFORE),
    "setup_future_usage": ("off_session", BEFORE),
    "shipping": ({"name": "J", "address": {"line1": "1 Main St"}}, ALWAYS),
    "source": ("pm_card_mastercard", BEFORE),
    "statement_descriptor": ("SHOP", BEFORE),
    "statement_descriptor_suffix": ("SEVEN", BEFORE),
    "transfer_group": ("order 7", ALWAYS),
}
#: Parameter and status -> the words of a refusal that has a text of its own.
OWN_WORDS = {
    ("application_fee_amount", "succeeded"): "cannot be updated on a PaymentIntent after a capture has already been",
    ("payment_method", "requires_capture"): "You cannot provide a new payment method to a PaymentIntent when it has",
}


@rule_table
@pytest.mark.parametrize("status", REACHED)
@pytest.mark.parametrize("name", UPDATES)
def test_each_parameter_changes_in_its_statuses(api: Api, name: str, status: str) -> None:
    value, allowed = UPDATES[name]
    chooses = name == "payment_method_configuration" and status in allowed  # among the types that are not named
    before = _reached(api, status, AUTOMATIC if chooses else NAMED)
    given = {name: value(api) if callable(value) else value}
    version = BEFORE_ENDIVE if name == "payment_method_types" else ""
    answer = api.under(version).post(f"/v1/payment_intents/{before['id']}", **given)
    if status in allowed:
        assert answer.status == 200, answer
        return
    statuses = ", ".join(allowed)
    text = f"You may only update the {name} of a PaymentIntent with one of the following statuses: {statuses}."
    _refused(api, before, answer, CODE, OWN_WORDS.get((name, status), text))
    assert answer.error["param"] == name


def test_every_parameter_of_an_update_has_its_row() -> None:
    known = operation_params("POST", "/v1/payment_intents/{intent}").fields
    # Of old versions and of browsers, not built, of the answer, and with a test of its own.
    aside = {"allowed_source_types", "client_secret", "customer_account", "expand", "transfer_data"}
    assert set(known) - aside == set(UPDATES)


@pytest.mark.parametrize("status", ["processing", "requires_capture", "succeeded", "canceled"])
def test_what_another_account_gets_stays_once_the_intent_is_confirmed(api: Api, status: str) -> None:
    before = _reached(api, status)
    refused = api.post(f"/v1/payment_intents/{before['id']}", transfer_data={"amount": 100})
    _refused(api, before, refused, CODE, f"transfer_data could not be updated because it has a status of {status}.")


def test_an_intent_of_a_customer_asks_for_a_payment_method_of_the_customer(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    intent = api.ok("POST", "/v1/payment_intents", customer=customer, **PAYMENT)
    refused = api.post(f"/v1/payment_intents/{intent['id']}/confirm")
    assert refused.error["message"] == (
        "You cannot confirm this PaymentIntent because it's missing a payment method. To confirm the PaymentIntent with"
        f" {customer}, specify a payment method attached to this customer along with the customer ID."
    )
