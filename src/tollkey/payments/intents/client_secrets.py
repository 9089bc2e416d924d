"""Checks for requests with a publishable key: the ``client_secret`` of an intent (reference section 3)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import missing_param
from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent, StoredPaymentIntent, StoredSetupIntent


def client_secret(call: Call, id: str) -> str:
    """Return a new client secret for an intent."""
    return f"{id}_secret_{call.ids.text(25)}"


_I = TypeVar("_I", "StoredPaymentIntent", "StoredSetupIntent")


def intent_of(call: Call, object: Kind[_I], secret: str | None = None) -> _I:
    """Return the intent in the path.

    secret: its ``client_secret`` as sent, None if it was not.
    Raises ApiError 404, and 400 for a publishable key without the intent's client secret.
    """
    intent = call.objects.get(object, call.path["intent"])
    check_client_secret(call, intent, secret)
    return intent


def check_client_secret(call: Call, intent: AnyIntent, given: str | None) -> None:
    """Raise ApiError 400 if a client secret is wrong, or a publishable key sends none."""
    if given is None:
        if call.client:
            raise missing_param("client_secret")
        return
    if not hmac.compare_digest(given.encode(), str(intent["client_secret"]).encode()):
        name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        message = f"The client_secret provided does not match the client_secret associated with the {name}."
        raise invalid(message, "client_secret", guess=True)


_USAGE = (None, "on_session", "off_session")


def only_raised(call: Call, intent: StoredPaymentIntent, params: Mapping[str, Any]) -> None:
    """Raise ApiError 400 if a publishable key would weaken ``setup_future_usage``.

    It can only change it from ``on_session`` to ``off_session``. Source: the Stripe.js reference of
    ``confirmCardPayment`` and the mobile SDKs; the text of the error is ours.
    """
    for param, before, given in _usages(intent, params) if call.client else ():
        if "setup_future_usage" in given and _rank(given["setup_future_usage"]) < _rank(before):
            raise invalid(
                f"`{param}` can only be updated from `on_session` to `off_session` with a publishable key.",
                param,
                "payment_intent_invalid_parameter",
            )


def _usages(
    intent: StoredPaymentIntent, params: Mapping[str, Any]
) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """Yield where ``setup_future_usage`` may be given: the parameter, the current value, and what holds the new one."""
    set_for_all = intent["setup_future_usage"]
    set_for_kinds = cast("Mapping[str, Any]", intent["payment_method_options"] or {})
    yield "setup_future_usage", set_for_all, params
    for kind, options in (params.get("payment_method_options") or {}).items():
        before = (set_for_kinds.get(kind) or {}).get("setup_future_usage") or set_for_all
        yield f"payment_method_options[{kind}][setup_future_usage]", before, options or {}


def _rank(usage: str | None) -> int:
    return _USAGE.index(usage) if usage in _USAGE else 0


def not_for_clients(call: Call, intent: AnyIntent) -> None:
    """Raise ApiError 400 if a publishable key confirms an intent that only the server may confirm."""
    if call.client and intent.get("confirmation_method") == "manual":
        raise ApiError(
            400,
            message="This PaymentIntent cannot be confirmed using your publishable key because its"
            " `confirmation_method` is set to"
            " `manual`. Please use your secret key instead, or create a PaymentIntent with `confirmation_method` set"
            " to `automatic`.",
            code="payment_intent_invalid_parameter",
        )
