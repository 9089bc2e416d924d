"""ConfirmationTokens: payment details collected in a browser, for a server that confirms an intent with them.

    created ──confirm──▶ used (names the intent)      created ──12 hours──▶ expired

A browser creates them with a publishable key; in test mode, a secret key can create them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.intents import kinds
from tollkey.payments.intents.method_choice import resolve_method
from tollkey.payments.methods import claims, instruments, payment_methods
from tollkey.payments.shared import client_access as client
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, Json, P, Resource, invalid, new_object
from tollkey.wire.access import Access, publishable_access
from tollkey.wire.live import only_in_test, records
from tollkey.wire.objects import value_at
from tollkey.wire.pages import retrieve
from tollkey.wire.params import operation_params
from tollkey.wire.shapes import properties

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import Instrument, StoredConfirmationToken
    from tollkey.wire import api, operations

PERMISSION = Permission("confirmation_token", "Confirmation token", "Core", levels=("read",))
CLIENT_PERMISSION = Permission("confirmation_token_client", "Confirmation token (client)", "Core")
LIVES_SECONDS = 12 * 3600


def create(
    call: Call, params: operations.PostConfirmationTokens | operations.PostTestHelpersConfirmationTokens
) -> StoredConfirmationToken:
    """Create a ConfirmationToken from a payment method or the data of one.

    Raises ApiError 400 in live mode for secret keys.
    """
    if call.livemode and not call.limited:
        raise invalid("This method is only available in test mode.", retry=False)
    method = resolve_method(call, params)
    _check_named(call, params, method)
    card = value_at(params, "payment_method_options.card")
    options = {"card": {"cvc_token": None, "installments": {"plan": None}}} if card else None
    token = new_object(
        kinds.CONFIRMATION_TOKEN,
        id=call.ids.new("ctoken"),
        created=call.now,
        expires_at=call.now + LIVES_SECONDS,
        livemode=call.livemode,
        mandate_data=_mandate(call) if call.limited else None,
        payment_method_options=options,
        payment_method_preview=_preview(method) if method is not None else None,
        return_url=params.get("return_url"),
        setup_future_usage=params.get("setup_future_usage"),
        shipping=fields.shipping(params.get("shipping")),
        use_stripe_sdk=call.limited,
    )
    token["_payment_method"] = method["id"] if method is not None else None
    if params.get("set_as_default_payment_method"):
        token["_default"] = True
    return call.objects.insert(token)


def _check_named(
    call: Call,
    params: operations.PostConfirmationTokens | operations.PostTestHelpersConfirmationTokens,
    method: Instrument | None,
) -> None:
    """Raise ApiError if the key may not read the saved payment method, since the token's preview shows it.

    A browser may use a payment method without a customer: only its creator knows its id. An app with an ephemeral key
    may use what its customer has saved, as far as it may list it.
    """
    named = params.get("payment_method")
    if named is None or method is None:
        return
    if not call.limited:
        call.needs(payment_methods.PERMISSION)
    elif call.key is not None and not call.client:
        listed = claims.redisplayed(call.key.permissions)
        mine = method.get("customer") == call.key.subject
        if not mine or (listed is not None and value_at(method, "allow_redisplay") not in listed):
            raise instruments.no_payment_method(call, named, "payment_method")
    elif method.get("customer") or method.get("_used"):
        raise instruments.no_payment_method(call, named, "payment_method")


def client_view(call: Call, value: Json) -> Json:
    """Return the fields that a publishable key may see: not the fingerprint of the payment method."""
    preview = value.get("payment_method_preview") or {}
    for inner in preview.values():
        if isinstance(inner, dict):
            inner.pop("fingerprint", None)
    return value


def _mandate(call: Call) -> api.ConfirmationTokensResourceMandateData:
    online: Any = {"ip_address": call.origin.ip, "user_agent": call.origin.user_agent}
    return {"customer_acceptance": {"online": online, "type": "online"}}


def _preview(method: Instrument) -> Mapping[str, Any]:
    names = set(properties("payment_method")) - {"id", "object", "created", "livemode", "metadata", "radar_options"}
    preview = {name: value for name, value in method.items() if name in names}
    return {"customer": None, **preview}


_PARAMS = operation_params("POST", "/v1/test_helpers/confirmation_tokens").extended(
    {"set_as_default_payment_method": P.boolean()}
)
_SENT = f"return_url setup_future_usage set_as_default_payment_method {client.CUSTOMER_SHIPPING}"
#: The mobile SDKs repeat what they know of the intent (``client_context``).
_SAID = f"use_stripe_sdk mandate_data client_context {client.HCAPTCHA} payment_method_data{{{client.HCAPTCHA}}}"
#: What the SDK for Android says about itself, here with an ephemeral key too.
_SAID_BY_APP = "use_stripe_sdk mandate_data client_context payment_user_agent client_attribution_metadata"

CONFIRMATION_TOKEN = Resource(
    object="confirmation_token",
    prefix="ctoken",
    permission=PERMISSION,
    live=records(),
    path_param="confirmation_token",
    endpoints=(
        retrieve("confirmation_token", "/v1/confirmation_tokens/{confirmation_token}"),
        Endpoint(
            "POST",
            "/v1/confirmation_tokens",
            create,
            permission=CLIENT_PERMISSION,
            publishable=publishable_access(
                takes=f"payment_method payment_method_data{{{client.METHOD}}} {_SENT}",
                ignores=_SAID,
                refuses=f"payment_method_options payment_method_data{{{client.METHOD_REFUSED}}}",
            ),
            ephemeral=Access(
                takes=f"payment_method {_SENT}",
                ignores=_SAID_BY_APP,
                refuses="payment_method_data payment_method_options",
                granted=claims.REDISPLAYS,
            ),
            params=_PARAMS,
        ),
        Endpoint(
            "POST", "/v1/test_helpers/confirmation_tokens", create, permission=CLIENT_PERMISSION, live=only_in_test()
        ),
    ),
    client_view=client_view,
    title="Confirmation tokens",
    columns=("id", "payment_intent", "setup_intent", "created"),
)
