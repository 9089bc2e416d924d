"""What becomes of a SetupIntent when the processor on a network that was asked to verify its payment method answers.

processing ──its customer is sent to authenticate──▶ requires_action
           ──approved──▶ succeeded, and the payment method is saved
           ──declined, never sent, undone──▶ requires_payment_method, with ``last_setup_error``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.intents import kinds, payment_states
from tollkey.payments.intents.setup_confirmation import NOT_AUTHENTICATED, refuse, require_action, succeed
from tollkey.payments.methods import kinds as methods_kinds
from tollkey.payments.processors import answers, attempts
from tollkey.payments.shared import events
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import card_error

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredSetupIntent
    from tollkey.wire import api


def attempt_ended(call: Call, fact: events.AttemptEnded) -> None:
    """Let a SetupIntent succeed or be refused, as its processor has decided."""
    attempt = fact.attempt
    intent = call.objects.find(kinds.SETUP_INTENT, attempt.object) if attempt.operation == "verify" else None
    if intent is None or intent.get("_attempt") != attempt.reference:
        return
    del intent["_attempt"]
    method = payment_states.method_of(call, intent)
    if attempt.state == "approved":
        succeed(call, intent, method, authenticated=False)
    else:
        refuse(call, intent, method, _error_of(attempt))


def attempt_waits(call: Call, fact: events.AttemptWaits) -> None:
    """Show where the processor sends the customer to authenticate."""
    attempt = fact.attempt
    intent = call.objects.find(kinds.SETUP_INTENT, attempt.object) if attempt.operation == "verify" else None
    url = attempt.answer.get("redirect")
    if intent is None or intent.get("_attempt") != attempt.reference or url is None or intent["next_action"]:
        return
    there: api.SetupIntentNextActionRedirectToUrl = {"return_url": attempt.asked.get("return_url"), "url": url}
    require_action(
        call, intent, payment_states.method_of(call, intent), {"redirect_to_url": there, "type": "redirect_to_url"}
    )


def refusal(call: Call, intent: StoredSetupIntent, reference: str) -> ApiError | None:
    """Return the error of a request whose payment method was not verified; None if it was, or is not yet."""
    attempt = attempts.find(call.tx, reference)
    if attempt is None or attempt.state == "approved" or not attempt.applied:
        return None
    error = _error_of(attempt)
    method = call.objects.find(methods_kinds.PAYMENT_METHOD, attempt.asked["method"])
    if method is not None:
        error.extra["payment_method"] = call.objects.copy(method)
    error.extra["setup_intent"] = call.objects.copy(intent)
    return error


def _error_of(attempt: attempts.Attempt) -> ApiError:
    if attempt.answer.get("decline") == answers.NOT_AUTHENTICATED:
        return invalid(NOT_AUTHENTICATED, None, "setup_intent_authentication_failure")
    decline = answers.decline_of(attempt)
    return card_error(decline.code, decline.message, decline.param, decline.decline_code, **decline.extra())
