"""PaymentIntents after their confirmation: authentication, settlement, capture, increments and cancellation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.charges import jobs as charge_jobs
from tollkey.payments.charges import lifecycle, splitting
from tollkey.payments.intents import building, jobs, kinds, option_rules, payment_states, through_network
from tollkey.payments.intents.microdeposits import Entered, verified_method
from tollkey.payments.intents.outcome import charge_and_record, refuse, succeed
from tollkey.payments.methods import instruments
from tollkey.payments.processors import answers, asking, attempts
from tollkey.payments.shared import currency, events
from tollkey.payments.shared import fields as shared_fields
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.objects import value_at
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.charges.stored import StoredCharge
    from tollkey.payments.intents.stored import StoredPaymentIntent
    from tollkey.wire import api, operations
    from tollkey.wire.api import EventType

#: How often an authorization can be incremented.
MOST_INCREMENTS = 10
_AUTHENTICATION_FAILED = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod"
    " to attempt to"
    " fulfill this PaymentIntent again."
)
_PARTLY_CAPTURED = (
    "You cannot cancel this PaymentIntent because a part of it has been captured."
    " Make the last capture with `final_capture` instead;"
    " an `amount_to_capture` of 0 releases the rest."
)
_ATTEMPT_FAILED = "The customer declined the payment on the payment method's page."


# -- the challenge page


def authenticated(call: Call, intent: StoredPaymentIntent) -> None:
    """Charge after the customer authenticated, or wait for the server with manual confirmation.

    What may not be paid any more fails like a challenge that was not passed, so that its customer is sent back.
    """
    if intent["status"] != "requires_action":
        return
    try:
        call.announce(events.IntentActs(intent))
    except ApiError:
        not_authenticated(call, intent)
        return
    method = payment_states.method_of(call, intent)
    intent["_authenticated"] = method["id"]
    if intent["confirmation_method"] == "manual":
        payment_states.move(intent, "requires_confirmation")
        call.objects.save(intent)
        return
    charge_and_record(call, intent, method, off_session=False, authenticated=True)


def not_authenticated(call: Call, intent: StoredPaymentIntent) -> None:
    """Require another payment method after the customer failed to authenticate."""
    if intent["status"] != "requires_action":
        return
    method = payment_states.method_of(call, intent)
    card = (method.get("type") or "card") == "card"
    code, message = (
        ("payment_intent_authentication_failure", _AUTHENTICATION_FAILED)
        if card
        else ("payment_intent_payment_attempt_failed", _ATTEMPT_FAILED)
    )
    refuse(call, intent, method, invalid(message, None, code))


# -- scheduled jobs


def charge_settled(call: Call, id: str) -> None:
    """Run the job ``payment_intent.charge_settled``: a bank debit succeeded or failed."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, id)
    if intent is None or intent["status"] != "processing":
        return
    made = payment_states.charge_of(call, intent)
    if made["status"] == "succeeded":
        succeed(call, intent, made["amount_captured"])
    elif made["status"] == "failed":
        method = payment_states.method_of(call, intent)
        refuse(call, intent, method, lifecycle.decline(call, made, method))


def expire(call: Call, id: str) -> None:
    """Run the job ``payment_intent.expire``: an authorization was not captured in time."""
    intent = call.objects.find(kinds.PAYMENT_INTENT, id)
    if intent is None or intent["status"] != "requires_capture":
        return
    made = payment_states.charge_of(call, intent)
    if made["amount_captured"]:
        _capture_part(call, intent, made, 0, last=True)
    else:
        cancel_intent(call, intent, "automatic", "charge.expired")


# -- requests of the server


def _not_captured(
    call: Call, intent: StoredPaymentIntent, message: str, param: str | None, code: str | None = None
) -> ApiError:
    return invalid(message, param, code, payment_intent=call.objects.copy(intent))


def _amount_to_capture(
    call: Call, intent: StoredPaymentIntent, params: operations.PostPaymentIntentsIntentCapture, *, more: bool
) -> int:
    """Return what to capture, in minor units. Raises ApiError 400 for less than 1 or more than is authorized.

    more: a part was captured before, so that 0 releases what remains.
    """
    amount: int | None = params.get("amount_to_capture")
    if amount is None:
        return intent["amount_capturable"]
    if amount < 0:
        raise _not_captured(call, intent, "Invalid non-negative integer", "amount_to_capture")
    if amount == 0 and not more:
        message = "This value must be greater than or equal to 1."
        raise _not_captured(call, intent, message, "amount", "parameter_invalid_integer")
    if amount > intent["amount_capturable"]:
        message = (
            "The payment could not be captured because the requested capture amount is greater than the amount you can"
            " capture for this charge. Contact us via https://support.stripe.com/contact/ for help."
        )
        raise _not_captured(call, intent, message, None, "amount_too_large")
    return amount


def request_capture(
    call: Call, intent: StoredPaymentIntent, params: operations.PostPaymentIntentsIntentCapture
) -> StoredPaymentIntent:
    """Capture an authorized payment; a processor on a network is asked first, and it is captured when that approves.

    Raises ApiError 400 as ``capture_intent`` does, before anybody is asked.
    """
    through_network.check_free(intent)
    backend = asking.backend_of(call)
    if backend is None:
        return capture_intent(call, intent, params)
    id, amount = intent["id"], 0
    try:
        with call.tx.savepoint():
            before = payment_states.charge_of(call, intent)["amount_captured"] if intent["latest_charge"] else 0
            capture_intent(call, intent, params)
            amount = payment_states.charge_of(call, intent)["amount_captured"] - before
            raise _Rehearsed
    except _Rehearsed:
        call.forget()
    intent = call.objects.get(kinds.PAYMENT_INTENT, id)
    given = {name: value for name, value in params.items() if name != "expand"}
    through_network.follow(call, backend, intent, "capture", amount, {"params": given})
    return intent


class _Rehearsed(Exception):
    """A capture would succeed; it is rolled back until the processor has made it."""


def capture_intent(
    call: Call, intent: StoredPaymentIntent, params: operations.PostPaymentIntentsIntentCapture
) -> StoredPaymentIntent:
    """Capture an authorized payment, in full or in part.

    Raises ApiError 400 if nothing is authorized, or less than the requested amount.
    """
    payment_states.check_capturable(call, intent)
    made = payment_states.charge_of(call, intent)
    in_parts = value_at(made, "payment_method_details.card.multicapture.status") == "available"
    if params.get("final_capture") is False and not in_parts:
        raise invalid(
            "This PaymentIntent does not support multiple captures, so `final_capture` cannot be false.",
            "final_capture",
        )
    amount = _amount_to_capture(call, intent, params, more=bool(made["amount_captured"]))
    if (params.get("application_fee_amount") or 0) > amount:
        raise invalid(
            "The application_fee_amount cannot be greater than the captured amount.", "application_fee_amount"
        )
    splitting.check_captured_share(params.get("transfer_data"), amount)
    if params.get("transfer_data") and intent["transfer_data"] is None:
        raise invalid("This PaymentIntent has no `transfer_data[destination]` to transfer a part to.", "transfer_data")
    later = ("statement_descriptor", "statement_descriptor_suffix", "application_fee_amount")
    shared_fields.assign(intent, params, [name for name in later if params.get(name) is not None])
    if params.get("transfer_data"):
        changed = {**(intent["transfer_data"] or {}), **params["transfer_data"]}
        intent["transfer_data"] = cast("api.TransferData", changed)
    shared_fields.merge_metadata(intent, params)
    _describe(call, intent, params, amount)
    if in_parts and (params.get("final_capture") is False or made["amount_captured"]):
        return _capture_part(call, intent, made, amount, last=params.get("final_capture") is not False)
    fields = {
        name: params.get(name)
        for name in ("statement_descriptor", "statement_descriptor_suffix", "application_fee_amount", "transfer_data")
    }
    lifecycle.capture(call, made, amount, **fields)
    call.schedule.cancel(jobs.PAYMENT_INTENT_EXPIRE, intent["id"])
    succeed(call, intent, amount)
    return intent


def _describe(
    call: Call,
    intent: StoredPaymentIntent,
    params: operations.PostPaymentIntentsIntentCapture | operations.PostPaymentIntentsIntentIncrementAuthorization,
    amount: int,
) -> None:
    """Set what an amount (minor units) is for. Raises ApiError 400 for parts that do not add up to it."""
    option_rules.check_details(params)
    option_rules.check_total(amount, params)
    building.describe_goods(call, intent, params)


def _capture_part(
    call: Call, intent: StoredPaymentIntent, made: StoredCharge, amount: int, *, last: bool
) -> StoredPaymentIntent:
    """Capture a part of an authorization; the intent stays capturable until the last capture."""
    lifecycle.capture_part(call, made, amount, last=last)
    if last:
        call.schedule.cancel(jobs.PAYMENT_INTENT_EXPIRE, intent["id"])
        succeed(call, intent, made["amount_captured"])
        return intent
    intent.update(
        {"amount_capturable": intent["amount_capturable"] - amount, "amount_received": made["amount_captured"]}
    )
    call.objects.save(intent)
    call.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def cancel_intent(
    call: Call, intent: StoredPaymentIntent, reason: str | None, released: EventType = "charge.refunded"
) -> StoredPaymentIntent:
    """Cancel an intent and release its authorization. Raises ApiError if its status does not allow that.

    reason: ``cancellation_reason``. released: the event of the charge whose authorization is released.
    """
    through_network.check_free(intent)
    payment_states.check_cancelable(call, intent)
    if intent["status"] == "requires_capture":
        made = payment_states.charge_of(call, intent)
        if made["amount_captured"]:
            raise payment_states.unexpected(call, intent, _PARTLY_CAPTURED)
        backend = asking.backend_of(call)
        if backend is not None:
            more = {"reason": reason, "released": released}
            through_network.follow(call, backend, intent, "void", made["amount"], more)
            return intent
        _release(call, intent, released)
    elif intent["status"] == "processing":
        call.schedule.cancel(charge_jobs.CHARGE_SETTLE, payment_states.charge_of(call, intent)["id"])
    return _canceled(call, intent, reason)


def _release(call: Call, intent: StoredPaymentIntent, released: EventType) -> None:
    """Release the authorization of an intent. released: the event of its charge."""
    lifecycle.release(call, payment_states.charge_of(call, intent), released)
    call.schedule.cancel(jobs.PAYMENT_INTENT_EXPIRE, intent["id"])


def _canceled(call: Call, intent: StoredPaymentIntent, reason: str | None) -> StoredPaymentIntent:
    payment_states.move(intent, "canceled")
    intent.update({"canceled_at": call.now, "cancellation_reason": reason, "amount_capturable": 0})
    call.objects.save(intent)
    call.emit("payment_intent.canceled", intent)
    return intent


# -- a processor on a network


def attempt_ended(call: Call, fact: events.AttemptEnded) -> None:
    """Change an intent as its processor has decided."""
    attempt = fact.attempt
    intent = call.objects.find(kinds.PAYMENT_INTENT, attempt.object) if attempt.object.startswith("pi_") else None
    if intent is None or intent.get("_attempt") != attempt.reference:
        return
    del intent["_attempt"]
    sent_away = intent["status"] == "requires_action"
    if sent_away and attempt.answer.get("decline") == answers.NOT_AUTHENTICATED:
        not_authenticated(call, intent)
    elif attempt.operation == "authorize":
        method, absent = payment_states.method_of(call, intent), bool(attempt.asked["off_session"])
        answered = answers.verdict_of(attempt)
        error = charge_and_record(call, intent, method, off_session=absent, authenticated=sent_away, answered=answered)
        if error is not None:
            call.announce(events.IntentRefusedLater(intent, error, absent))
    elif attempt.state != "approved":
        call.objects.save(intent)
    elif attempt.operation == "capture":
        capture_intent(call, intent, cast("operations.PostPaymentIntentsIntentCapture", attempt.asked["params"]))
    else:
        _release(call, intent, attempt.asked["released"])
        _canceled(call, intent, attempt.asked["reason"])


def refusal(call: Call, intent: StoredPaymentIntent, reference: str) -> ApiError | None:
    """Return the error of a request whose processor has not approved; None if it has, or has not answered yet."""
    attempt = attempts.find(call.tx, reference)
    if attempt is None or attempt.state == "approved" or not attempt.applied:
        return None
    if attempt.operation != "authorize":
        return through_network.refusal_of(attempt)
    if attempt.answer.get("decline") == answers.NOT_AUTHENTICATED:
        return invalid(_AUTHENTICATION_FAILED, None, "payment_intent_authentication_failure")
    made = payment_states.charge_of(call, intent)
    paid_with = made["payment_method"]
    method = instruments.resolve_payment_method(call, paid_with) if paid_with else None
    return lifecycle.decline(call, made, method, intent)


def increment(
    call: Call, intent: StoredPaymentIntent, params: operations.PostPaymentIntentsIntentIncrementAuthorization
) -> StoredPaymentIntent:
    """Increase an authorization, at most ten times.

    Raises ApiError 400 if nothing is authorized, or the amount is not larger.
    """
    through_network.check_free(intent)
    if intent["status"] != "requires_capture":
        raise payment_states.unexpected(
            call,
            intent,
            f"This PaymentIntent's authorization could not be incremented because it has a status of"
            f" {intent['status']}. Only a"
            " PaymentIntent with one of the following statuses may be incremented: requires_capture.",
        )
    amount = params["amount"]
    currency.check_amount(amount, intent["currency"])
    if amount <= intent["amount"]:
        raise invalid(
            f"The amount ({amount}) must be greater than the amount that is authorized ({intent['amount']}).",
            "amount",
            "parameter_invalid_integer",
        )
    made = payment_states.charge_of(call, intent)
    _describe(call, intent, params, amount)
    if params.get("transfer_data"):
        _change_share(intent, params["transfer_data"])
    if value_at(intent, "payment_method_options.card.request_incremental_authorization") != "if_available":
        raise invalid(
            "This PaymentIntent does not support incremental authorization.",
            None,
            "payment_intent_invalid_parameter",
            retry=False,
        )
    if intent.get("_increments", 0) >= MOST_INCREMENTS:
        raise invalid(
            f"This PaymentIntent's authorization has been incremented {MOST_INCREMENTS} times, which is the maximum.",
            None,
            "payment_intent_invalid_parameter",
            retry=False,
        )
    intent["_increments"] = intent.get("_increments", 0) + 1
    later = ("description", "statement_descriptor", "application_fee_amount")
    shared_fields.assign(intent, params, [name for name in later if params.get(name) is not None])
    shared_fields.merge_metadata(intent, params)
    intent.update({"amount": amount, "amount_capturable": amount})
    building.check_parts(call, intent, params)
    given: Mapping[str, object] = params  # the names are computed
    lifecycle.increase(call, made, amount, {name: given.get(name) for name in (*later, "transfer_data")})
    call.objects.save(intent)
    call.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def _change_share(intent: StoredPaymentIntent, given: Mapping[str, Any]) -> None:
    """Change how much of an authorized amount is transferred. Raises ApiError 400 without a destination."""
    if intent["transfer_data"] is None:
        raise invalid("This PaymentIntent has no `transfer_data[destination]` to transfer a part to.", "transfer_data")
    intent["transfer_data"] = cast("api.TransferData", {**intent["transfer_data"], **given})


def verify(call: Call, intent: StoredPaymentIntent, entered: Entered) -> StoredPaymentIntent:
    """Verify the bank account with its micro-deposits, and debit it."""
    method = verified_method(call, intent, entered, refuse)
    problem = charge_and_record(call, intent, method, off_session=False, authenticated=True)
    if problem is not None:
        raise problem
    return intent


#: What becomes of an intent when its processor has answered, or has not.
OF_ATTEMPTS = (
    Reaction(events.AttemptEnded, attempt_ended),
    Reaction(events.AttemptWaits, through_network.attempt_waits),
)
