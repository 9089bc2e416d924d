"""``POST /v1/keys/verify`` and ``POST /oauth2/introspect`` (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.concurrency import run_in_threadpool

from tollkey.keys.http.answer import Answer, JsonValue, json_answer
from tollkey.keys.http.callers import SERVICE_ACCOUNT
from tollkey.keys.http.endpoint import Call, Endpoint, Server
from tollkey.keys.http.errors import invalid, unavailable
from tollkey.keys.http.fields import Field, Values, read
from tollkey.keys.key import Denied, Key, Reason

MOST_KEYS = 100
LONGEST_TTL = 300  # seconds that a remote cache may keep an accepted key while the stream of changes is fresh
NEEDS = "key_verify_write"
_FORBIDDEN = "forbidden"

_ITEM: Mapping[str, Field] = {
    "key": Field("string", "The key as the client sent it.", required=True, most=65_536, nullable=True),
    "permission": Field("string", "A permission that the key must have.", nullable=True),
    "account": Field("string", "Accept only keys of this account.", nullable=True),
    "ip": Field(
        "string", "The client's address; keys with an allow-list are refused without it.", most=64, nullable=True
    ),
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
    return json_answer({"object": "list", "data": [await _verified(call.server, item) for item in wanted]})


async def _verified(server: Server, item: Values) -> dict[str, JsonValue]:
    """Return the answer about one key. Raises ApiError 503 if it cannot be known, UnknownPermission."""
    permission = item.text("permission")
    wanted = None if permission is None else server.keys.authority.catalogue.canonical(permission)
    text = item.text("key")
    answer = await checked(server, text, item.text("ip"), item.text("endpoint"), item.text("account"))
    if isinstance(answer, Denied):
        if answer.reason is Reason.unavailable:
            raise unavailable("Keys cannot be checked at the moment.")
        return _shown(server, answer.reason.value, answer.key)
    if wanted is not None and not answer.allows(wanted):
        return _shown(server, _FORBIDDEN, answer)
    return _shown(server, "valid", answer)


async def checked(
    server: Server, text: str | None, ip: str | None, endpoint: str | None, account: str | None
) -> Key | Denied:
    """Verify a key from memory, or else in a thread. Service keys are unknown here."""
    answer = server.keys.verify_cached(text, ip, endpoint, account)
    if answer is None:
        verify = partial(server.keys.verify, text, ip=ip, endpoint=endpoint, account=account)
        answer = await run_in_threadpool(verify)
    key = answer if isinstance(answer, Key) else answer.key
    if key is not None and key.account == SERVICE_ACCOUNT:
        return Denied(Reason.unknown, key.masked)
    return answer


def _shown(server: Server, code: str, key: Key | None) -> dict[str, JsonValue]:
    valid = code == "valid"
    return {
        "valid": valid,
        "code": code,
        "key": None if key is None else facts(key),
        "ratelimit": None,
        "retry_after": None,
        "ttl": _ttl(key, server.now) if valid and key is not None else 0,
        "version": None if key is None else key.version,
    }


def facts(key: Key) -> dict[str, JsonValue]:
    """Return what a verifier is told of a key."""
    return {
        "id": key.id,
        "account": key.account,
        "environment": environment_of(key),
        "livemode": key.livemode,
        "kind": key.kind,
        "name": key.name,
        "permissions": sorted(key.effective),
        "expires_at": key.expires_at,
    }


def environment_of(key: Key) -> str:
    """Return the name of the environment of a key."""
    return "live" if key.livemode else "test"


def _ttl(key: Key, now: int) -> int:
    """Return how many seconds a remote cache may keep this answer; 0 if the next one depends on more than the key."""
    if key.ip_allowlist:
        return 0
    return LONGEST_TTL if key.expires_at is None else max(0, min(LONGEST_TTL, key.expires_at - now))


async def introspect(call: Call) -> Answer:
    """Tell whether a token is active. An inactive one gets no further explanation (RFC 7662 section 2.2)."""
    answer = await checked(call.server, call.body.text("token"), None, None, None)
    if isinstance(answer, Denied):
        if answer.reason is Reason.unavailable:
            raise unavailable("Keys cannot be checked at the moment.")
        return json_answer({"active": False})
    shown: dict[str, JsonValue] = {
        "active": True,
        "sub": answer.account,
        "client_id": answer.id,
        "scope": " ".join(sorted(answer.effective)),
        "token_type": "Bearer",
        "iat": answer.created,
    }
    if answer.expires_at is not None:
        shown["exp"] = answer.expires_at
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
