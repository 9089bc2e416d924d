"""3-D Secure 2 as client libraries begin it: ``/v1/3ds2/authenticate``, with the attempt that ``next_action`` names.

    next_action (stripe_3ds2_fingerprint) ──authenticate──▶ challenge_required, with the page of the challenge
    challenge_required ──challenge_complete──▶ challenge_required: only the page says what the customer decided

There is no directory server, so no library can run the challenge by itself: the answer has no ``ares`` and names a page
in its place, as it does for a bank that knows 3-D Secure 1 alone (the mobile SDKs' models of the answer).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, TypedDict

from tollkey.payments.intents import actions, kinds
from tollkey.payments.intents.payment_intents import PERMISSION
from tollkey.payments.shared import providers
from tollkey.wire import Call, Endpoint, P, Resource, invalid
from tollkey.wire.access import publishable_access
from tollkey.wire.live import needs
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent
    from tollkey.wire import operations


class Authentication(TypedDict):
    """The answer to a library that begins an authentication. fallback_redirect_url: the page of the challenge."""

    id: str
    object: str
    ares: None
    created: int
    creq: None
    error: None
    fallback_redirect_url: str | None
    livemode: bool
    source: str
    state: str


def authenticate(call: Call, params: operations.Post3ds2Authenticate) -> Authentication:
    """Begin the authentication that an intent waits for. Raises ApiError 400 when none waits for that attempt."""
    return _answer(call, params["source"])


def complete(call: Call, params: operations.Post3ds2ChallengeComplete) -> Authentication:
    """Hear that a library has ended a challenge, which changes nothing: what it says about the outcome is not believed.

    Raises ApiError 400 when no intent waits for that attempt, as after the customer has decided on the page.
    """
    return _answer(call, params["source"])


def _answer(call: Call, source: str) -> Authentication:
    intent = _waiting(call, source)
    if intent is None:
        raise invalid(f"No such 3D Secure authentication attempt: '{source}'", "source", "resource_missing", guess=True)
    return {
        "id": call.ids.new("threeds2"),
        "object": "three_d_secure_2",
        "ares": None,
        "created": call.now,
        "creq": None,
        "error": None,
        "fallback_redirect_url": value_at(intent, "next_action.use_stripe_sdk.stripe_js"),
        "livemode": call.livemode,
        "source": source,
        "state": "challenge_required",
    }


def _waiting(call: Call, source: str) -> AnyIntent | None:
    """Return the intent whose next action is the attempt with that id."""
    id = actions.intent_of_attempt(source)
    if id is None:
        return None
    intent: AnyIntent | None = (
        call.objects.find(kinds.PAYMENT_INTENT, id)
        if id.startswith("pi_")
        else call.objects.find(kinds.SETUP_INTENT, id)
    )
    named = value_at(intent, "next_action.use_stripe_sdk.three_d_secure_2_source") if intent is not None else None
    return intent if named is not None and hmac.compare_digest(str(named).encode(), source.encode()) else None


THREE_D_SECURE = Resource(
    object="three_d_secure_2",
    permission=PERMISSION,
    stored=False,
    reveals={"fallback_redirect_url": "write"},
    client_view=lambda call, value: value,
    live=needs(providers.CHARGES),
    endpoints=(
        Endpoint(
            "POST",
            "/v1/3ds2/authenticate",
            authenticate,
            params=P.object(required=["source"], source=P.string()),
            publishable=publishable_access(
                takes="source",
                ignores="browser app one_click_authn_device_support fallback_return_url app_id device_id",
            ),
        ),
        Endpoint(
            "POST",
            "/v1/3ds2/challenge_complete",
            complete,
            params=P.object(required=["source"], source=P.string()),
            publishable=publishable_access(takes="source", ignores="final_cres"),
        ),
    ),
)
