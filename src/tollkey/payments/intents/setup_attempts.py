"""SetupAttempts: the attempts to confirm a SetupIntent, and their results.

(confirm) ──▶ requires_action ──▶ succeeded │ failed │ abandoned       (confirm) ──▶ succeeded │ failed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.intents import kinds, states
from tollkey.payments.processors import protocol
from tollkey.wire import ApiError, Call, Resource, new_object
from tollkey.wire.objects import value_at
from tollkey.wire.pages import listing

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import Instrument, StoredSetupIntent
    from tollkey.wire import api

PERMISSION = Permission("setup_intent", "SetupIntents", "Core")


def record_attempt(
    call: Call,
    intent: StoredSetupIntent,
    method: Instrument,
    status: str,
    error: api.ApiErrors | None = None,
    *,
    authenticated: bool = False,
) -> api.SetupAttempt:
    """Store a new attempt, or the result of the one that waited for the customer; the intent refers to it.

    status: requires_action, succeeded, failed or abandoned. error: the intent's ``last_setup_error``.
    """
    attempt = call.objects.find(kinds.SETUP_ATTEMPT, intent["latest_attempt"]) if intent["latest_attempt"] else None
    if attempt is None or attempt["status"] != "requires_action":
        attempt = new_object(
            kinds.SETUP_ATTEMPT,
            id=call.ids.new("setatt"),
            application=intent["application"],
            created=call.now,
            customer=intent["customer"],
            flow_directions=intent["flow_directions"],
            livemode=call.livemode,
            on_behalf_of=intent["on_behalf_of"],
            payment_method=method["id"],
            payment_method_details=_details(method, authenticated),
            setup_intent=intent["id"],
            status=states.SETUP_ATTEMPT.start(status),
            usage=intent["usage"],
        )
        attempt["setup_error"] = error
        intent["latest_attempt"] = attempt["id"]
        return call.objects.insert(attempt)
    states.SETUP_ATTEMPT.set(attempt, status)
    attempt.update({"setup_error": error, "payment_method_details": _details(method, authenticated)})
    return call.objects.save(attempt)


def _details(method: Instrument, authenticated: bool) -> Any:
    kind = protocol.kind_of(method)
    try:
        inner = new_object(f"setup_attempt_payment_method_details_{kind}")
    except LookupError:
        inner = {}
    inner.pop("id", None)
    inner.pop("object", None)
    known = value_at(method, kind) or {}
    inner.update({name: known[name] for name in inner if known.get(name) is not None})
    card = protocol.card_of_instrument(method)
    if card is not None:
        inner["network"] = value_at(method, "card.networks.preferred") or card.network
        if authenticated:
            inner["three_d_secure"] = {
                "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "result": "authenticated",
                "result_reason": None,
                "transaction_id": None, "version": "2.2.0",
            }  # fmt: skip
    return {kind: inner, "type": kind}


def error_summary(error: ApiError) -> api.ApiErrors:
    """Return an error in the form that intents and attempts store: its body without the intent."""
    body: Any = error.body()["error"]
    for name in ("setup_intent", "payment_intent"):
        body.pop(name, None)
    return cast("api.ApiErrors", body)


SETUP_ATTEMPT = Resource(
    object="setup_attempt",
    prefix="setatt",
    permission=PERMISSION,
    indexed=("setup_intent",),
    endpoints=(listing("setup_attempt", "/v1/setup_attempts"),),
    title="Setup attempts",
    columns=("id", "status", "payment_method", "created"),
)
