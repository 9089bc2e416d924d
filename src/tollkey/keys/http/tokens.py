"""Signed tokens over HTTP: issuing them, and the key set that they are verified with."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from tollkey.keys.http.answer import Answer, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint
from tollkey.keys.http.fields import Field
from tollkey.keys.tokens import LONGEST_LIFETIME

_CACHED = ((b"cache-control", b"public, max-age=300"), (b"access-control-allow-origin", b"*"))
_DEFAULT_LIFETIME = 300


async def issue(call: Call) -> Answer:
    """Return a token that is derived from a key, whose text proves that the caller was given it."""
    sent = call.body

    def work() -> Answer:
        issued = call.server.keys.issue_token(
            sent.text("key") or "",
            audience=sent.text("audience") or "",
            permissions=sent.texts("permissions"),
            lifetime=sent.number("lifetime") or _DEFAULT_LIFETIME,
            ip=sent.text("ip"),
            check=call.current_caller,
        )
        token = issued.token
        return json_answer(
            {
                "object": "token",
                "id": token.id,
                "token": issued.text,
                "audience": token.audience,
                "permissions": sorted(token.permissions),
                "expires_at": token.expires_at,
            }
        )

    return await run_in_threadpool(work)


async def jwks(call: Call) -> Answer:
    """Return the public keys (RFC 7517 section 5). They may be kept for five minutes."""
    found = await run_in_threadpool(call.server.keys.jwks)
    return json_answer(found, headers=_CACHED)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/tokens",
        issue,
        "key_verify_write",
        "Issue a signed short-lived token",
        "token",
        body={
            "key": Field("string", "The text of the key that it is derived from.", required=True, most=65_536),
            "audience": Field("string", "The service that it is for.", required=True, most=200),
            "permissions": Field("strings", "A part of the key's permissions. [all]", most=100),
            "lifetime": Field("integer", "Seconds it is valid. [300]", most=LONGEST_LIFETIME, least=1),
            "ip": Field("string", "Address of the key's caller, for a key with an allow-list.", most=100),
        },
    ),
    Endpoint("GET", "/.well-known/jwks.json", jwks, None, "The keys that tokens are verified with", "jwks"),
)
