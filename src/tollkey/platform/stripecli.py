"""Endpoints of the Stripe CLI: for ``stripe listen``, ``stripe logs tail`` and ``stripe keys permissions``.

``stripe listen`` opens a session and is given the address of a WebSocket, over which it is sent each event of
the account as it would be sent to a webhook endpoint, signature included; it forwards them to a local address.
The signing secret of an account and mode is always the same, so it can be put in a configuration once.
``stripe logs tail`` is sent the lines of the request log instead, those that its filters let through.

``stripe keys permissions`` asks which permissions a restricted key needs for some endpoints; the answer comes
from the resources' own declarations (reference section 2.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.db import Scope
from tollkey.keys import Permission
from tollkey.keys.keyring import Keyring
from tollkey.platform import _cli_sessions as sessions
from tollkey.wire import Call, Endpoint, Json, P, Resource
from tollkey.wire.hosted import hosted_url
from tollkey.wire.live import records
from tollkey.wire.router import Router
from tollkey.wire.versions import LATEST

if TYPE_CHECKING:
    from tollkey.wire import operations

PERMISSION = Permission("stripecli_session", "Debugging tools", "Stripe CLI", levels=("write",))
SOCKET = "stripecli"
NEEDS = f"{PERMISSION.name}_write"
MIGRATION = sessions.MIGRATION


def signing_secret(keyring: Keyring, scope: Scope) -> str:
    """The secret that signs what the CLI forwards for this account and mode; it cannot be worked out without the
    keyring.
    """
    return "whsec_" + keyring.stable_digest(f"stripecli/{scope.account}/{'live' if scope.livemode else 'test'}").hex()


def open_session(call: Call, params: operations.PostStripecliSessions) -> Json:
    """Open a session: the address of its WebSocket, and the secret that signs the events it hears."""
    feature = sessions.feature_of(params.get("websocket_features") or [])
    filters = sessions.read_filters(params.get("filters"), feature)
    alone = "filter_account" in filters and not sessions.is_platform(call)
    if alone:  # the CLI tells that the filter is not applied
        del filters["filter_account"]
    id = sessions.add(call, feature, filters)
    url = hosted_url(call, SOCKET, id, expires_at=call.now + sessions.SESSION_SECONDS, needs=NEEDS)
    address, _, token = url.rpartition("/")
    return {
        "object": "stripecli.session",
        "default_version": call.services.settings.default_version,
        "display_connect_filter_warning": alone,
        "latest_version": LATEST,
        "reconnect_delay": 3600,
        "secret": signing_secret(call.services.authority.keyring, call.scope),
        "websocket_authorized_feature": feature,
        "websocket_id": token,
        "websocket_url": "ws" + address.removeprefix("http"),
    }


def needed(call: Call, params: operations.PostStripecliKeyPermissions) -> Json:
    """The permissions that these endpoints (``GET /v1/customers``) need, and the endpoints that nobody serves."""
    router = Router(call.setup.tables.catalogue)
    permissions: dict[str, None] = {}
    unresolved = []
    for text in params["endpoints"]:
        method, _, path = text.strip().partition(" ")
        hit = router.find(method.upper(), path.strip().partition("?")[0])
        if hit is None:
            unresolved.append({"endpoint": text, "reason": "unrecognized_endpoint"})
        elif hit[0].endpoint.unrestricted:
            unresolved.append({"endpoint": text, "reason": "not_available_to_restricted_keys"})
        else:
            route = hit[0]
            permissions[f"{(route.endpoint.permission or route.resource.permission).name}_{route.endpoint.needs}"] = (
                None
            )
    return {"object": "stripecli.key_permissions", "permissions": list(permissions), "unresolved_endpoints": unresolved}


_FORWARDS = (
    "forward_to_url",
    "forward_connect_to_url",
    "forward_thin_to_url",
    "forward_thin_connect_to_url",
    "filters",
)

SESSION = Resource(
    object="stripecli.session",
    permission=PERMISSION,
    live=records(),
    stored=False,
    endpoints=(
        Endpoint(
            "POST",
            "/v1/stripecli/sessions",
            open_session,
            secret="secret",
            params=P.nested(
                {
                    "device_name": P.string(),
                    "websocket_features": P.array(P.string()),
                    "expand": P.array(P.string()),
                    **{name: P.string(blank=True) for name in _FORWARDS},
                }
            ),
        ),
        Endpoint(
            "POST",
            "/v1/stripecli/key_permissions",
            needed,
            unrestricted=True,
            object="stripecli.key_permissions",
            params=P.object(required=["endpoints"], endpoints=P.array(P.string())),
        ),
    ),
)
