"""Creating and updating a SetupIntent from its parameters, and changing its status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.charges import splitting
from tollkey.payments.intents import kinds, states
from tollkey.payments.intents.client_secrets import client_secret
from tollkey.payments.intents.method_choice import resolve_method, usable_by
from tollkey.payments.intents.payment_states import unexpected
from tollkey.payments.methods import method_capabilities, method_types, payment_method_configurations
from tollkey.payments.shared import fields
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import exclusive

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import StoredSetupIntent

CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTOMATIC_SINCE = "2023-08-16"
#: What an update may change in every status (recorded).
_ALWAYS = frozenset({"customer", "description", "expand", "metadata"})


def move(intent: StoredSetupIntent, status: str) -> None:
    """Set the intent's status. Raises InvalidTransition if ``SETUP_INTENT`` has no such transition."""
    states.move(states.SETUP_INTENT, intent, status)


def create_setup(call: Call, params: Mapping[str, Any]) -> StoredSetupIntent:
    """Store a SetupIntent without confirming it. Raises ApiError for inconsistent parameters."""
    automatic = (params.get("automatic_payment_methods") or {}).get("enabled")
    if automatic and params.get("payment_method_types"):
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
    if params.get("attach_to_self") and params.get("customer"):
        raise exclusive("attach_to_self", "customer", code="parameters_exclusive")
    if params.get("attach_to_self"):
        intent["attach_to_self"] = True
    _customer(call, intent, params)
    if params.get("on_behalf_of"):
        account = params["on_behalf_of"]
        if (
            account != (fields.acting_account(call) or {}).get("id")
            and call.within(call.platform).objects.find("account", account) is None
        ):
            raise invalid(f"No such on_behalf_of: '{account}'", "on_behalf_of", "resource_missing")
        intent["on_behalf_of"] = account
    _types(call, intent, params)
    choose(call, intent, params)
    return call.objects.insert(intent, "setup_intent.created")


def _customer(call: Call, intent: StoredSetupIntent, params: Mapping[str, Any]) -> None:
    if params.get("customer") is not None:
        intent["customer"] = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")["id"]


def _types(call: Call, intent: StoredSetupIntent, params: Mapping[str, Any]) -> None:
    automatic = params.get("automatic_payment_methods") or {}
    excluded = params.get("excluded_payment_method_types") or []
    allowed = params.get("allowed_payment_method_types")
    refused = splitting.refused_types(call, intent["on_behalf_of"])
    if allowed:
        intent["payment_method_types"] = method_types.allowed_types(
            allowed, currency=None, reusable=True, excluded=refused
        )
        intent["allowed_payment_method_types"] = allowed
        intent["automatic_payment_methods"] = intent["payment_method_configuration_details"] = None
    elif params.get("payment_method_types"):
        intent["payment_method_types"] = method_types.check_types(params["payment_method_types"])
        method_capabilities.check_accepted(params["payment_method_types"], refused)
        intent.pop("allowed_payment_method_types", None)
        intent["automatic_payment_methods"] = intent["payment_method_configuration_details"] = None
    elif automatic.get("enabled") or (automatic == {} and call.version >= AUTOMATIC_SINCE):
        redirects = automatic.get("allow_redirects") or "always"
        configuration = payment_method_configurations.used_configuration(
            call, params.get("payment_method_configuration")
        )
        intent["payment_method_configuration_details"] = {
            "id": configuration["id"],
            "parent": configuration.get("parent"),
        }
        intent["payment_method_types"] = method_types.automatic_types(
            payment_method_configurations.enabled_types(configuration),
            currency=None,
            redirects=redirects != "never",
            reusable=True,
            excluded=[*excluded, *refused],
        )
        intent["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}
        intent["_implicit"] = not automatic
    else:
        intent["payment_method_types"] = ["card"]
    if params.get("excluded_payment_method_types") is not None:
        intent["excluded_payment_method_types"] = excluded
    intent["payment_method_options"] = method_types.options_for(
        intent["payment_method_types"], params.get("payment_method_options"), setup=True
    )


def choose(call: Call, intent: StoredSetupIntent, params: Mapping[str, Any]) -> None:
    """Set the payment method of the intent from the parameters."""
    method = resolve_method(call, params)
    if method is None:
        return
    usable_by(call, intent, method)
    intent["payment_method"] = method["id"]
    intent["_authenticated"] = None
    move(intent, "requires_confirmation")


def apply(call: Call, intent: StoredSetupIntent, params: Mapping[str, Any]) -> None:
    """Apply update parameters to a SetupIntent. Raises ApiError if its status does not allow the change."""
    late = set(params) - _ALWAYS
    if late and intent["status"] not in CANCELABLE:
        ended = {"succeeded": "has already succeeded", "canceled": "has been canceled"}
        problem = ended.get(intent["status"], f"has a status of {intent['status']}")
        raise unexpected(call, intent, f"You cannot update this SetupIntent because it {problem}.")
    _customer(call, intent, params)
    fields.merge_metadata(intent, params)
    fields.assign(intent, params, ("description", "flow_directions"))
    if params.get("payment_method_types") or params.get("allowed_payment_method_types"):
        method_types.check_alone(params)
        _types(call, intent, params)
    elif params.get("payment_method_options"):
        given = params["payment_method_options"]
        intent["payment_method_options"] = method_types.merge_options(
            intent["payment_method_options"], intent["payment_method_types"], given, setup=True
        )
