"""What each state of a charge, a refund and a dispute allows: every cell of the tables, with the exact refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.payments.charges.steps import charged
from tests.support.api import Api, rule_table

Refusal = tuple[str | None, str]
HELD = {"amount": 1000, "currency": "usd", "source": "tok_visa", "capture": False}
INTENT = {
    "amount": 1000,
    "currency": "usd",
    "allowed_payment_method_types": ["card", "us_bank_account"],
    "confirm": True,
}
DEBIT = {"mandate_data": {"customer_acceptance": {"type": "offline"}}}


def _of_intent(api: Api, **params: Any) -> str:
    return str(
        api.post("/v1/payment_intents", **{**INTENT, "payment_method": "pm_card_visa", **params})["latest_charge"]
    )


def _refunded(api: Api, amount: int | None = None) -> str:
    id = str(charged(api, amount=1000)["id"])
    api.ok("post", "/v1/refunds", charge=id, **({} if amount is None else {"amount": amount}))
    return id


def _failed(api: Api) -> str:
    return str(api.post("/v1/charges", **{**HELD, "source": "tok_chargeDeclined"}).error["charge"])


def _released(api: Api) -> str:
    id = str(api.ok("post", "/v1/charges", **HELD)["id"])
    api.advance(8 * 86_400)
    return id


def _canceled(api: Api) -> str:
    id = _of_intent(api, capture_method="manual")
    api.ok("post", f"/v1/payment_intents/{api.get(f'/v1/charges/{id}')['payment_intent']}/cancel")
    return id


def _in_parts(api: Api) -> str:
    options = {"card": {"request_multicapture": "if_available"}}
    id = _of_intent(api, capture_method="manual", payment_method_options=options)
    intent = api.get(f"/v1/charges/{id}")["payment_intent"]
    api.ok("post", f"/v1/payment_intents/{intent}/capture", amount_to_capture=400, final_capture=False)
    return id


STATES: Mapping[str, Callable[[Api], str]] = {
    "captured": lambda api: str(charged(api, amount=1000)["id"]),
    "authorized": lambda api: str(api.ok("post", "/v1/charges", **HELD)["id"]),
    "authorized by an intent": lambda api: _of_intent(api, capture_method="manual"),
    "captured in parts": _in_parts,
    "of a canceled intent": _canceled,
    "expired": _released,
    "refunded": _refunded,
    "refunded in part": lambda api: _refunded(api, 400),
    "disputed": lambda api: str(charged(api, "tok_createDispute")["id"]),
    "pending": lambda api: _of_intent(api, payment_method="pm_usBankAccount_processing", **DEBIT),
    "failed": _failed,
}
OPERATIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "capture": ("capture", {}),
    "capture a part": ("capture", {"amount": 600}),
    "refund": ("refunds", {}),
    "refund a part": ("refunds", {"amount": 100}),
    "update": ("", {"description": "changed"}),
}
_SEE = " For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
CAPTURED = ("charge_already_captured", "Charge {id} has already been captured.")
EXPIRED = ("charge_expired_for_capture", "Charge {id} cannot be captured because it has expired or been refunded.")
REFUNDED = ("charge_already_refunded", "Charge {id} has already been refunded.")
DISPUTED = ("charge_disputed", "Charge {id} has been charged back; cannot issue a refund.")
PENDING = ("charge_not_refundable", "Charge {id} is still pending and cannot be refunded.")
FAILED = ("charge_not_refundable", "Charge {id} has failed and cannot be refunded.")
CAPTURE_INTENT = (
    None,
    "This uncaptured Charge was created by a PaymentIntent ({intent}). You must capture the PaymentIntent instead."
    + _SEE,
)
CANCEL_INTENT = (
    None,
    "This uncaptured Charge was created by a PaymentIntent ({intent}). You must cancel the PaymentIntent to reverse the"
    " authorization instead of refunding the Charge directly." + _SEE,
)
WHOLE = (
    None,
    "You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less than the original"
    " amount.",
)
#: state -> the refusals of: capture, capture a part, refund, refund a part. An update is always allowed.
TABLE: Mapping[str, tuple[Refusal | None, ...]] = {
    "captured": (CAPTURED, CAPTURED, None, None),
    "authorized": (None, None, None, WHOLE),
    "authorized by an intent": (CAPTURE_INTENT, CAPTURE_INTENT, CANCEL_INTENT, CANCEL_INTENT),
    "captured in parts": (CAPTURE_INTENT, CAPTURE_INTENT, None, None),
    "of a canceled intent": (CAPTURE_INTENT, CAPTURE_INTENT, CANCEL_INTENT, CANCEL_INTENT),
    "expired": (EXPIRED, EXPIRED, REFUNDED, REFUNDED),
    "refunded": (CAPTURED, CAPTURED, REFUNDED, REFUNDED),
    "refunded in part": (CAPTURED, CAPTURED, None, None),
    "disputed": (CAPTURED, CAPTURED, DISPUTED, DISPUTED),
    "pending": (CAPTURED, CAPTURED, PENDING, PENDING),
    "failed": (EXPIRED, EXPIRED, FAILED, FAILED),
}
CELLS = [
    (state, operation, refusal)
    for state, refusals in TABLE.items()
    for operation, refusal in zip(OPERATIONS, (*refusals, None), strict=True)
]


@rule_table
@pytest.mark.parametrize(("state", "operation", "refusal"), CELLS, ids=[f"{cell[0]}: {cell[1]}" for cell in CELLS])
def test_a_charge_allows_what_its_state_allows(api: Api, state: str, operation: str, refusal: Refusal | None) -> None:
    id = STATES[state](api)
    before = api.get(f"/v1/charges/{id}")
    path, params = OPERATIONS[operation]
    answer = api.post(f"/v1/charges/{id}/{path}".rstrip("/"), **params)
    if refusal is None:
        assert answer.status == 200
        return
    code, message = refusal
    assert (answer.status, answer.error["type"], answer.error.get("code")) == (400, "invalid_request_error", code)
    assert answer.error["message"] == message.format(id=id, intent=before["payment_intent"])
    assert api.get(f"/v1/charges/{id}") == before


def test_the_table_has_every_state() -> None:
    assert TABLE.keys() == STATES.keys()


@pytest.mark.parametrize("state", STATES)
def test_the_amount_refunded_of_a_charge_is_that_of_its_refunds(api: Api, state: str) -> None:
    id = STATES[state](api)
    charge = api.ok("get", f"/v1/charges/{id}", expand=["refunds"])
    assert sum(refund["amount"] for refund in charge["refunds"]["data"]) == charge["amount_refunded"]


#: refund status -> the card that leads there, the seconds to wait, and whether it can be canceled
REFUNDS: Mapping[str, tuple[str, int, bool]] = {
    "succeeded": ("tok_visa", 0, False),
    "pending": ("tok_pendingRefund", 0, True),
    "failed": ("tok_refundFail", 10, False),
    "canceled": ("tok_pendingRefund", -1, False),
}


@pytest.mark.parametrize("status", REFUNDS)
def test_a_refund_can_be_canceled_while_it_is_pending_and_updated_always(api: Api, status: str) -> None:
    card, wait, cancelable = REFUNDS[status]
    id = api.ok("post", "/v1/refunds", charge=charged(api, card)["id"])["id"]
    if wait < 0:
        api.ok("post", f"/v1/refunds/{id}/cancel")
    api.advance(max(wait, 0))
    assert api.get(f"/v1/refunds/{id}")["status"] == status
    assert api.ok("post", f"/v1/refunds/{id}", metadata={"a": "b"})["metadata"] == {"a": "b"}
    answer = api.post(f"/v1/refunds/{id}/cancel")
    assert answer.status == (200 if cancelable else 400)
    if not cancelable:
        assert answer.error["message"] == "Canceling this refund is unsupported."
