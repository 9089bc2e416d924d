"""ConfirmationTokens: what a customer entered in the browser, carried to the server that confirms.

    created ──confirm──▶ used (names the intent)      created ──12 hours──▶ expired

In test mode the server may make them itself. A browser makes them with its publishable key.
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.payments._common import shipping
from tollkey.payments._intents import resolve_method
from tollkey.wire import Call, Endpoint, Json, Params, Resource, blank, invalid, only_in_test, operation_params, records, retrieve
from tollkey.wire.shapes import properties

PERMISSION = Permission("confirmation_token", "Confirmation token", "Core", levels=("read",))
CLIENT_PERMISSION = Permission("confirmation_token_client", "Confirmation token (client)", "Core")
LIVES_SECONDS = 12 * 3600


def create(call: Call, params: Params) -> Json:
    """Create a ConfirmationToken from a payment method or the data of one. Raises ApiError 400 in live mode for secret keys."""
    if call.livemode and not call.client:
        raise invalid("This method is only available in test mode.", retry=False)
    method = resolve_method(call, params)
    card = (params.get("payment_method_options") or {}).get("card")
    options = {"card": {"cvc_token": None, "installments": {"plan": (card.get("installments") or {}).get("plan")}}} if card else None
    token = blank(
        "confirmation_token",
        id=call.ids.new("ctoken"),
        created=call.now,
        expires_at=call.now + LIVES_SECONDS,
        livemode=call.livemode,
        mandate_data=_mandate(call) if call.client else None,
        payment_method_options=options,
        payment_method_preview=_preview(method) if method is not None else None,
        return_url=params.get("return_url"),
        setup_future_usage=params.get("setup_future_usage"),
        shipping=shipping(params.get("shipping")),
        use_stripe_sdk=call.client,
    )
    token["_payment_method"] = method["id"] if method is not None else None
    return call.objects.insert(token)


def _mandate(call: Call) -> Json:
    online = {"ip_address": call.origin.ip, "user_agent": call.origin.user_agent}
    return {"customer_acceptance": {"online": online, "type": "online"}}


def _preview(method: Json) -> Json:
    names = set(properties("payment_method")) - {"id", "object", "created", "livemode", "metadata", "radar_options"}
    preview = {name: value for name, value in method.items() if name in names}
    return {"customer": None, **preview}


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
            publishable=True,
            params=operation_params("POST", "/v1/test_helpers/confirmation_tokens"),
        ),
        Endpoint("POST", "/v1/test_helpers/confirmation_tokens", create, permission=CLIENT_PERMISSION, live=only_in_test()),
    ),
    title="Confirmation tokens",
    columns=("id", "payment_intent", "setup_intent", "created"),
)
