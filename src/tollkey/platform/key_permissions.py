"""Which permissions a restricted key needs for some endpoints: what ``stripe keys permissions`` asks.

The answer comes from the resources' own declarations (reference section 2.1).
"""

from __future__ import annotations

from tollkey.keys import Permission
from tollkey.wire import Call, Endpoint, Json, P, Params, Resource
from tollkey.wire.router import Router

PERMISSION = Permission("stripecli_key_permission", "Debugging tools", "Stripe CLI", levels=("read",))


def needed(call: Call, params: Params) -> Json:
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
            permissions[f"{(route.endpoint.permission or route.resource.permission).name}_{route.endpoint.needs}"] = None
    return {"object": "stripecli.key_permissions", "permissions": list(permissions), "unresolved_endpoints": unresolved}


KEY_PERMISSIONS = Resource(
    object="stripecli.key_permissions",
    permission=PERMISSION,
    stored=False,
    endpoints=(
        Endpoint("POST", "/v1/stripecli/key_permissions", needed, unrestricted=True,
                 params=P.object(required=["endpoints"], endpoints=P.array(P.string()))),
    ),
)  # fmt: skip
