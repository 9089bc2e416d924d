"""Confirming a SetupIntent: it ends in a saved payment method, a challenge or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.intents import defaults, jobs, kinds, payment_states, through_network, vouchers
from tollkey.payments.intents.actions import (
    card_challenge,
    check_return_url,
    deposits_action,
    first_action,
    redirect_action,
    unverified,
)
from tollkey.payments.intents.method_choice import attach, check_owner, redeem_confirmation_token
from tollkey.payments.intents.payment_states import unexpected
from tollkey.payments.intents.setup_attempts import error_summary, record_attempt
from tollkey.payments.intents.setup_building import CANCELABLE, apply, choose, move
from tollkey.payments.methods import instruments, mandates, method_types
from tollkey.payments.processors import asking, banks, protocol
from tollkey.payments.shared import clock, events, fields, providers
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import card_error
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import Instrument, StoredSetupIntent
    from tollkey.wire import api, operations

_METHODS = ("payment_method", "payment_method_data", "confirmation_token", "source")
_MISSING = (
    "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent"
    " with a payment method and then confirm it again, or confirm it again directly with a payment method or"
    " ConfirmationToken."
)
NOT_AUTHENTICATED = (
    "The latest attempt to set up the payment method has failed because authentication failed."
    " You can provide payment_method_data or a"
    " new PaymentMethod to attempt to fulfill this SetupIntent again."
)
_ENDED = {"succeeded": "it has already succeeded", "canceled": "it has been canceled"}


def confirm_setup(call: Call, intent: StoredSetupIntent, params: Mapping[str, Any]) -> ApiError | None:
    """Confirm a stored SetupIntent and save the result, with its events.

    Returns the 402 error of a refusal instead of raising it.
    """
    call.require(providers.VERIFYING if call.livemode else providers.SETUPS)
    through_network.check_free(intent)
    _check_confirmable(call, intent, params)
    params = redeem_confirmation_token(call, params, intent)
    defaults.ask(call, intent, bool(params.get("set_as_default_payment_method")))
    change: operations.PostSetupIntentsIntent = {}
    if params.get("allowed_payment_method_types"):
        change["allowed_payment_method_types"] = params["allowed_payment_method_types"]
    if params.get("payment_method_options"):
        change["payment_method_options"] = params["payment_method_options"]
    if change:
        apply(call, intent, change)
    choose(call, intent, params)
    if intent["payment_method"] is None:
        raise unexpected(call, intent, _MISSING)
    check_return_url(call, intent, params.get("return_url"))
    method = instruments.resolve_payment_method(call, intent["payment_method"])
    check_owner(call, intent, method)
    intent["_mandate"] = mandates.mandate_for(call, intent, method, params)
    return _attempt(call, intent, method, params)


def _check_confirmable(call: Call, intent: StoredSetupIntent, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 if the status allows no confirmation; a missing payment method is named first."""
    status = intent["status"]
    if status in CANCELABLE:
        return
    if intent["payment_method"] is None and not any(params.get(name) for name in _METHODS):
        raise unexpected(call, intent, _MISSING)
    problem = _ENDED.get(
        status,
        f"it has a status of {status}. Only a SetupIntent with one of the following statuses may be confirmed:"
        " requires_confirmation, requires_action",
    )
    raise unexpected(call, intent, f"You cannot confirm this SetupIntent because {problem}.")


def _attempt(call: Call, intent: StoredSetupIntent, method: Instrument, params: Mapping[str, Any]) -> ApiError | None:
    backend = asking.backend_of(call)
    if backend is not None:
        through_network.verify(call, backend, intent, method, return_url=params.get("return_url"))
        return None
    kind, return_url = protocol.kind_of(method), params.get("return_url")
    refusal = _refusal(method)
    if refusal is not None:
        return refuse(call, intent, method, refusal)
    if kind == "card":
        requested = value_at(intent, "payment_method_options.card.request_three_d_secure") in ("any", "challenge")
        asks = card_challenge(method, off_session=False, requested=requested)
        if asks == "error":
            return refuse(
                call,
                intent,
                method,
                card_error("card_declined", "Your card was declined.", decline_code="generic_decline"),
            )
        if asks == "challenge":
            in_library = bool(params.get("use_stripe_sdk"))
            require_action(
                call,
                intent,
                method,
                first_action(call, intent, method, return_url=return_url, use_stripe_sdk=in_library),
            )
            return None
    elif unverified(intent, method):
        _plan_deposits(call, intent, method)
        require_action(call, intent, method, deposits_action(call, intent, kind))
        return None
    elif kind in method_types.TYPES and method_types.TYPES[kind].redirects:
        require_action(call, intent, method, redirect_action(call, intent, kind, return_url))
        return None
    succeed(call, intent, method, authenticated=False)
    return None


def _plan_deposits(call: Call, intent: StoredSetupIntent, method: Instrument) -> None:
    """Plan the failure of the micro-deposits to the test account that they fail for."""
    bank = banks.bank_by_key(method.get("_bank"))
    if bank is not None and bank.mark == "no_deposits":
        owner = fields.clock_of(call, intent["customer"])
        due = clock.at_clock(call, owner).now + fields.settle_seconds(call)
        call.schedule.add(due, jobs.SETUP_INTENT_DEPOSITS, intent["id"], owner)


def deposits_failed(call: Call, id: str) -> None:
    """Run the job ``setup_intent.deposits``: the micro-deposits could not be sent."""
    intent = call.objects.find(kinds.SETUP_INTENT, id)
    if intent is not None and value_at(intent, "next_action.type") == "verify_with_microdeposits":
        error = invalid(vouchers.DEPOSITS_FAILED, None, "payment_method_microdeposit_failed")
        refuse(call, intent, payment_states.method_of(call, intent), error)


def _refusal(method: Instrument) -> ApiError | None:
    """Return why the bank refuses to save the card, or None."""
    card = protocol.card_of_instrument(method)
    given = {"cvc": bool(method.get("_cvc")), "postal_code": bool(method.get("_zip"))}
    decline = card.refuses_saving(**given) if card is not None else None
    if decline is None:
        return None
    return card_error(decline.code, decline.message, decline.param, decline.decline_code, **decline.extra())


def require_action(
    call: Call, intent: StoredSetupIntent, method: Instrument, action: api.SetupIntentNextAction
) -> None:
    """Set the next action, and the status ``requires_action``."""
    move(intent, "requires_action")
    intent["next_action"] = action
    record_attempt(call, intent, method, "requires_action")
    call.objects.save(intent)
    call.emit("setup_intent.requires_action", intent)


def succeed(call: Call, intent: StoredSetupIntent, method: Instrument, *, authenticated: bool) -> None:
    """Record a successful set-up: the payment method is saved."""
    record_attempt(call, intent, method, "succeeded", authenticated=authenticated)
    mandate = intent.get("_mandate")
    if mandate is not None:
        single = call.objects.get("mandate", mandate)["type"] == "single_use"
        intent["single_use_mandate" if single else "mandate"] = mandate
    attach(call, method, intent["customer"], off_session=intent["usage"] == "off_session")
    move(intent, "succeeded")
    intent.update({"last_setup_error": None, "_authenticated": None})
    defaults.apply(call, intent)
    call.objects.save(intent)
    call.emit("setup_intent.succeeded", intent)
    call.announce(events.IntentChanged(intent))
    call.announce(events.SetupSucceeded(intent))


def refuse(call: Call, intent: StoredSetupIntent, method: Instrument, error: ApiError) -> ApiError:
    """Record a failed set-up: another payment method is required. The error contains the intent."""
    if method["object"] == "payment_method":
        error.extra["payment_method"] = call.objects.copy(method)
    what = error_summary(error)
    record_attempt(call, intent, method, "failed", what)
    move(intent, "requires_payment_method")
    intent.update({"last_setup_error": what, "payment_method": None})
    call.objects.save(intent)
    call.emit("setup_intent.setup_failed", intent)
    error.extra["setup_intent"] = call.objects.copy(intent)
    return error
