"""SetupIntents: saving a payment method for later payments, with authentication.

Their states are drawn in ``states.py`` of this room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.intents import (
    jobs,
    kinds,
    option_rules,
    ownership,
    payment_states,
    removed,
    setup_followup,
    through_network,
)
from tollkey.payments.intents.client_secrets import intent_of
from tollkey.payments.intents.microdeposits import Entered, verified_method
from tollkey.payments.intents.pages import answer_challenge, answer_deposits, challenge_page, deposits_page
from tollkey.payments.intents.payment_states import unexpected
from tollkey.payments.intents.setup_attempts import PERMISSION, record_attempt
from tollkey.payments.intents.setup_building import CANCELABLE, apply, choose, create_setup, move
from tollkey.payments.intents.setup_confirmation import (
    NOT_AUTHENTICATED,
    confirm_setup,
    deposits_failed,
    refuse,
    succeed,
)
from tollkey.payments.shared import client_access as client
from tollkey.payments.shared import events, providers
from tollkey.wire import Action, Call, Endpoint, Json, P, Reply, Resource, invalid
from tollkey.wire.access import publishable_access
from tollkey.wire.languages import Text
from tollkey.wire.live import asks, needs, records
from tollkey.wire.pages import listing
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredSetupIntent
    from tollkey.wire import operations

__all__ = ["PERMISSION", "SETUP_INTENT", "confirm_setup", "create_setup"]

#: Exactly the fields a publishable key receives (reference section 3, recorded).
_CLIENT = (
    "id", "object", "automatic_payment_methods", "cancellation_reason", "client_secret", "created", "description",
    "last_setup_error",
    "livemode", "next_action", "payment_method", "payment_method_configuration_details", "payment_method_options",
    "payment_method_types",
    "status", "usage",
)  # fmt: skip
_AT_CONFIRMATION = ("confirmation_token", "mandate_data", "return_url", "single_use", "use_stripe_sdk")


def create(call: Call, params: operations.PostSetupIntents) -> StoredSetupIntent:
    """Create a SetupIntent, and confirm it if requested."""
    option_rules.check_creation(params, "SetupIntent")
    option_rules.check_options(call, params, confirming=bool(params.get("confirm")), usage="off_session")
    intent = create_setup(call, params)
    option_rules.check_single_use(params, intent["payment_method_types"])
    if not params.get("confirm"):
        return intent
    error = confirm_setup(call, intent, {name: value for name, value in params.items() if name in _AT_CONFIRMATION})
    if error is not None:
        raise error
    return intent


def _get(call: Call, secret: str | None = None) -> StoredSetupIntent:
    return intent_of(call, kinds.SETUP_INTENT, secret)


def retrieve(
    call: Call, params: operations.GetSetupIntentsIntent | operations.PostSetupIntentsIntentRefresh
) -> StoredSetupIntent:
    """Retrieve a SetupIntent; a browser needs its ``client_secret``."""
    return _get(call, params.get("client_secret"))


def update(call: Call, params: operations.PostSetupIntentsIntent) -> StoredSetupIntent:
    """Change a SetupIntent that has not been confirmed."""
    intent = _get(call)
    through_network.check_free(intent)
    option_rules.check_options(call, params, confirming=False, usage=intent["usage"])
    apply(call, intent, params)
    choose(call, intent, params)
    return call.objects.save(intent)


def confirm(call: Call, params: operations.PostSetupIntentsIntentConfirm) -> StoredSetupIntent:
    """Confirm a SetupIntent: save the payment method, or return the customer's next action."""
    intent = _get(call, params.get("client_secret"))
    ownership.check_session(call, intent, "confirm")
    option_rules.check_options(call, params, confirming=True, usage=intent["usage"])
    error = confirm_setup(call, intent, params)
    if error is not None:
        raise error
    return intent


def cancel(call: Call, params: operations.PostSetupIntentsIntentCancel) -> StoredSetupIntent:
    """Cancel a SetupIntent."""
    intent = _get(call)
    through_network.check_free(intent)
    if intent["status"] == "canceled":
        raise unexpected(
            call, intent, "You cannot cancel this SetupIntent because it it already canceled."
        )  # the real text
    if intent["status"] not in CANCELABLE:
        raise unexpected(
            call,
            intent,
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}."
            " Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`,"
            " `requires_confirmation`, or `requires_action`.",
        )
    ownership.check_session(call, intent, "cancel")
    if intent["status"] == "requires_action":
        record_attempt(call, intent, payment_states.method_of(call, intent), "abandoned")
    move(intent, "canceled")
    intent["cancellation_reason"] = params.get("cancellation_reason")
    call.objects.save(intent)
    call.emit("setup_intent.canceled", intent)
    return intent


def verify_microdeposits(call: Call, params: operations.PostSetupIntentsIntentVerifyMicrodeposits) -> StoredSetupIntent:
    """Verify the customer's bank account with micro-deposits."""
    intent = _get(call, params.get("client_secret"))
    _verify(call, intent, Entered(params.get("amounts"), params.get("descriptor_code")))
    return intent


def _verify(call: Call, intent: StoredSetupIntent, entered: Entered) -> None:
    succeed(call, intent, verified_method(call, intent, entered, refuse), authenticated=False)


def _succeed_challenge(call: Call, intent: StoredSetupIntent) -> None:
    succeed(call, intent, payment_states.method_of(call, intent), authenticated=True)


def _fail_challenge(call: Call, intent: StoredSetupIntent) -> None:
    if intent["status"] == "requires_action":
        method = payment_states.method_of(call, intent)
        refuse(call, intent, method, invalid(NOT_AUTHENTICATED, None, "setup_intent_authentication_failure"))


def source_cancel(call: Call, params: operations.PostSetupIntentsIntentSourceCancel) -> StoredSetupIntent:
    """Cancel the challenge; a mobile client calls it when the customer closes it."""
    intent = _get(call, params.get("client_secret"))
    _fail_challenge(call, intent)
    return intent


def _waiting(call: Call) -> StoredSetupIntent:
    return call.objects.get(kinds.SETUP_INTENT, call.path["id"])


def show_challenge(call: Call, params: operations.Get3dsSetupToken) -> Reply:
    """Show the page of the 3-D Secure challenge."""
    return challenge_page(
        call, _waiting(call), Text("Authorize saving this payment method"), bool(params.get("framed"))
    )


def complete_challenge(call: Call, params: operations.Post3dsSetupTokenComplete) -> Reply:
    """Complete the challenge successfully."""
    return answer_challenge(call, _waiting(call), _succeed_challenge, bool(params.get("framed")))


def fail_challenge(call: Call, params: operations.Post3dsSetupTokenFail) -> Reply:
    """Fail the challenge."""
    return answer_challenge(call, _waiting(call), _fail_challenge, bool(params.get("framed")))


def show_deposits(call: Call, params: operations.GetMicrodepositSetupToken) -> Reply:
    """Show the page for the micro-deposit code."""
    return deposits_page(call, _waiting(call))


def enter_deposits(call: Call, params: operations.PostMicrodepositSetupTokenVerify) -> Reply:
    """Submit the micro-deposit code."""
    return answer_deposits(call, _waiting(call), params.get("descriptor_code"), _verify)


def client_view(call: Call, intent: StoredSetupIntent) -> Json:
    """Return the fields that a publishable key may see."""
    return {name: intent.get(name) for name in _CLIENT}


_ONE = "/v1/setup_intents/{intent}"
_CODE = P.object(descriptor_code=P.string())
_SECRET = P.object(client_secret=P.string())
#: Stripe.js shows the page in a frame.
_FRAMED = P.object(framed=P.string())
_CHALLENGED = P.object(client_secret=P.string(), source=P.string())
_CONFIRMED_BY_CLIENT = publishable_access(
    takes=f"client_secret payment_method payment_method_data{{{client.METHOD}}} confirmation_token return_url"
    f" use_stripe_sdk set_as_default_payment_method"
    f" {client.MANDATE} payment_method_options{{card{{network}}}}",
    ignores=f"spc_eligible radar_options {client.MANDATE_IGNORED} payment_method_data{{{client.HCAPTCHA}}}",
    refuses=f"allowed_payment_method_types payment_method_options {client.MANDATE_REFUSED}"
    f" payment_method_data{{{client.METHOD_REFUSED}}}",
    expands=("payment_method",),
)
_READ_BY_CLIENT = publishable_access(takes="client_secret", ignores="is_stripe_sdk", expands=("payment_method",))
_TOLD_BY_CLIENT = publishable_access(takes="client_secret", expands=("payment_method",))
_VERIFIED_BY_CLIENT = publishable_access(takes="client_secret amounts descriptor_code", expands=("payment_method",))
_CANCELED_BY_CLIENT = publishable_access(takes="client_secret", ignores="source", expands=("payment_method",))

SETUP_INTENT = Resource(
    object="setup_intent",
    prefix="seti",
    permission=PERMISSION,
    reveals={"client_secret": "read", "next_action": "read"},
    live=records(),
    label="setupintent",
    path_param="intent",
    indexed=("customer", "payment_method", "status"),
    client_view=client_view,
    endpoints=(
        listing("setup_intent", "/v1/setup_intents"),
        Endpoint(
            "POST",
            "/v1/setup_intents",
            create,
            live=asks(providers.VERIFYING, "it is confirmed"),
            removed=(removed.TYPES,),
        ),
        Endpoint("GET", _ONE, retrieve, publishable=_READ_BY_CLIENT),
        Endpoint("POST", _ONE, update, removed=(removed.TYPES,)),
        Endpoint("POST", _ONE + "/confirm", confirm, publishable=_CONFIRMED_BY_CLIENT, live=needs(providers.VERIFYING)),
        Endpoint("POST", _ONE + "/cancel", cancel),
        Endpoint(
            "POST",
            _ONE + "/verify_microdeposits",
            verify_microdeposits,
            publishable=_VERIFIED_BY_CLIENT,
            live=needs(providers.SETUPS),
        ),
        Endpoint("POST", _ONE + "/refresh", retrieve, publishable=_TOLD_BY_CLIENT, params=_SECRET, level="read"),
        Endpoint(
            "POST",
            _ONE + "/source_cancel",
            source_cancel,
            publishable=_CANCELED_BY_CLIENT,
            params=_CHALLENGED,
            live=needs(providers.SETUPS),
        ),
        Endpoint(
            "GET", "/3ds-setup/{token}", show_challenge, public=True, params=_FRAMED, live=needs(providers.SETUPS)
        ),
        Endpoint(
            "POST",
            "/3ds-setup/{token}/complete",
            complete_challenge,
            public=True,
            params=_FRAMED,
            live=needs(providers.SETUPS),
        ),
        Endpoint(
            "POST",
            "/3ds-setup/{token}/fail",
            fail_challenge,
            public=True,
            params=_FRAMED,
            live=needs(providers.SETUPS),
        ),
        Endpoint(
            "GET",
            "/microdeposit-setup/{token}",
            show_deposits,
            public=True,
            params=P.object(),
            live=needs(providers.SETUPS),
        ),
        Endpoint(
            "POST",
            "/microdeposit-setup/{token}/verify",
            enter_deposits,
            public=True,
            params=_CODE,
            live=needs(providers.SETUPS),
        ),
    ),
    due_live={jobs.SETUP_INTENT_DEPOSITS: needs(providers.SETUPS)},
    refusal=setup_followup.refusal,
    on=(
        Reaction(events.AttemptEnded, setup_followup.attempt_ended),
        Reaction(events.AttemptWaits, setup_followup.attempt_waits),
    ),
    on_due={jobs.SETUP_INTENT_DEPOSITS: deposits_failed},
    title="Setup intents",
    columns=("id", "status", "customer", "usage", "created"),
    actions=(Action("Cancel", _ONE + "/cancel", fields=("cancellation_reason",), when=CANCELABLE),),
)
