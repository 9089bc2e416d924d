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

from tollkey.keys.header import read_authorization, read_bare
from tollkey.keys.hiding import repr_without
from tollkey.keys.http.answer import JSON, Answer, Headers
from tollkey.keys.http.callers import presented_in, require
from tollkey.keys.http.dispatch import COMMON, common_headers, send_answer
from tollkey.keys.http.endpoint import Server
from tollkey.keys.http.errors import ApiError
from tollkey.keys.http.verifying import NEEDS, check, for_host
from tollkey.keys.key import Checked, Denied, Key, LimitState, Reason
from tollkey.keys.limiting import rate_limit_headers
from tollkey.keys.refusal import Forbidden, Refusal, Refused, for_auth_request, refused_of, rfc6750

PATH = "/v1/keys/forward-auth"
#: Status of a request that may pass. Any of 200 to 299 will do for the other proxies; Envoy takes 200 alone.
ACCEPTED = 200
_PATH = PATH.encode()
_SERVICE = b"x-tollkey-service"
_ORIGINAL = (b"x-original-method", b"x-original-uri")
_FORWARDED = (b"x-forwarded-method", b"x-forwarded-uri")
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


class _Sent(NamedTuple):
    """What a proxy sent.

    method: its own. rest: of the path, after that of forward-auth, as sent. query: as sent.
    headers: names in lower case; of several with one name, the last. repeated: the names of those.
    """

    method: str
    rest: bytes
    query: bytes
    headers: Mapping[bytes, bytes]
    repeated: frozenset[bytes] = frozenset()

    def __repr__(self) -> str:
        return repr_without(self, "query", "headers")


class _Presented(NamedTuple):
    """A key and the request that it is for. ip: the client's address."""

    text: str
    asked: Asked
    ip: str | None

    def __repr__(self) -> str:
        return repr_without(self, "text")


def routes(app: ForwardAuth) -> list[Route]:
    """Return the routes: the path itself, and all below it."""
    return [Route(PATH, app), Route(PATH + "/{rest:path}", app)]


class ForwardAuth:
    """The ASGI application that answers proxies, with any method."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._header = server.key_header.encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._server.new_id("req")
        sent = _sent(scope)
        try:
            answer = await self._answer(sent, scope.get("client"))
        except ApiError as problem:  # 503: it cannot be known
            answer = _refusal(sent.query, Denied(Reason.unavailable))
            _log.error("request %s: %s", request_id, problem.code)
        except Exception:
            answer = _refusal(sent.query, Denied(Reason.unavailable))
            _log.exception("request %s failed", request_id)
        await send_answer(answer, request_id, {"method": "GET"}, receive, send)

    def at_once(self, url: bytes, sent: Sequence[tuple[bytes, bytes]]) -> tuple[int, bytes, bytes] | None:
        """Answer a GET without awaiting anything, so that the HTTP server need not start a task.

        url: path and query as sent. sent: headers, names in lower case.
        Returns status, header lines and body; None when the request must go through ``__call__``.
        """
        path, _, query = url.partition(b"?")
        rest, headers = path[len(_PATH) :], dict(sent)
        if self._server.forward_auth_key or len(headers) != len(sent) or rest[:1] not in (b"", b"/"):
            return None
        prepared = self._prepared(_Sent("GET", rest, query, headers))
        if isinstance(prepared, Answer):
            return self._lines(prepared)
        text, (method, target), ip = prepared
        keys, endpoint = self._server.keys, f"{method} {target.partition('?')[0]}"
        try:
            checked = keys.check_at_once(
                text, ip=ip, endpoint=endpoint, route=f"{method} {target}", publishable=keys.declares_routes
            )
        except Exception:  # it will fail there as well, and is told there
            return None
        if checked is None:
            return None
        checked = for_host(checked)
        if checked.key is None or checked.limits:
            return self._lines(self._concluded(query, checked, ip))
        lines = b"content-length: 0\r\n%brequest-id: %b\r\n"
        return ACCEPTED, lines % (self._about(checked.key)[1], self._server.new_id("req").encode()), b""

    def _lines(self, answer: Answer) -> tuple[int, bytes, bytes]:
        headers = (*answer.headers, *common_headers(answer, self._server.new_id("req")))
        return answer.status, _lines_of(headers), answer.body

    async def _answer(self, sent: _Sent, client: tuple[str, int] | None) -> Answer:
        await self._check_proxy(sent.headers, client[0] if client else None)
        prepared = self._prepared(sent)
        if isinstance(prepared, Answer):
            return prepared
        text, asked, ip = prepared
        declared, route = self._server.keys.declares_routes, f"{asked.method} {asked.target}"
        checked = await check(self._server, text, ip=ip, endpoint=asked.endpoint, route=route, publishable=declared)
        return self._concluded(sent.query, checked, ip)

    async def _check_proxy(self, headers: Mapping[bytes, bytes], ip: str | None) -> None:
        """Raise ApiError if the proxy must authenticate and does not."""
        if not self._server.forward_auth_key:
            return
        sent = headers.get(_SERVICE)
        presented = presented_in(None if sent is None else f"Bearer {sent.decode('latin-1')}")
        caller = await self._server.callers.verify(presented, ip, f"GET {PATH}")
        require(caller, NEEDS)

    def _prepared(self, sent: _Sent) -> _Presented | Answer:
        """Return what has to be checked, or the answer if nothing has."""
        asked = asked_about(sent)
        if asked is None:
            return _ambiguous(sent.query)
        if _is_preflight(asked, sent.headers):
            return Answer(b"", ACCEPTED)
        if self._header in sent.repeated:
            return _refusal(sent.query, Denied(Reason.unusable_header), self._server.key_header)
        value = sent.headers.get(self._header)
        read = read_authorization if self._header == b"authorization" else read_bare
        presented = read(None if value is None else value.decode("latin-1"))
        if isinstance(presented, Denied):
            return _refusal(sent.query, presented, self._server.key_header)
        return _Presented(presented.text, asked, _client(sent.headers))

    def _concluded(self, query: bytes, checked: Checked, ip: str | None) -> Answer:
        if checked.key is None:
            refused = refused_of(checked, ip)
            if isinstance(refused, Forbidden) and refused.permission is None and refused.key.kind != "publishable":
                return _plain_403(query, "route_unknown", "This request matches no declared route.")
            return _refusal(query, refused, self._server.key_header)
        about, _ = self._about(checked.key)
        return Answer(b"", ACCEPTED, (*about, *_limits(checked.limits)) if checked.limits else about)

    def _about(self, key: Key) -> tuple[Headers, bytes]:
        """Return what the application behind the proxy is told: as headers, and as lines of an answer of its own."""
        return _headers_of(key.id, key.account, self._server.keys.config.environment(key.livemode), key.effective)


@lru_cache(maxsize=4096)
def _headers_of(id: str, account: str, environment: str, permissions: frozenset[str]) -> tuple[Headers, bytes]:
    headers = (
        (b"x-key-id", id.encode()),
        (b"x-key-account", quote(account, safe=_SAFE).encode()),
        (b"x-key-environment", environment.encode()),
        (b"x-key-permissions", quote(" ".join(sorted(permissions)), safe=f"{_SAFE} ").encode()),
    )
    return headers, _lines_of((*headers, *COMMON))


def _lines_of(headers: Headers) -> bytes:
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])


def _sent(scope: Scope) -> _Sent:
    """Return what a proxy sent."""
    names = [name.lower() for name, _ in scope["headers"]]
    headers = dict(zip(names, (value for _, value in scope["headers"]), strict=True))
    repeated = (
        frozenset(name for name in headers if names.count(name) > 1) if len(headers) < len(names) else frozenset()
    )
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    rest = raw.removeprefix(_PATH) if scope["path"] != PATH else b""
    return _Sent(scope["method"], rest, scope["query_string"], headers, repeated)


def asked_about(sent: _Sent) -> Asked | None:
    """Return the request that a proxy asks about; None if it says so in two ways, or incompletely."""
    headers = sent.headers
    original = _ORIGINAL[0] in headers or _ORIGINAL[1] in headers
    forwarded = _FORWARDED[0] in headers or _FORWARDED[1] in headers
    if original + forwarded + bool(sent.rest) > 1:
        return None
    if not (original or forwarded):
        return Asked(sent.method, sent.rest.decode("latin-1") or "/")
    names = _ORIGINAL if original else _FORWARDED
    method, uri = headers.get(names[0]), headers.get(names[1])
    if method is None or uri is None or not sent.repeated.isdisjoint(names):
        return None
    if not method.isalpha() or len(method) > 20:
        return None
    return Asked(method.decode("ascii").upper(), uri.decode("latin-1"))


def _is_preflight(asked: Asked, headers: Mapping[bytes, bytes]) -> bool:
    """Return whether this is a CORS preflight request, which cannot carry a key (Fetch standard)."""
    return asked.method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def _client(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the client's address: the last one in X-Forwarded-For, which the proxy itself has added."""
    return headers.get(b"x-forwarded-for", b"").rpartition(b",")[2].strip().decode("latin-1") or None


def _limits(limits: Sequence[LimitState]) -> Headers:
    return tuple((name.encode(), value.encode()) for name, value in rate_limit_headers(limits))


def _for_nginx(query: bytes) -> bool:
    return b"nginx=1" in query.split(b"&")


def _refusal(query: bytes, refused: Refused, header: str = "authorization") -> Answer:
    """Return the refusal. nginx's auth_request passes on only 401 and 403, so it gets the rest in headers."""
    refusal = for_auth_request(refused) if _for_nginx(query) else rfc6750(refused, header=header)
    return _as_answer(refusal)


def _as_answer(refusal: Refusal) -> Answer:
    ours = ("content-length", "cache-control")
    pairs = tuple((name.encode(), value.encode("latin-1")) for name, value in refusal.headers if name not in ours)
    return Answer(refusal.body, refusal.status, pairs)


def _ambiguous(query: bytes) -> Answer:
    return _plain_403(query, "request_ambiguous", "It is not clear which request this is about.")


def _plain_403(query: bytes, code: str, message: str) -> Answer:
    body = f'{{"error": {{"code": "{code}", "message": "{message}"}}}}'.encode()
    nginx: Headers = ((b"x-key-status", b"403"), (b"x-key-body", body)) if _for_nginx(query) else ()
    return Answer(body, 403, (JSON, *nginx))
