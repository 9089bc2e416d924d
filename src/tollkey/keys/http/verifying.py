"""``POST /v1/keys/verify`` and ``POST /oauth2/introspect`` (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping

from tollkey.keys.http.answer import Answer, JsonValue, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint, Server
from tollkey.keys.http.errors import invalid, unavailable
from tollkey.keys.http.fields import Field, Values, read
from tollkey.keys.key import SERVICE_ACCOUNT, Checked, Key, LimitState, Reason

MOST_KEYS = 100
LONGEST_TTL = 300  # seconds that a remote cache may keep an accepted key while the stream of changes is fresh
NEEDS = "key_verify_write"

_ITEM: Mapping[str, Field] = {
    "key": Field("string", "The key as the client sent it.", required=True, most=65_536, nullable=True),
    "permission": Field("string", "A permission that the key must have.", nullable=True),
    "account": Field("string", "Accept only keys of this account.", nullable=True),
    "ip": Field(
        "string", "The client's address; keys with an allow-list are refused without it.", most=64, nullable=True
    ),
    "route": Field(
        "string",
        "Method and path, for what the declared route needs and costs; or the name of a route, for its limits.",
        most=2000,
        nullable=True,
    ),
    "cost": Field(
        "integer",
        "What it takes from the limits: that of its route, or 1. 0 only looks.",
        most=1_000_000,
        nullable=True,
    ),
    "publishable": Field("boolean", "Whether a publishable key will do, true by default.", nullable=True),
    "endpoint": Field("string", "What the key is used for, kept as its last use.", nullable=True),
}


async def verify(call: Call) -> Answer:
    """Verify one key, or those in ``keys``, whose answers have the same order."""
    items = call.body.objects("keys")
    if items is None:
        if "key" not in call.body.sent:
            raise invalid("Missing required parameter: key.", "key", "parameter_missing")
        return json_answer(await _verified(call.server, call.body))
    if len(call.body.sent) > 1:
        raise invalid("Send either keys, or key and its parameters.", "keys")
    wanted = [read(_ITEM, item, f"keys[{index}]") for index, item in enumerate(items)]
    for item in wanted:  # before the first one takes from a limit
        _check_known(call.server, item)
    return json_answer({"object": "list", "data": [await _verified(call.server, item) for item in wanted]})


def _check_known(server: Server, item: Values) -> None:
    """Raise UnknownPermission for a permission that nothing declares."""
    permission = item.text("permission")
    if permission is not None:
        server.keys.authority.catalogue.canonical(permission)


async def _verified(server: Server, item: Values) -> dict[str, JsonValue]:
    """Return the answer about one key. Raises ApiError 503 if it cannot be known, UnknownPermission."""
    checked = await check(
        server,
        item.text("key"),
        item.text("permission"),
        ip=item.text("ip"),
        endpoint=item.text("endpoint"),
        route=item.text("route"),
        cost=item.number("cost"),
        account=item.text("account"),
        publishable=item.flag("publishable", True),
    )
    key, limit = checked.known, checked.limit
    return {
        "valid": bool(checked),
        "code": "valid" if checked.reason is None else checked.reason.value,
        "permission": checked.permission,
        "key": None if key is None else facts(server, key),
        "ratelimit": None if limit is None else limit_facts(limit),
        "retry_after": checked.retry_after,
        "ttl": _ttl(checked, server.now),
        "version": None if key is None else key.version,
    }


async def check(
    server: Server,
    text: str | None,
    permission: str | None = None,
    *,
    ip: str | None,
    endpoint: str | None = None,
    route: str | None = None,
    cost: int | None = None,
    account: str | None = None,
    publishable: bool = True,
) -> Checked:
    """Check a request of a host's customer; see ``KeyService.acheck``. Service keys are unknown here.

    Raises ApiError 503 if it cannot be known, UnknownPermission.
    """
    checked = await server.keys.acheck(
        text, permission, ip=ip, endpoint=endpoint, route=route, cost=cost, account=account, publishable=publishable
    )
    if checked.reason is Reason.unavailable:
        raise unavailable("Keys cannot be checked at the moment.")
    return for_host(checked)


def for_host(checked: Checked) -> Checked:
    """Return the result of a check without service keys, which are unknown to a host's customers."""
    if checked.known is not None and checked.known.account == SERVICE_ACCOUNT:
        return Checked(None, Reason.unknown, masked=checked.masked)
    return checked


def facts(server: Server, key: Key) -> dict[str, JsonValue]:
    """Return what a verifier is told of a key."""
    return {
        "id": key.id,
        "account": key.account,
        "environment": server.keys.config.environment(key.livemode),
        "livemode": key.livemode,
        "kind": key.kind,
        "name": key.name,
        "permissions": sorted(key.effective),
        "metadata": dict(key.metadata),
        "created": key.created,
        "expires_at": key.expires_at,
    }


def limit_facts(limit: LimitState) -> dict[str, JsonValue]:
    """Return what a verifier is told of a limit. reset: seconds until all of it is there again."""
    return {
        "policy": limit.policy,
        "limit": limit.limit,
        "remaining": limit.remaining,
        "reset": limit.reset,
        "window": limit.window,
    }


def _ttl(checked: Checked, now: int) -> int:
    """Return how many seconds a remote cache may keep this answer; 0 if the next one depends on more than the key."""
    key = checked.key
    if key is None or key.ip_allowlist or key.max_uses is not None or checked.limit is not None:
        return 0
    return LONGEST_TTL if key.expires_at is None else max(0, min(LONGEST_TTL, key.expires_at - now))


async def introspect(call: Call) -> Answer:
    """Tell whether a token is active. An inactive one gets no further explanation (RFC 7662 section 2.2)."""
    checked = await check(call.server, call.body.text("token"), ip=None, cost=0)
    key = checked.key
    if key is None:
        return json_answer({"active": False})
    shown: dict[str, JsonValue] = {
        "active": True,
        "sub": key.account,
        "client_id": key.id,
        "scope": " ".join(sorted(key.effective)),
        "token_type": "Bearer",
        "iat": key.created,
    }
    if key.expires_at is not None:
        shown["exp"] = key.expires_at
    return json_answer(shown)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/keys/verify",
        verify,
        NEEDS,
        "Verify one key, or up to 100",
        "verification",
        body={
            **{name: field._replace(required=False) for name, field in _ITEM.items()},
            "keys": Field("objects", "Up to 100 keys, each with the parameters above.", most=MOST_KEYS, least=1),
        },
    ),
    Endpoint(
        "POST",
        "/oauth2/introspect",
        introspect,
        NEEDS,
        "Introspect a token (RFC 7662)",
        "introspection",
        body={
            "token": Field("string", "The key.", required=True, most=65_536),
            "token_type_hint": Field("string", "Has no effect: there is one type of token (RFC 7662 section 2.1)."),
        },
        form=True,
    ),
)
