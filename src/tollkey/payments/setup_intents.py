"""SetupIntents: saving a payment method for later, with everything its bank asks for.

created ──▶ requires_payment_method ──method──▶ requires_confirmation ──confirm──▶ requires_action ──▶ succeeded
                    ▲                                                │                   │
                    └──────────── refused, not authenticated ────────┴───────────────────┘

canceled is reached from every state but succeeded. ``ARROWS`` has every arrow, and a test walks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tollkey.payments._cards import Decline
from tollkey.payments._common import acting_account, merge_metadata, new_metadata
from tollkey.payments._instruments import resolve_payment_method
from tollkey.payments._intents import (
    TYPES,
    attach,
    automatic_types,
    card_challenge,
    check_client_secret,
    check_return_url,
    check_types,
    client_secret,
    first_action,
    merge_options,
    microdeposits,
    options_for,
    redeem_confirmation_token,
    redirect_action,
    resolve_method,
    unverified,
    usable_by,
)
from tollkey.payments._intents.microdeposits import check_microdeposits
from tollkey.payments._intents.pages import answer_challenge, challenge_page
from tollkey.payments.mandates import mandate_for
from tollkey.payments.payment_method_configurations import enabled_types, used_configuration
from tollkey.payments.processors import card_of_instrument, kind_of
from tollkey.payments.setup_attempts import PERMISSION, record_attempt, told
from tollkey.wire import Action, ApiError, Call, Endpoint, Json, P, Params, Reply, Resource, blank, card_error, dig, invalid, listing

__all__ = ["ARROWS", "PERMISSION", "SETUP_INTENT", "confirm_setup", "create_setup"]

_OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded", "canceled"})
ARROWS: Mapping[str, frozenset[str]] = MappingProxyType({
    "requires_payment_method": _OPEN,
    "requires_confirmation": _OPEN,
    "requires_action": _OPEN,
    "processing": frozenset({"requires_payment_method", "succeeded", "canceled"}),
    "succeeded": frozenset(),
    "canceled": frozenset(),
})  # fmt: skip
CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTOMATIC_SINCE = "2023-08-16"
_FAILED = (
    "The latest attempt to set up the payment method has failed because authentication failed. You can provide payment_method_data or a"
    " new PaymentMethod to attempt to fulfill this SetupIntent again."
)
#: Exactly what a publishable key is answered (reference section 3, recorded).
_CLIENT = (
    "id", "object", "automatic_payment_methods", "cancellation_reason", "client_secret", "created", "description", "last_setup_error",
    "livemode", "next_action", "payment_method", "payment_method_configuration_details", "payment_method_options", "payment_method_types",
    "status", "usage",
)  # fmt: skip
_AT_CONFIRMATION = ("confirmation_token", "mandate_data", "return_url", "single_use", "use_stripe_sdk")


def _move(intent: Json, status: str) -> None:
    if status not in ARROWS[intent["status"]]:
        raise ValueError(f"no arrow from {intent['status']} to {status}")
    intent["status"] = status
    if status != "requires_action":
        intent["next_action"] = None


def _unexpected(call: Call, intent: Json, message: str) -> ApiError:
    return invalid(message, None, "setup_intent_unexpected_state", retry=False, setup_intent=call.objects.copy(intent))


# -- making and changing


def create_setup(call: Call, params: Params) -> Json:
    """A stored SetupIntent, not confirmed. Raises ApiError for parameters that do not go together."""
    automatic = (params.get("automatic_payment_methods") or {}).get("enabled")
    if automatic and params.get("payment_method_types"):
        raise invalid("You may only specify one of these parameters: automatic_payment_methods, payment_method_types.")
    id = call.ids.new("seti")
    intent = blank(
        "setup_intent",
        id=id,
        application=None if call.account == call.platform else "ca_" + call.platform.removeprefix("acct_"),
        client_secret=client_secret(call, id),
        created=call.now,
        description=params.get("description"),
        flow_directions=params.get("flow_directions"),
        livemode=call.livemode,
        metadata=new_metadata(params),
        status="requires_payment_method",
        usage=params.get("usage") or "off_session",
    )
    intent["managed_payments"] = {"enabled": False}
    if params.get("attach_to_self"):
        intent["attach_to_self"] = True
    _customer(call, intent, params)
    if params.get("on_behalf_of"):
        account = params["on_behalf_of"]
        if account != (acting_account(call) or {}).get("id") and call.within(call.platform).objects.find("account", account) is None:
            raise invalid(f"No such on_behalf_of: '{account}'", "on_behalf_of", "resource_missing")
        intent["on_behalf_of"] = account
    _types(call, intent, params)
    _choose(call, intent, params)
    return call.objects.insert(intent, "setup_intent.created")


def _customer(call: Call, intent: Json, params: Params) -> None:
    if params.get("customer") is not None:
        intent["customer"] = call.objects.get("customer", params["customer"], "customer")["id"]


def _types(call: Call, intent: Json, params: Params) -> None:
    automatic = params.get("automatic_payment_methods") or {}
    excluded = params.get("excluded_payment_method_types") or []
    if params.get("payment_method_types"):
        intent["payment_method_types"] = check_types(params["payment_method_types"])
        intent["automatic_payment_methods"] = intent["payment_method_configuration_details"] = None
    elif automatic.get("enabled") or (automatic == {} and call.version >= AUTOMATIC_SINCE):
        redirects = automatic.get("allow_redirects") or "always"
        configuration = used_configuration(call, params.get("payment_method_configuration"))
        intent["payment_method_configuration_details"] = {"id": configuration["id"], "parent": configuration.get("parent")}
        intent["payment_method_types"] = automatic_types(
            enabled_types(configuration), currency=None, redirects=redirects != "never", reusable=True, excluded=excluded
        )
        intent["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
        intent["_implicit"] = not automatic
    else:
        intent["payment_method_types"] = ["card"]
    if params.get("excluded_payment_method_types") is not None:
        intent["excluded_payment_method_types"] = excluded
    intent["payment_method_options"] = options_for(intent["payment_method_types"], params.get("payment_method_options"), setup=True)


def _choose(call: Call, intent: Json, params: Params) -> None:
    method = resolve_method(call, params)
    if method is None:
        return
    usable_by(call, intent, method)
    intent["payment_method"] = method["id"]
    intent["_authenticated"] = None
    _move(intent, "requires_confirmation")


def _apply(call: Call, intent: Json, params: Params) -> None:
    late = set(params) - {"metadata", "description"}
    if late and intent["status"] not in CANCELABLE:
        name = sorted(late)[0]
        raise _unexpected(
            call,
            intent,
            f"This SetupIntent's {name} could not be updated because it has a status of {intent['status']}. You may only update the {name}"
            f" of a SetupIntent with one of the following statuses: {', '.join(CANCELABLE)}.",
        )
    _customer(call, intent, params)
    merge_metadata(intent, params)
    for name in ("description", "flow_directions"):
        if name in params:
            intent[name] = params[name]
    if params.get("payment_method_types"):
        _types(call, intent, params)
    elif params.get("payment_method_options"):
        given = params["payment_method_options"]
        intent["payment_method_options"] = merge_options(
            intent["payment_method_options"] or {}, intent["payment_method_types"], given, setup=True
        )


# -- confirming


def confirm_setup(call: Call, intent: Json, params: Params) -> ApiError | None:
    """Confirm a stored SetupIntent and save what became of it, with its events. Answers the 402 of a refusal instead of raising it."""
    if intent["status"] not in CANCELABLE:
        raise _unexpected(
            call,
            intent,
            f"You cannot confirm this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent with one of the"
            " following statuses may be confirmed: requires_confirmation, requires_action.",
        )
    redeem_confirmation_token(call, params, intent)
    if params.get("payment_method_options"):
        _apply(call, intent, {"payment_method_options": params["payment_method_options"]})
    _choose(call, intent, params)
    if intent["payment_method"] is None:
        raise _unexpected(
            call,
            intent,
            "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent with a"
            " payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
        )
    check_return_url(call, intent, params.get("return_url"))
    method = resolve_payment_method(call, intent["payment_method"])
    intent["_mandate"] = mandate_for(call, intent, method, params)
    return _attempt(call, intent, method, params)


def _attempt(call: Call, intent: Json, method: Json, params: Params) -> ApiError | None:
    kind, return_url = kind_of(method), params.get("return_url")
    refusal = _refusal(method)
    if refusal is not None:
        return _refuse(call, intent, method, refusal)
    if kind == "card":
        requested = dig(intent, "payment_method_options.card.request_three_d_secure") in ("any", "challenge")
        asks = card_challenge(method, off_session=False, requested=requested)
        if asks == "error":
            return _refuse(call, intent, method, card_error("card_declined", "Your card was declined.", decline_code="generic_decline"))
        if asks == "challenge":
            _ask(call, intent, method, first_action(call, intent, return_url=return_url, use_stripe_sdk=bool(params.get("use_stripe_sdk"))))
            return None
    elif kind == "us_bank_account" and unverified(intent, method):
        _ask(call, intent, method, microdeposits(call))
        return None
    elif kind in TYPES and TYPES[kind].redirects:
        _ask(call, intent, method, redirect_action(call, intent, kind, return_url))
        return None
    _succeed(call, intent, method, authenticated=False)
    return None


def _refusal(method: Json) -> ApiError | None:
    """Why the bank refuses that the card is saved, or None."""
    card = card_of_instrument(method)
    decline = card.decline if card is not None and card.decline_at_attach else None
    if decline is None and card is not None and card.blocked:
        decline = Decline("card_declined", "fraudulent")
    if decline is None or (decline.needs == "cvc" and not method.get("_cvc")):
        return None
    return card_error(decline.code, decline.message, decline.param, decline.decline_code, **decline.extra())


def _ask(call: Call, intent: Json, method: Json, action: Json) -> None:
    _move(intent, "requires_action")
    intent["next_action"] = action
    record_attempt(call, intent, method, "requires_action")
    call.objects.save(intent)
    call.emit("setup_intent.requires_action", intent)


def _succeed(call: Call, intent: Json, method: Json, *, authenticated: bool) -> None:
    record_attempt(call, intent, method, "succeeded", authenticated=authenticated)
    mandate = intent.get("_mandate")
    if mandate is not None:
        single = call.objects.get("mandate", mandate)["type"] == "single_use"
        intent["single_use_mandate" if single else "mandate"] = mandate
    attach(call, method, intent["customer"], off_session=intent["usage"] == "off_session")
    _move(intent, "succeeded")
    intent.update(last_setup_error=None, _authenticated=None)
    call.objects.save(intent)
    call.emit("setup_intent.succeeded", intent)


def _refuse(call: Call, intent: Json, method: Json, error: ApiError) -> ApiError:
    if method["object"] == "payment_method":
        error.extra["payment_method"] = call.objects.copy(method)
    what = told(error)
    record_attempt(call, intent, method, "failed", what)
    _move(intent, "requires_payment_method")
    intent.update(last_setup_error=what, payment_method=None)
    call.objects.save(intent)
    call.emit("setup_intent.setup_failed", intent)
    error.extra["setup_intent"] = call.objects.copy(intent)
    return error


# -- endpoints


def create(call: Call, params: Params) -> Json:
    """Create a SetupIntent, and confirm it if asked."""
    intent = create_setup(call, params)
    if not params.get("confirm"):
        return intent
    error = confirm_setup(call, intent, {name: params[name] for name in _AT_CONFIRMATION if name in params})
    if error is not None:
        raise error
    return intent


def _get(call: Call, params: Params) -> Json:
    intent = call.objects.get("setup_intent", call.path["intent"])
    check_client_secret(call, intent, params)
    return intent


def retrieve(call: Call, params: Params) -> Json:
    """Retrieve a SetupIntent; a browser needs its ``client_secret``."""
    return _get(call, params)


def update(call: Call, params: Params) -> Json:
    """Change a SetupIntent that is not confirmed yet."""
    intent = _get(call, params)
    _apply(call, intent, params)
    _choose(call, intent, params)
    return call.objects.save(intent)


def confirm(call: Call, params: Params) -> Json:
    """Confirm a SetupIntent: save the payment method, or ask the customer for what the bank wants."""
    intent = _get(call, params)
    error = confirm_setup(call, intent, params)
    if error is not None:
        raise error
    return intent


def cancel(call: Call, params: Params) -> Json:
    """Cancel a SetupIntent."""
    intent = _get(call, params)
    if intent["status"] == "canceled":
        raise _unexpected(call, intent, "You cannot cancel this SetupIntent because it it already canceled.")  # the real text
    if intent["status"] not in CANCELABLE:
        raise _unexpected(
            call,
            intent,
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent with one of the"
            f" following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )
    if intent["status"] == "requires_action":
        record_attempt(call, intent, resolve_payment_method(call, intent["payment_method"]), "abandoned")
    _move(intent, "canceled")
    intent["cancellation_reason"] = params.get("cancellation_reason")
    call.objects.save(intent)
    call.emit("setup_intent.canceled", intent)
    return intent


def verify_microdeposits(call: Call, params: Params) -> Json:
    """Verify the customer's bank account with the deposits that were sent to it."""
    intent = _get(call, params)
    problem = check_microdeposits(call, intent, params)
    method = resolve_payment_method(call, intent["payment_method"])
    if problem is not None:
        raise _refuse(call, intent, method, problem)
    method["_verified"] = True
    call.objects.save(method)
    _succeed(call, intent, method, authenticated=False)
    return intent


def _passed(call: Call, intent: Json) -> None:
    _succeed(call, intent, resolve_payment_method(call, intent["payment_method"]), authenticated=True)


def _not_passed(call: Call, intent: Json) -> None:
    if intent["status"] == "requires_action":
        method = resolve_payment_method(call, intent["payment_method"])
        _refuse(call, intent, method, invalid(_FAILED, None, "setup_intent_authentication_failure"))


def source_cancel(call: Call, params: Params) -> Json:
    """A mobile client gave up on the challenge."""
    intent = _get(call, params)
    _not_passed(call, intent)
    return intent


def _waiting(call: Call) -> Json:
    return call.objects.get("setup_intent", call.path["id"])


def show_challenge(call: Call, params: Params) -> Reply:
    """The page of the bank's challenge."""
    return challenge_page(call, _waiting(call), "Authorize saving this payment method")


def complete_challenge(call: Call, params: Params) -> Reply:
    """The customer passed."""
    return answer_challenge(call, _waiting(call), _passed)


def fail_challenge(call: Call, params: Params) -> Reply:
    """The customer failed."""
    return answer_challenge(call, _waiting(call), _not_passed)


def client_view(call: Call, intent: Json) -> Json:
    """The restricted shape that publishable keys see."""
    return {name: intent.get(name) for name in _CLIENT}


_ONE = "/v1/setup_intents/{intent}"
_SECRET = P.object(client_secret=P.string(), source=P.string())

SETUP_INTENT = Resource(
    object="setup_intent",
    prefix="seti",
    permission=PERMISSION,
    label="setupintent",
    path_param="intent",
    indexed=("customer", "payment_method", "status"),
    client_view=client_view,
    endpoints=(
        listing("setup_intent", "/v1/setup_intents"),
        Endpoint("POST", "/v1/setup_intents", create),
        Endpoint("GET", _ONE, retrieve, publishable=True),
        Endpoint("POST", _ONE, update),
        Endpoint("POST", _ONE + "/confirm", confirm, publishable=True),
        Endpoint("POST", _ONE + "/cancel", cancel),
        Endpoint("POST", _ONE + "/verify_microdeposits", verify_microdeposits, publishable=True),
        Endpoint("POST", _ONE + "/refresh", retrieve, publishable=True, params=_SECRET, level="read"),
        Endpoint("POST", _ONE + "/source_cancel", source_cancel, publishable=True, params=_SECRET),
        Endpoint("GET", "/3ds-setup/{token}", show_challenge, public=True, params=P.object()),
        Endpoint("POST", "/3ds-setup/{token}/complete", complete_challenge, public=True, params=P.object()),
        Endpoint("POST", "/3ds-setup/{token}/fail", fail_challenge, public=True, params=P.object()),
    ),
    title="Setup intents",
    columns=("id", "status", "customer", "usage", "created"),
    actions=(Action("Cancel", _ONE + "/cancel", fields=("cancellation_reason",), when=CANCELABLE),),
)
