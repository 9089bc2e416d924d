"""Middleware that authenticates API keys for any ASGI application (ASGI 3.0), under asyncio or trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from tollkey.keys.accepted import Accepted
from tollkey.keys.carried import ACCEPTED, carried, carry
from tollkey.keys.gate import Gate
from tollkey.keys.guard import Plan
from tollkey.keys.needs import MissingParameter, Need
from tollkey.keys.once import one_request
from tollkey.keys.refusal import Refusal, Refused

__all__ = ["KeyGate"]

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

_HTTP_RESPONSE = "websocket.http.response"  # the extension "WebSocket Denial Response"
_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


class KeyGate(Gate[App, AsgiScope]):
    """ASGI middleware that passes a request on if its key has the required permission, and answers it otherwise.

    The application finds the ``Key`` in ``scope["tollkey.key"]``. The arguments are those of ``Gate``; its callbacks
    are given the ASGI scope. The scope is passed on itself, not a copy, so that outer middleware sees what the
    application writes into it. A gate inside another gate of the same ``KeyService`` checks the key that the outer
    one verified.

    A refused WebSocket gets an HTTP response if the server has the extension ``websocket.http.response``; otherwise it
    is closed with code 1008 before it is accepted. Raises RuntimeError for connection types other than http, websocket
    and lifespan.
    """

    @staticmethod
    def client_of(scope: AsgiScope) -> str | None:
        """Return the IP address of the connection's other end, if known."""
        client = scope.get("client")
        return client[0] if client else None

    @staticmethod
    def endpoint_of(scope: AsgiScope) -> str:
        """Return method and path, for example ``GET /reports``; ``WEBSOCKET /live`` for a WebSocket."""
        return f"{scope.get('method', 'WEBSOCKET')} {scope['path']}"

    @staticmethod
    def path_of(scope: AsgiScope) -> str:
        """Return the path, decoded as UTF-8, without the query."""
        path: str = scope["path"]
        return path

    @staticmethod
    def method_of(scope: AsgiScope) -> str:
        """Return the method in capitals; GET for HEAD and for a WebSocket handshake (RFC 6455 section 4.1)."""
        method: str = scope.get("method", "GET").upper()
        return "GET" if method == "HEAD" else method

    @staticmethod
    def parameters_of(scope: AsgiScope) -> Mapping[str, object]:
        """Return what a router outside of the gate found in the path: Starlette, FastAPI and Litestar do."""
        parameters: Mapping[str, object] = scope.get("path_params") or {}
        return parameters

    def _as_get(self, scope: AsgiScope) -> AsgiScope:
        method = self.method_of(scope)
        return scope if scope.get("method") == method else {**scope, "method": method}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"KeyGate does not support connections of type {scope['type']!r} and refuses them")
        preflight = self._preflights and scope.get("method") == "OPTIONS" and _is_preflight(scope)
        if preflight or (self._open_to is not None and self._open_to(scope)):
            await self._app(scope, receive, send)
            return
        with one_request():
            need = self._only_need or self._need(scope)
            value, others = only_value(scope["headers"], self._header_name)
            short = need.short if need is not None and self._route_for is None and ACCEPTED not in scope else None
            if value is not None and short is not None:
                known = short.accept(value, self._client_ip(scope), self._endpoint_for(scope))
                if known is not None:
                    self._attach(scope, known, others)
                    await self._app(scope, receive, send)
                    return
            wanted: Need[AsgiScope] = need or self._unknown
            asked = self._asked(scope, headers_of(scope, self._header_name))
            earlier = carried(scope, self._keys)  # by an outer gate
            try:
                found: Accepted | Refused | Plan | None
                if earlier is not None:
                    found = await self._guard.acheck_again(earlier, asked, wanted)
                else:
                    found = self._guard.check_at_once(asked, wanted)
                if isinstance(found, Plan):
                    found = await self._guard.acheck_planned(found, asked, wanted)
                answer = self._concluded(found, need)
            except MissingParameter as problem:
                answer = self._fault(problem)
            if isinstance(answer, Accepted):
                self._attach(scope, answer, others)
                await self._app(scope, receive, with_headers(send, answer) if answer.limits else send)
                return
        if scope["type"] == "http":
            await _answer(answer, send, scope["method"] == "HEAD")
        else:
            await _answer_socket(answer, scope, receive, send)

    def _attach(self, scope: AsgiScope, accepted: Accepted, others: list[tuple[bytes, bytes]]) -> None:
        carry(scope, self._keys, accepted)
        if not self._keep_header:
            scope["headers"] = others


def with_headers(send: Send, accepted: Accepted) -> Send:
    """Return ``send`` with the header fields about limits added to a response that lacks them."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            sent = list(message.get("headers") or ())
            if not any(name.lower() == b"ratelimit" for name, _ in sent):
                sent += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in accepted.headers]
            message = {**message, "headers": sent}
        await send(message)

    return sending


def headers_of(scope: AsgiScope, name: bytes) -> list[str]:
    """Return the values of a header. name: in lower case."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def only_value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> tuple[bytes | None, list[tuple[bytes, bytes]]]:
    """Return the value of a header and all other headers. The value is None if it is not sent, or several times.

    name: in lower case.
    """
    values, others = [], []
    for pair in headers:
        if pair[0].lower() == name:
            values.append(pair[1])
        else:
            others.append(pair)
    return values[0] if len(values) == 1 else None, others


def _is_preflight(scope: AsgiScope) -> bool:
    """Return whether a request with the method OPTIONS is a preflight (Fetch standard, "CORS-preflight request")."""
    return bool(headers_of(scope, b"origin") and headers_of(scope, b"access-control-request-method"))


def _head(refusal: Refusal) -> dict[str, Any]:
    return {
        "status": refusal.status,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in refusal.headers],
    }


async def _answer(refusal: Refusal, send: Send, head_only: bool) -> None:
    await send({"type": "http.response.start", **_head(refusal)})
    await send({"type": "http.response.body", "body": b"" if head_only else refusal.body})


async def _answer_socket(refusal: Refusal, scope: AsgiScope, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    if _HTTP_RESPONSE in (scope.get("extensions") or {}):
        await send({"type": f"{_HTTP_RESPONSE}.start", **_head(refusal)})
        await send({"type": f"{_HTTP_RESPONSE}.body", "body": refusal.body})
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
