"""Creating and updating a SetupIntent from its parameters, and changing its status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.payments.charges import splitting
from tollkey.payments.intents import kinds, option_rules, states
from tollkey.payments.intents.client_secrets import client_secret
from tollkey.payments.intents.method_choice import resolve_method, usable_by
from tollkey.payments.intents.payment_states import unexpected
from tollkey.payments.methods import method_capabilities, method_types, payment_method_configurations
from tollkey.payments.shared import fields
from tollkey.wire import Call, new_object
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredSetupIntent
    from tollkey.wire import api, operations

CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTOMATIC_SINCE = "2023-08-16"
#: What an update may change in every status (recorded).
_ALWAYS = frozenset({"customer", "description", "expand", "metadata"})


def move(intent: StoredSetupIntent, status: str) -> None:
    """Set the intent's status. Raises InvalidTransition if ``SETUP_INTENT`` has no such transition."""
    states.move(states.SETUP_INTENT, intent, status)


def create_setup(call: Call, params: operations.PostSetupIntents) -> StoredSetupIntent:
    """Store a SetupIntent without confirming it. Raises ApiError for inconsistent parameters."""
    automatic = params.get("automatic_payment_methods")
    if automatic and automatic["enabled"] and params.get("payment_method_types"):
        raise exclusive("automatic_payment_methods", "payment_method_types")
    method_types.check_alone(params)
    id = call.ids.new("seti")
    intent = new_object(
        kinds.SETUP_INTENT,
        id=id,
        application=None if call.account == call.platform else "ca_" + call.platform.removeprefix("acct_"),
        client_secret=client_secret(call, id),
        created=call.now,
        description=params.get("description"),
        flow_directions=params.get("flow_directions"),
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        status=states.SETUP_INTENT.start("requires_payment_method"),
        usage=params.get("usage") or "off_session",
    )
    intent["managed_payments"] = {"enabled": False}
    _customer(call, intent, params)
    if params.get("on_behalf_of"):
        splitting.check_on_behalf_of(call, params["on_behalf_of"])
        intent["on_behalf_of"] = params["on_behalf_of"]
    excluded = params.get("excluded_payment_method_types")
    choice = Choice(
        named=params.get("payment_method_types"),
        allowed=params.get("allowed_payment_method_types"),
        automatic=automatic,
        excluded=excluded or (),
        configuration=params.get("payment_method_configuration"),
    )
    _types(call, intent, choice)
    if excluded is not None:
        intent["excluded_payment_method_types"] = list(excluded)
    intent["payment_method_options"] = method_types.options_for(
        intent["payment_method_types"], params.get("payment_method_options"), setup=True
    )
    choose(call, intent, params)
    return call.objects.insert(intent, "setup_intent.created")


def _customer(
    call: Call, intent: StoredSetupIntent, params: operations.PostSetupIntents | operations.PostSetupIntentsIntent
) -> None:
    """Set the customer, or that the account saves the method for itself. Raises ApiError 400 for both."""
    itself = params.get("attach_to_self", intent.get("attach_to_self"))
    if itself and (params.get("customer") or intent["customer"]):
        raise exclusive("attach_to_self", "customer", code="parameters_exclusive")
    if itself:
        intent["attach_to_self"] = True
    else:
        intent.pop("attach_to_self", None)
    if params.get("customer") is not None:
        intent["customer"] = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")["id"]


class Choice(NamedTuple):
    """What decides the types of a SetupIntent's payment methods.

    named: exactly these. allowed: those of them that fit. automatic: ``automatic_payment_methods``, which takes the
    enabled ones of ``configuration`` (an id; None for the account's) without the ``excluded`` ones.
    """

    named: Sequence[str] | None
    allowed: Sequence[str] | None
    automatic: operations.AutomaticPaymentMethods | api.PaymentFlowsAutomaticPaymentMethodsSetupIntent | None
    excluded: Sequence[str]
    configuration: str | None


def _types(call: Call, intent: StoredSetupIntent, choice: Choice) -> None:
    """Set the types of the intent's payment methods, and how they were chosen."""
    automatic = choice.automatic
    refused = splitting.refused_types(call, intent["on_behalf_of"])
    if choice.allowed:
        intent["payment_method_types"] = method_types.allowed_types(
            choice.allowed, currency=None, reusable=True, excluded=refused
        )
        intent["allowed_payment_method_types"] = list(choice.allowed)
        intent["automatic_payment_methods"] = intent["payment_method_configuration_details"] = None
    elif choice.named:
        intent["payment_method_types"] = method_types.check_setup_types(choice.named)
        method_capabilities.check_accepted(choice.named, refused)
        intent.pop("allowed_payment_method_types", None)
        intent["automatic_payment_methods"] = intent["payment_method_configuration_details"] = None
    elif automatic["enabled"] if automatic else call.version >= AUTOMATIC_SINCE:
        redirects = (automatic.get("allow_redirects") if automatic else None) or "always"
        configuration = payment_method_configurations.used_configuration(call, choice.configuration)
        intent["payment_method_configuration_details"] = {
            "id": configuration["id"],
            "parent": configuration.get("parent"),
        }
        intent["payment_method_types"] = method_types.automatic_types(
            payment_method_configurations.enabled_types(configuration),
            currency=None,
            redirects=redirects != "never",
            reusable=True,
            excluded=[*choice.excluded, *refused],
        )
        intent["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
        intent["_implicit"] = not automatic
    else:
        intent["payment_method_types"] = ["card"]


def choose(call: Call, intent: StoredSetupIntent, params: Mapping[str, Any]) -> None:
    """Set the payment method of the intent from the parameters."""
    method = resolve_method(call, params)
    if method is None:
        return
    usable_by(call, intent, method)
    intent["payment_method"] = method["id"]
    intent["_authenticated"] = None
    move(intent, "requires_confirmation")


def apply(call: Call, intent: StoredSetupIntent, params: operations.PostSetupIntentsIntent) -> None:
    """Apply update parameters to a SetupIntent. Raises ApiError if its status does not allow the change."""
    late = set(params) - _ALWAYS
    if late and intent["status"] not in CANCELABLE:
        ended = {"succeeded": "has already succeeded", "canceled": "has been canceled"}
        problem = ended.get(intent["status"], f"has a status of {intent['status']}")
        raise unexpected(call, intent, f"You cannot update this SetupIntent because it {problem}.")
    method_types.check_alone(params)
    option_rules.check_configurable(intent, params)
    _customer(call, intent, params)
    fields.merge_metadata(intent, params)
    fields.assign(intent, params, ("description", "flow_directions"))
    if params.keys() & _CHOICES:
        implicit = intent.get("_implicit", False)
        if params.get("payment_method_configuration"):
            payment_method_configurations.used_configuration(call, params["payment_method_configuration"])
        _types(call, intent, _changed_choice(intent, params))
        intent["_implicit"] = implicit
    if params.keys() & (_CHOICES | {"payment_method_options"}):
        intent["payment_method_options"] = method_types.merge_options(
            intent["payment_method_options"],
            intent["payment_method_types"],
            params.get("payment_method_options"),
            setup=True,
        )


#: Parameters of an update that choose other types.
_CHOICES = frozenset({
    "allowed_payment_method_types", "excluded_payment_method_types", "payment_method_configuration",
    "payment_method_types",
})  # fmt: skip


def _changed_choice(intent: StoredSetupIntent, params: operations.PostSetupIntentsIntent) -> Choice:
    """Return what decides the types after an update: what it names, else what decided before."""
    if "excluded_payment_method_types" in params:
        excluded = params["excluded_payment_method_types"]
        intent["excluded_payment_method_types"] = None if excluded is None else list(excluded)
    named, allowed = params.get("payment_method_types"), params.get("allowed_payment_method_types")
    kept = not named and not allowed
    automatic = intent["automatic_payment_methods"] if kept else None
    before = intent.get("allowed_payment_method_types") if kept and not automatic else None
    details = intent["payment_method_configuration_details"]
    return Choice(
        named=intent["payment_method_types"] if kept and not automatic and not before else named,
        allowed=before or allowed,
        automatic=automatic,
        excluded=intent.get("excluded_payment_method_types") or (),
        configuration=params.get("payment_method_configuration") or (details["id"] if details else None),
    )
