"""The API as an ASGI 3 application for HTTP. No other file of this package knows ASGI.

It uses no web framework: routing is done by ``wire.router``, and a framework's request and response objects
would cost as much time as the rest of a request (ARCHITECTURE.md, "Decisions").
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import partial
from typing import Any

from tollkey.db import StorageError
from tollkey.wire._incoming import Incoming, Receive
from tollkey.wire.messages import COMMON, Request, Response, Rest
from tollkey.wire.service import Service

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]
Whole = tuple[int, bytes, bytes]  # status, header lines, body

_LONGEST_URI = 16 * 1024  # bytes
_COMMON = [(name.lower().encode(), value.encode()) for name, value in COMMON.items()]
_COMMON_NAMES = frozenset(name for name, _ in _COMMON)
_JSON = (b"content-type", b"application/json")
_HEAD = b"".join(b"%b: %b\r\n" % pair for pair in (*_COMMON, _JSON))

log = logging.getLogger("tollkey.wire")


def headers_of(sent: Headers) -> dict[str, str]:
    """Return the request's headers, names in lower case.

    Repeated headers are joined as a list (RFC 9110, section 5.3), so two Authorization headers are no valid key.
    """
    headers: dict[str, str] = {}
    for raw, value in sent:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        if name in headers:
            text = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{text}"
        headers[name] = text
    return headers


def forwarded(sent: Headers, ip: str | None, secure: bool) -> tuple[str | None, bool]:
    """Return the client's address and whether it used HTTPS, from the ``X-Forwarded-*`` headers of a trusted proxy.

    Only the last entry of the last header was written by the proxy; a client can forge those before it.
    ip, secure: of the connection, returned when the headers are missing.
    """
    said: dict[bytes, str] = {name: value.decode("latin-1") for name, value in sent if name.startswith(b"x-forwarded-")}
    if b"x-forwarded-for" not in said:
        return ip, secure
    own = {name: value.rpartition(",")[2].strip() for name, value in said.items()}
    return own[b"x-forwarded-for"], own.get(b"x-forwarded-proto") == "https"


def header_value(value: str) -> str:
    """Return a header's value without CR, LF and NUL, which could start another header."""
    return value.replace("\r", "").replace("\n", "").replace("\0", "") if not value.isprintable() else value


def _header_lines(response: Response) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response but for its length, names in lower case."""
    own = [
        (name.lower().encode("latin-1"), header_value(value).encode("latin-1", "replace"))
        for name, value in response.headers.items()
    ]
    if any(name in _COMMON_NAMES for name, _ in own):  # hosted pages have their own Content-Security-Policy
        said = {name for name, _ in own}
        headers = [pair for pair in _COMMON if pair[0] not in said] + own
    else:
        headers = _COMMON + own
    headers.append(
        _JSON
        if response.content_type == "application/json"
        else (b"content-type", response.content_type.encode("latin-1"))
    )
    return headers


def _whole(response: Response) -> Whole:
    """Return status, header lines and body of a response that has no further pieces."""
    if response.content_type == "application/json":
        own = "".join([f"{name.lower()}: {header_value(value)}\r\n" for name, value in response.headers.items()])
        lines = _HEAD + own.encode("latin-1", "replace")
    else:
        lines = b"".join([b"%b: %b\r\n" % pair for pair in _header_lines(response)])
    return response.status, b"%bcontent-length: %d\r\n" % (lines, len(response.body)), response.body


class WireApp:
    """Converts ASGI messages to requests, and responses to ASGI messages.

    trust_proxy: take the client's address and scheme from the ``X-Forwarded-*`` headers of a proxy.
    """

    def __init__(self, service: Service, trust_proxy: bool = False) -> None:
        self._service, self._trust_proxy = service, trust_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = headers_of(scope["headers"])
            incoming = Incoming(receive, headers)
            await self._give(scope, send, await self._answer(scope, headers, incoming), incoming.ends_soon)

    def at_once(self, target: bytes, sent: Headers, ip: str | None, secure: bool) -> Whole | None:
        """Answer a GET without a body, without awaiting anything, so that the HTTP server need not start a task.

        target: path and query as sent. sent: headers, names in lower case. ip, secure: of the connection.
        Returns status, header lines and body, or None when the request must go through ``__call__``.
        """
        if not self._service.edge.reads_at_once or len(target) > _LONGEST_URI:
            return None
        if self._trust_proxy:
            ip, secure = forwarded(sent, ip, secure)
        path, _, query = target.partition(b"?")
        try:
            response = self._service.at_once(
                Request("GET", path.decode("latin-1"), query, headers_of(sent), b"", ip, secure)
            )
        except StorageError:  # ``__call__`` produces the error response
            return None
        except Exception:
            log.exception("GET at once")
            return None
        return None if response is None else _whole(response)

    def soon(self, target: bytes, sent: Headers, ip: str | None, secure: bool, give: Callable[[Whole], None]) -> bool:
        """Answer a GET without a body later, but without a task; return False when it must go through ``__call__``.

        The other arguments are those of ``at_once``. give: called with what that returns.
        """
        if self._service.edge.ask is None or len(target) > _LONGEST_URI:
            return False
        if self._trust_proxy:
            ip, secure = forwarded(sent, ip, secure)
        path, _, query = target.partition(b"?")
        request = Request("GET", path.decode("latin-1"), query, headers_of(sent), b"", ip, secure)
        try:
            return self._service.soon(request, lambda response: give(_whole(response)))
        except Exception:
            log.exception("GET soon")
            return False

    async def _answer(self, scope: Scope, headers: dict[str, str], incoming: Incoming) -> Response:
        method = scope["method"]
        raw = scope.get("raw_path")
        path = scope["path"] if raw is None else raw.decode("latin-1")
        if len(path) + len(scope["query_string"]) > _LONGEST_URI:
            return Response(414, b"", content_type="text/html")
        if method == "OPTIONS":
            asked = headers.get("access-control-request-headers")
            return Response(200, b"", {"Access-Control-Allow-Headers": asked} if asked else {})
        client = scope.get("client")
        ip, secure = (client[0] if client else None), scope.get("scheme") == "https"
        if self._trust_proxy:
            ip, secure = forwarded(scope["headers"], ip, secure)
        return await self._service.answer(
            Request(method, path, scope["query_string"], headers, b"", ip, secure, incoming=incoming)
        )

    async def _give(self, scope: Scope, send: Send, response: Response, stays: bool) -> None:
        headers = _header_lines(response)
        headers.append((b"content-length", b"%d" % response.length))
        if not stays:  # most of the request's body will not be read
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        whole = scope["method"] == "HEAD" or response.rest is None
        await send(
            {
                "type": "http.response.body",
                "body": b"" if scope["method"] == "HEAD" else response.body,
                "more_body": not whole,
            }
        )
        if not whole and response.rest is not None:
            await self._give_rest(send, response.rest)

    async def _give_rest(self, send: Send, rest: Rest) -> None:
        """Send the remaining pieces; back-pressure of ``send`` delays the next read, so only one piece is in memory."""
        for number in range(1, rest.pieces):
            piece = await self._service.edge.read(partial(rest.read, number), single=True)
            await send({"type": "http.response.body", "body": piece, "more_body": number + 1 < rest.pieces})
