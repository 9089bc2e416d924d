"""Verifying a US bank account with micro-deposits (reference section 6.10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tollkey.payments.methods import instruments
from tollkey.payments.processors import banks
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent, Instrument

#: Failed tries after which a bank account cannot be verified any more (Stripe's docs, "ACH Direct Debit",
#: micro-deposits).
MOST_ATTEMPTS = 10
Refuse = Callable[[Call, Any, Any, ApiError], ApiError]  # of a PaymentIntent or a SetupIntent


@dataclass(frozen=True)
class Entered:
    """What a customer read on the account statement: the two amounts, in minor units, or the code beside them."""

    amounts: Sequence[int] | None = None
    code: str | None = None


def verified_method(call: Call, intent: AnyIntent, entered: Entered, refuse: Refuse) -> Instrument:
    """Return the intent's bank account after verifying it with these deposits, and store it.

    refuse: called for a failure that changes the intent; the error it returns is raised.
    Raises ApiError like ``check_microdeposits``.
    """
    text = intent["payment_method"]
    method = instruments.resolve_payment_method(call, text) if text else None
    problem = check_microdeposits(call, intent, method, entered)
    if problem is not None:
        raise refuse(call, intent, method, problem)
    assert method is not None, "what has deposits to verify has a bank account"
    method["_verified"] = True
    return call.objects.save(method)


def check_microdeposits(call: Call, intent: AnyIntent, method: Instrument | None, entered: Entered) -> ApiError | None:
    """Compare the amounts or the code of the micro-deposits (reference section 6.10).

    Wrong attempts are counted on the bank account, so that another intent continues the count. Returns the error of a
    failure that changes the intent, else None. Raises ApiError for a failure after which the customer may retry.
    """
    asked = value_at(intent, "next_action.type")
    name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
    if intent["status"] != "requires_action":
        message = (
            f"This {name} cannot be actioned on because it has a status of {intent['status']}. Only a {name} with one"
            ' of the following statuses may be actioned on: ["requires_action"].'
        )
        carried = {intent["object"]: call.objects.copy(intent)}
        raise invalid(message, None, "intent_invalid_state", retry=False, **carried)
    if method is None or asked != "verify_with_microdeposits":
        message = f"This {name} cannot be verified with microdeposits because it is not waiting for them."
        raise invalid(message, None, "intent_verification_method_missing", retry=False)
    amounts, code = entered.amounts, entered.code
    if (amounts is None) == (code is None):
        raise invalid("You must provide exactly one of the following params: amounts or descriptor_code.")
    answer = tuple(sorted(amounts)) if amounts is not None else str(code).upper()
    tried = method.get("_deposit_attempts", 0)
    if answer in (tuple(sorted(banks.VERIFIED_AMOUNTS)), banks.VERIFIED_CODE) and tried < MOST_ATTEMPTS:
        return None
    if tried >= MOST_ATTEMPTS or answer in (
        tuple(sorted(banks.ATTEMPTS_EXCEEDED_AMOUNTS)),
        banks.ATTEMPTS_EXCEEDED_CODE,
    ):
        return _exceeded()
    if answer in (tuple(sorted(banks.TIMEOUT_AMOUNTS)), banks.TIMEOUT_CODE):
        message = (
            "Microdeposit verification timed out. Customer did not verify microdeposits within the required 10 day "
            "period."
        )
        return invalid(message, None, "payment_method_microdeposit_verification_timeout", keep=True, retry=False)
    method["_deposit_attempts"] = tried + 1
    call.objects.save(method)
    if tried + 1 >= MOST_ATTEMPTS:
        return _exceeded()
    if amounts is not None:
        message = "The amounts provided do not match the amounts that were sent to the bank account."
        code = "payment_method_microdeposit_verification_amounts_mismatch"
    else:
        message = "The descriptor code provided does not match the one that was sent to the bank account."
        code = "payment_method_microdeposit_verification_descriptor_code_mismatch"
    raise invalid(message, None, code, keep=True, retry=False, guess=True)


def _exceeded() -> ApiError:
    message = "You have exceeded the number of allowed verification attempts."
    return invalid(message, None, "payment_method_microdeposit_verification_attempts_exceeded", keep=True, retry=False)
