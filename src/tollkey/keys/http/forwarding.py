"""``/v1/keys/forward-auth``: proxies ask about each request.

The proxies are nginx, Caddy, Traefik, HAProxy, and Envoy with its HTTP ext_authz. They say which request they ask about
in X-Original-Method and X-Original-URI, in X-Forwarded-Method and X-Forwarded-Uri, or by their own method and what
follows the path (Envoy). A request that is described in more than one way is refused: one of them may come from the
client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tollkey.keys.header import Presented, read_authorization, read_bare
from tollkey.keys.http.answer import JSON, Answer, Headers
from tollkey.keys.http.callers import presented_in, require
from tollkey.keys.http.dispatch import send_answer
from tollkey.keys.http.endpoint import Server
from tollkey.keys.http.errors import ApiError
from tollkey.keys.http.verifying import NEEDS, check
from tollkey.keys.key import Denied, Key, LimitState, Reason
from tollkey.keys.limiting import rate_limit_headers
from tollkey.keys.refusal import Forbidden, Refusal, Refused, for_auth_request, refused_of, rfc6750

PATH = "/v1/keys/forward-auth"
_SERVICE = "x-tollkey-service"
_ORIGINAL = ("x-original-method", "x-original-uri")
_FORWARDED = ("x-forwarded-method", "x-forwarded-uri")
_SAFE = "@.+~:-_*"  # in account names, which may be e-mail addresses
_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """The request that a proxy asks about."""

    method: str
    target: str

    @property
    def endpoint(self) -> str:
        """Method and path, without the query."""
        return f"{self.method} {self.target.partition('?')[0]}"


def routes(server: Server) -> list[Route]:
    """Return the routes: the path itself, and all below it."""
    app = ForwardAuth(server)
    return [Route(PATH, app), Route(PATH + "/{rest:path}", app)]


class ForwardAuth:
    """The ASGI application that answers proxies, with any method."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._server.new_id("req")
        try:
            answer = await self._answer(scope)
        except ApiError as problem:  # 503: it cannot be known
            answer = _refusal(scope, Denied(Reason.unavailable))
            _log.error("request %s: %s", request_id, problem.code)
        except Exception:
            answer = _refusal(scope, Denied(Reason.unavailable))
            _log.exception("request %s failed", request_id)
        await send_answer(answer, request_id, {"method": "GET"}, receive, send)

    async def _answer(self, scope: Scope) -> Answer:
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        single = {name: values[-1] for name, values in headers.items()}
        await self._check_proxy(scope, single)
        asked = asked_about(scope, headers)
        if asked is None:
            return _ambiguous(scope)
        if _is_preflight(asked, single):
            return Answer(b"", 204)
        presented = self._presented(headers)
        if isinstance(presented, Denied):
            return _refusal(scope, presented, self._server.key_header)
        return await self._checked(scope, presented.text, asked, _client(single))

    async def _check_proxy(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Raise ApiError if the proxy must authenticate and does not."""
        if not self._server.forward_auth_key:
            return
        client = scope.get("client")
        sent = headers.get(_SERVICE)
        presented = presented_in(None if sent is None else f"Bearer {sent}")
        caller = await self._server.callers.verify(presented, client[0] if client else None, f"GET {PATH}")
        require(caller, NEEDS)

    def _presented(self, headers: Mapping[str, list[str]]) -> Presented | Denied:
        values = headers.get(self._server.key_header, [])
        if len(values) > 1:
            return Denied(Reason.unusable_header)
        value = values[0] if values else None
        return read_authorization(value) if self._server.key_header == "authorization" else read_bare(value)

    async def _checked(self, scope: Scope, text: str, asked: Asked, ip: str | None) -> Answer:
        declared = self._server.keys.declares_routes
        route = f"{asked.method} {asked.target}"
        checked = await check(self._server, text, ip=ip, endpoint=asked.endpoint, route=route, publishable=declared)
        if checked.key is None:
            refused = refused_of(checked, ip)
            if isinstance(refused, Forbidden) and refused.permission is None and refused.key.kind != "publishable":
                return _plain_403(scope, "route_unknown", "No API key may be used here.")
            return _refusal(scope, refused, self._server.key_header)
        return Answer(b"", 204, (*self._about(checked.key), *_limits(checked.limits)))

    def _about(self, key: Key) -> Headers:
        """Return what the application behind the proxy is told."""
        return _headers_of(key.id, key.account, self._server.keys.config.environment(key.livemode), key.effective)


@lru_cache(maxsize=4096)
def _headers_of(id: str, account: str, environment: str, permissions: frozenset[str]) -> Headers:
    return (
        (b"x-key-id", id.encode()),
        (b"x-key-account", quote(account, safe=_SAFE).encode()),
        (b"x-key-environment", environment.encode()),
        (b"x-key-permissions", quote(" ".join(sorted(permissions)), safe=f"{_SAFE} ").encode()),
    )


def asked_about(scope: Scope, headers: Mapping[str, list[str]]) -> Asked | None:
    """Return the request that a proxy asks about; None if it says so in two ways, or incompletely."""
    rest: str = scope["path"].removeprefix(PATH)
    ways = [names for names in (_ORIGINAL, _FORWARDED) if any(name in headers for name in names)]
    if len(ways) + bool(rest) > 1:
        return None
    if not ways:
        raw = scope.get("raw_path") or scope["path"].encode()
        target: str = raw.decode("latin-1").removeprefix(PATH) or "/"
        return Asked(scope["method"], target)
    method, uri = (headers.get(name, []) for name in ways[0])
    if len(method) != 1 or len(uri) != 1 or not method[0].isalpha() or len(method[0]) > 20:
        return None
    return Asked(method[0].upper(), uri[0])


def _is_preflight(asked: Asked, headers: Mapping[str, str]) -> bool:
    """Return whether this is a CORS preflight request, which cannot carry a key (Fetch standard)."""
    return asked.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def _client(headers: Mapping[str, str]) -> str | None:
    """Return the client's address: the last one in X-Forwarded-For, which the proxy itself has added."""
    return headers.get("x-forwarded-for", "").rpartition(",")[2].strip() or None


def _limits(limits: Sequence[LimitState]) -> Headers:
    return tuple((name.encode(), value.encode()) for name, value in rate_limit_headers(limits))


def _for_nginx(scope: Scope) -> bool:
    return b"nginx=1" in scope["query_string"].split(b"&")


def _refusal(scope: Scope, refused: Refused, header: str = "authorization") -> Answer:
    """Return the refusal. nginx's auth_request passes on only 401 and 403, so it gets the rest in headers."""
    refusal = for_auth_request(refused) if _for_nginx(scope) else rfc6750(refused, header=header)
    return _as_answer(refusal)


def _as_answer(refusal: Refusal) -> Answer:
    ours = ("content-length", "cache-control")
    pairs = tuple((name.encode(), value.encode("latin-1")) for name, value in refusal.headers if name not in ours)
    return Answer(refusal.body, refusal.status, pairs)


def _ambiguous(scope: Scope) -> Answer:
    return _plain_403(scope, "request_ambiguous", "It is not clear which request this is about.")


def _plain_403(scope: Scope, code: str, message: str) -> Answer:
    body = f'{{"error": {{"code": "{code}", "message": "{message}"}}}}'.encode()
    nginx: Headers = ((b"x-key-status", b"403"), (b"x-key-body", body)) if _for_nginx(scope) else ()
    return Answer(body, 403, (JSON, *nginx))
