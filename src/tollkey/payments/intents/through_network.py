"""PaymentIntents whose processor is on a network: it is asked after the transaction, and answers in another one.

What it has not answered is named by ``_attempt``; until then nothing else may change the intent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollkey.payments.balance import settlement
from tollkey.payments.intents import kinds, payment_states, states
from tollkey.payments.processors import asking, attempts, protocol
from tollkey.payments.shared import events, fields, providers
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollkey.payments.intents.stored import AnyIntent, Instrument, StoredPaymentIntent, StoredSetupIntent
    from tollkey.payments.processors.attempts import Attempt
    from tollkey.payments.processors.backends import Backend
    from tollkey.payments.processors.network import Operation
    from tollkey.wire import api

_ASKED = ("any", "challenge")
_VERBS = {"capture": "capture", "void": "cancel"}


def check_free(intent: AnyIntent) -> None:
    """Raise ApiError 429 while the intent's processor has not answered."""
    if intent.get("_attempt"):
        raise asking.busy()


def check_method(call: Call, method: Instrument, currency: str) -> None:
    """Raise ApiError 400 for a payment method that the account's processor, if it is on a network, does not take."""
    refused = method_refusal(call, method, currency)
    if refused is not None:
        raise refused


def method_refusal(call: Call, method: Instrument, currency: str) -> ApiError | None:
    """Return the error that ``check_method`` raises, or None. Test mode has none."""
    backend = asking.backend_of(call)
    if backend is None:
        return None
    try:
        asking.check(backend, "authorize", currency, protocol.kind_of(method))
        asking.described(method)
    except ApiError as error:
        return error
    return None


def authorize(
    call: Call, backend: Backend, intent: StoredPaymentIntent, method: Instrument, *, off_session: bool, captures: bool
) -> None:
    """Ask the processor to authorize, and to take the money if ``captures``. The intent is processing until it answers.

    Raises ApiError for what the processor, or this server without another provider, does not do.
    """
    described = asking.described(method)
    if settlement.settlement_currency(call, intent["currency"]) != intent["currency"]:
        call.require(providers.RATES)
    if intent["on_behalf_of"] or intent["transfer_data"] or intent["application_fee_amount"]:
        call.require(providers.TRANSFERS)
    asked = {
        **described,
        "capture": captures,
        "off_session": off_session,
        "statement_descriptor": intent["statement_descriptor"] or intent["statement_descriptor_suffix"],
        "authenticate": value_at(intent, "payment_method_options.card.request_three_d_secure") in _ASKED,
        "return_url": intent.get("_return_url"),
    }
    question = attempts.Question("authorize", intent["id"], intent["amount"], intent["currency"], asked)
    reference = asking.ask(call, backend, question, protocol.kind_of(method))
    payment_states.move(intent, "processing")
    intent["_attempt"] = reference
    call.objects.save(intent)


def attempt_waits(call: Call, fact: events.AttemptWaits) -> None:
    """Tell that a payment is processing, or that its processor sends the customer to authenticate."""
    attempt = fact.attempt
    intent = call.objects.find(kinds.PAYMENT_INTENT, attempt.object) if attempt.operation == "authorize" else None
    if intent is None or intent.get("_attempt") != attempt.reference:
        return
    url = attempt.answer.get("redirect")
    if url is None:
        call.emit("payment_intent.processing", intent)
    elif intent["next_action"] is None:
        payment_states.move(intent, "requires_action")
        there: api.PaymentIntentNextActionRedirectToUrl = {"return_url": attempt.asked.get("return_url"), "url": url}
        intent["next_action"] = {"redirect_to_url": there, "type": "redirect_to_url"}
        call.objects.save(intent)
        call.emit("payment_intent.requires_action", intent)
        call.announce(events.IntentChanged(intent))


def verify(
    call: Call, backend: Backend, intent: StoredSetupIntent, method: Instrument, *, return_url: str | None
) -> None:
    """Ask the processor whether a payment method may be charged later. The intent is processing until it answers.

    Raises ApiError 400 for what the processor does not do.
    """
    described = asking.described(method)
    currency = str((fields.acting_account(call) or {}).get("default_currency") or "usd")
    asked = {
        **described, "capture": False, "off_session": False, "statement_descriptor": None, "return_url": return_url,
        "authenticate": value_at(intent, "payment_method_options.card.request_three_d_secure") in _ASKED,
    }  # fmt: skip
    question = attempts.Question("verify", intent["id"], 0, currency, asked)
    intent["_attempt"] = asking.ask(call, backend, question, protocol.kind_of(method))
    states.move(states.SETUP_INTENT, intent, "processing")
    call.objects.save(intent)


def follow(
    call: Call,
    backend: Backend,
    intent: StoredPaymentIntent,
    operation: Operation,
    amount: int,
    more: Mapping[str, Any],
) -> None:
    """Ask the processor to capture or release what it has authorized. amount: minor units. more: see ``Attempt.asked``.

    Raises ApiError 400 when the authorization is not its own, or it does not do that.
    """
    about = asking.authorization_of(call, intent["id"])
    if about is None or about.provider != backend.provider:
        raise invalid("The processor of this account has not authorized this PaymentIntent.", retry=False)
    if operation == "capture" and amount < about.amount and not backend.features.partial_capture:
        raise invalid("The processor of this account captures only the full amount.", "amount_to_capture", retry=False)
    question = attempts.Question(operation, intent["id"], amount, intent["currency"], more, about.reference)
    intent["_attempt"] = asking.ask(call, backend, question)
    call.objects.save(intent)


def refusal_of(attempt: Attempt) -> ApiError:
    """Return the error of a capture or cancellation that was not approved."""
    return asking.refused(attempt, f"to {_VERBS[attempt.operation]} this PaymentIntent")
