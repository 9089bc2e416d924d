"""Sends requests over connections that are kept, a few tens of microseconds each.

httpx takes about a millisecond for a request, which bounded a node to some hundred deliveries a second. Responses are
read by httptools, the parser of the HTTP server. Redirects are not followed, and only the beginning of a response is
read. Where the environment names an HTTP proxy, ``over_httpx`` is used instead.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeAlias, cast
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies

import httptools

_IDLE_SECONDS = 30.0
_LIFE_SECONDS = 60.0  # of a connection, however much it is used: then the host's name is resolved again
_MOST_IDLE = 256  # connections, of all hosts
_LARGEST_HEAD = 64 * 1024  # bytes of a response besides its body: the parser keeps a header, however long it is
_SAFE = "%/:@!$&'()*+,;=~-._?[]"
_HOST = re.compile(r"[0-9A-Za-z._:-]+")


Ready: TypeAlias = Callable[[], Awaitable[None]]


class NotSent(OSError):
    """No byte of the request has left: the other side cannot have done anything."""


class Answer(NamedTuple):
    """A response. The body is not part of the repr.

    headers: names in lower case, in the order in which they came, repeated ones apart, without trailers.
    whole: whether the body is all of it.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    whole: bool = True

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, whole={self.whole})"


class Poster(Protocol):
    """Sends requests."""

    async def exchange(
        self, method: str, base: str, target: bytes, body: bytes, headers: Mapping[str, str], most: int,
        ready: Ready | None = None,
    ) -> Answer:  # fmt: skip
        """Send a request and return the response.

        base: scheme, host and port. target: path and query, sent as they are; without spaces and control characters.
        most: bytes of the response's body to read. The caller bounds the time. ready: awaited once there is a
        connection, before the first byte leaves; where it raises, nothing is sent.
        Raises NotSent when nothing was sent; another OSError when something may have been; what ``ready`` raises.
        """

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], most: int) -> tuple[int, bytes]:
        """Send a POST request and return the status and the beginning of the response's body.

        most: bytes of the body to read. The caller bounds the time. Raises OSError, ValueError.
        """

    async def aclose(self) -> None:
        """Close the connections."""

    @property
    def is_closed(self) -> bool:
        """Whether ``aclose`` was called."""


def usual() -> Poster:
    """Return what sends requests: kept connections, or httpx where the environment names an HTTP proxy."""
    return cast(Poster, _over_httpx().usual()) if getproxies() else Connections()


def _over_httpx() -> Any:
    """Import what uses httpx, which takes 5 MB: few servers need it."""
    return import_module("tollkey.outbox.over_httpx")


class _Address(NamedTuple):
    """Where a URL leads. target: its path and query. head: the headers that say where a request goes."""

    origin: tuple[str, int, bool]
    target: bytes
    head: bytes


@lru_cache(maxsize=1_000)
def _address(url: str) -> _Address:
    """Raises ValueError for a URL that no request can be sent to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the URL is not an http or https URL")
    host = parts.hostname.encode("idna").decode()
    if not _HOST.fullmatch(host):
        raise ValueError("the URL has no valid host")
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    shown = f"[{host}]" if ":" in host else host
    named = shown if port == (443 if tls else 80) else f"{shown}:{port}"
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    head = f"Host: {named}\r\n"
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        head += f"Authorization: Basic {b64encode(pair).decode()}\r\n"
    return _Address((host, port, tls), target.encode("ascii"), head.encode("ascii"))


def _request(method: str, target: bytes, head: bytes, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a request. head: the headers that say where it goes."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
    first = b"%b %b HTTP/1.1\r\n" % (method.encode("ascii"), target)
    return b"%b%b%bContent-Length: %d\r\n\r\n%b" % (first, head, lines, len(body), body)


class _Connection(asyncio.Protocol):
    """A connection, with at most one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[Answer] | None = None
        self.open = True
        self.heard = False  # whether any byte of the response has arrived
        self.idle_since = 0.0
        self.ends_at = asyncio.get_running_loop().time() + _LIFE_SECONDS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    async def send(self, request: bytes, most: int) -> Answer:
        """Send a request and return the answer. A connection that cannot be used again is closed."""
        assert self._transport is not None
        self._parser, self._most = httptools.HttpResponseParser(self), most
        self._body, self._status, self.heard, self._unbounded = bytearray(), 0, False, True
        self._received, self._headers = 0, list[tuple[bytes, bytes]]()
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._answered
        except BaseException:
            self.close()
            raise
        finally:
            self._answered = None

    def close(self) -> None:
        """End the connection without waiting for anything."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        if self._answered is None or self._answered.done():
            self.close()  # what nobody has asked for
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as problem:
            self._fail(ConnectionError(f"the response is not HTTP: {problem}"))
        else:
            if len(self._body) > self._most:
                self._answer(reusable=False)
            elif self._received - len(self._body) > _LARGEST_HEAD + len(self._body):  # chunks have heads too
                self._fail(ConnectionError("the head of the response is too large"))

    def connection_lost(self, problem: Exception | None) -> None:
        self.open = False
        self._fail(problem or ConnectionError("the connection was closed before the response was complete"))

    def eof_received(self) -> None:
        if self._status and self._unbounded:
            self._answer(reusable=False)  # a body without a length ends with its connection

    def _fail(self, problem: Exception) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(problem)

    def _answer(self, *, reusable: bool) -> None:
        if self._answered is not None and not self._answered.done():
            body, whole = bytes(self._body[: self._most]), len(self._body) <= self._most
            self._answered.set_result(Answer(self._status, self._headers, body, whole))
            if not reusable:
                self.close()

    # -- called by the parser

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:
            return  # a trailer
        name = name.lower()
        self._unbounded &= name not in (b"content-length", b"transfer-encoding")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_body(self, part: bytes) -> None:
        if len(self._body) <= self._most:
            self._body += part

    def on_message_complete(self) -> None:
        if self._status < 200:  # 100 Continue and the like are followed by the response
            self._status, self._headers, self._unbounded = 0, [], True
        else:
            self._answer(reusable=self._parser.should_keep_alive())


class Connections:
    """Sends requests; keeps connections that can be used again, up to 256, for 30 seconds without use and 60 in all.

    A host that has moved, by its name, is so found within a minute, however busy its connections are.
    """

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int, bool], deque[_Connection]] = {}
        self._count = 0
        self._closed = False
        self._tls: ssl.SSLContext | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], most: int) -> tuple[int, bytes]:
        """See ``Poster.post``. A kept connection that was closed meanwhile is replaced once."""
        address = _address(url)
        request = _request("POST", address.target, address.head, body, headers)
        kept = self._take(address.origin)
        if kept is not None:
            try:
                answer = await self._send(kept, address, request, most)
                return answer.status, answer.body
            except OSError:
                if kept.heard:
                    raise
        answer = await self._send(await self._connect(address), address, request, most)
        return answer.status, answer.body

    async def exchange(
        self, method: str, base: str, target: bytes, body: bytes, headers: Mapping[str, str], most: int,
        ready: Ready | None = None,
    ) -> Answer:  # fmt: skip
        """See ``Poster.exchange``. Nothing is sent twice."""
        try:
            if any(byte <= 0x20 or byte == 0x7F for byte in target):
                raise ValueError("the target contains a space or a control character")
            address = _address(base)
            request = _request(method, target, address.head, body, headers)
            connection = self._take(address.origin) or await self._connect(address)
        except (OSError, ValueError) as problem:
            raise NotSent(str(problem)) from None
        if ready is not None:
            try:
                await ready()
            except BaseException:
                connection.close()
                raise
        return await self._send(connection, address, request, most)

    async def _send(self, connection: _Connection, address: _Address, request: bytes, most: int) -> Answer:
        answer = await connection.send(request, most)
        now = asyncio.get_running_loop().time()
        if connection.open and now < connection.ends_at and self._count < _MOST_IDLE and not self._closed:
            connection.idle_since = now
            self._idle.setdefault(address.origin, deque()).append(connection)
            self._count += 1
        else:
            connection.close()
        return answer

    def _take(self, origin: tuple[str, int, bool]) -> _Connection | None:
        """Return the kept connection to a host that was used last."""
        idle, now = self._idle.get(origin), asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            self._count -= 1
            if connection.open and now < min(connection.ends_at, connection.idle_since + _IDLE_SECONDS):
                return connection
            connection.close()
        self._idle.pop(origin, None)
        return None

    async def _connect(self, address: _Address) -> _Connection:
        host, port, tls = address.origin
        if self._count >= _MOST_IDLE:
            self._close_idle()
        if tls and self._tls is None:
            self._tls = _over_httpx().tls()
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, host, port, ssl=self._tls if tls else None
        )
        return connection

    def _close_idle(self) -> None:
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()
        self._count = 0

    async def aclose(self) -> None:
        """See ``Poster.aclose``."""
        self._closed = True
        self._close_idle()

    @property
    def is_closed(self) -> bool:
        """See ``Poster.is_closed``."""
        return self._closed
