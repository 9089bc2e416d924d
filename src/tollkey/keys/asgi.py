"""Keys in front of any ASGI application (ASGI 3.0), under asyncio or trio."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, TypeVar

from tollkey.keys.gate import Gate
from tollkey.keys.key import Denied, Key
from tollkey.keys.once import one_request
from tollkey.keys.refusal import Refusal

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[AsgiScope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

_KEY, _SERVICE = "tollkey.key", "tollkey.service"
_HTTP_RESPONSE = "websocket.http.response"  # the extension "WebSocket Denial Response"
_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


class KeyGate(Gate[App, AsgiScope]):
    """Lets a request through when its key may do it; the application finds the key in ``scope["tollkey.key"]``.

    The arguments are those of ``Gate``, with the ASGI scope as what is asked. The scope is handed on itself, not a
    copy: what the application writes into it (its route, say) can be seen by what stands around the gate. A gate within
    another of the same ``KeyService`` judges the key that the outer one accepted. A refused WebSocket is answered as an
    HTTP request would be where the server has the extension ``websocket.http.response``; else it is closed with 1008
    before it opens.
    """

    @staticmethod
    def client_of(asked: AsgiScope) -> str | None:
        """The address of the other end of the connection."""
        client = asked.get("client")
        return client[0] if client else None

    @staticmethod
    def endpoint_of(asked: AsgiScope) -> str:
        """Method and path, for example ``GET /reports``; ``WEBSOCKET /live`` for a WebSocket."""
        return f"{asked.get('method', 'WEBSOCKET')} {asked['path']}"

    @staticmethod
    def method_of(asked: AsgiScope) -> str:
        """The method in capitals, GET for HEAD and for the handshake of a WebSocket (RFC 6455 section 4.1)."""
        method: str = asked.get("method", "GET").upper()
        return "GET" if method == "HEAD" else method

    def _as_get(self, asked: AsgiScope) -> AsgiScope:
        method = self.method_of(asked)
        return asked if asked.get("method") == method else {**asked, "method": method}

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"KeyGate does not know connections of the type {scope['type']!r} and lets none through")
        if (self._open_to is not None and self._open_to(scope)) or (self._preflights and _is_preflight(scope)):
            await self._app(scope, receive, send)
            return
        with one_request():
            answer = self._judged(scope, await self._verify(scope))
            if isinstance(answer, Key):
                self._hand_over(scope, answer)
                await self._app(scope, receive, send)
                return
        refusal = answer if isinstance(answer, Refusal) else self._on_denied(answer)
        if scope["type"] == "http":
            await _answer(refusal, send, scope["method"] == "HEAD")
        else:
            await _answer_socket(refusal, scope, receive, send)

    def _hand_over(self, scope: AsgiScope, key: Key) -> None:
        scope[_KEY], scope[_SERVICE] = key, self._keys
        if not self._keep_header:
            name = self._header.encode("latin-1")
            scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() != name]

    async def _verify(self, scope: AsgiScope) -> Key | Denied:
        if scope.get(_SERVICE) is self._keys:  # a gate around this one has accepted it
            accepted: Key = scope[_KEY]
            return accepted
        presented = self._presented(_headers(scope, self._header.encode("latin-1")))
        if isinstance(presented, Denied):
            return presented
        ip, endpoint = self._client_ip(scope), self._endpoint_for(scope)
        answer = self._keys.verify_cached(presented.text, ip, endpoint)
        if answer is None:  # it may wait for the disk or the network: not on the event loop
            answer = await _in_thread(partial(self._keys.verify, presented.text, ip=ip, endpoint=endpoint))
        return answer


def _headers(scope: AsgiScope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _is_preflight(scope: AsgiScope) -> bool:
    """Whether a browser asks if a page may send a request (Fetch standard, "CORS-preflight request")."""
    if scope.get("method") != "OPTIONS":
        return False
    return bool(_headers(scope, b"origin") and _headers(scope, b"access-control-request-method"))


async def _in_thread(call: Callable[[], T]) -> T:
    """Run a call that may wait on a thread, with the context of this request, under whichever event loop this is."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        waited: T = await trio.to_thread.run_sync(call)
        return waited
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(None, partial(context.run, call))


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
