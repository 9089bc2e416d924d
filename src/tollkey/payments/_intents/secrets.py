"""What a browser must know to touch an intent: its ``client_secret`` (reference section 3)."""

from __future__ import annotations

import hmac

from tollkey.wire import ApiError, Call, Json, Params, invalid, missing_param


def client_secret(call: Call, id: str) -> str:
    """A new client secret of an intent."""
    return f"{id}_secret_{call.ids.text(25)}"


def intent_of(call: Call, object: str, params: Params) -> Json:
    """The intent that the path names. Raises ApiError 404, and 400 for a publishable key without the intent's client secret."""
    intent = call.objects.get(object, call.path["intent"])
    _check_client_secret(call, intent, params)
    return intent


def _check_client_secret(call: Call, intent: Json, params: Params) -> None:
    """Let a publishable key go on only with the intent's own secret; take the parameter off the others.

    Raises ApiError 400: no secret, or another one.
    """
    given = params.pop("client_secret", None)
    if given is None:
        if call.client:
            raise missing_param("client_secret")
        return
    if not hmac.compare_digest(str(given).encode(), str(intent["client_secret"]).encode()):
        name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        raise invalid(f"The client_secret provided does not match the client_secret associated with the {name}.", "client_secret")


def not_for_clients(call: Call, intent: Json) -> None:
    """Raise ApiError 400 when a browser confirms an intent that only the server may confirm."""
    if call.client and intent.get("confirmation_method") == "manual":
        raise ApiError(
            400,
            message="This PaymentIntent cannot be confirmed using your publishable key because its `confirmation_method` is set to"
            " `manual`. Please use your secret key instead, or create a PaymentIntent with `confirmation_method` set to `automatic`.",
            code="payment_intent_invalid_parameter",
        )
