"""A small HTTP load generator: as many requests as a few keep-alive connections can carry, in one process.

It parses no more of an answer than its length, so that the server is what is measured.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_LAST_CHUNK = b"\r\n0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


class Result(NamedTuple):
    """What a run came to. seconds: its length. p50, p99: milliseconds a request. errors: answers of 400 and more."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    def __init__(self, make: Iterator[bytes], until: float, took: list[float], done: asyncio.Future[int]) -> None:
        self._make, self._until, self._took, self._done = make, until, took, done
        self._buffer = b""
        self._errors = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._at = time.perf_counter()
        self._transport.write(next(self._make))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        match = _LENGTH.search(self._buffer, 0, head + 2)
        if match is None:  # in chunks
            if not self._buffer.endswith(_LAST_CHUNK):
                return
        elif len(self._buffer) < head + 4 + int(match[1]):
            return
        now = time.perf_counter()
        self._took.append(now - self._at)
        if self._buffer[9:10] >= b"4":
            self._errors += 1
        self._buffer = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(self._errors)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the server closed the connection"))


async def _drive(
    host: str, port: int, make: Callable[[int], Iterator[bytes]], connections: int, seconds: float
) -> Result:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    began = time.perf_counter()
    until = began + seconds
    endings = []
    for number in range(connections):
        done: asyncio.Future[int] = loop.create_future()
        endings.append(done)
        source = make(number)
        await loop.create_connection(
            lambda source=source, done=done: _Connection(source, until, took, done), host, port
        )  # type: ignore[misc]
    errors = sum(await asyncio.gather(*endings))
    length = time.perf_counter() - began
    took.sort()
    return Result(len(took), length, took[len(took) // 2] * 1e3, took[int(len(took) * 0.99)] * 1e3, errors)


def drive(host: str, port: int, make: Callable[[int], Iterator[bytes]], connections: int, seconds: float) -> Result:
    """Send what ``make(connection number)`` yields over so many connections for so many seconds."""
    return asyncio.run(_drive(host, port, make, connections, seconds))


def same(message: bytes) -> Callable[[int], Iterator[bytes]]:
    """The same request over and over."""
    return lambda number: itertools.repeat(message)


def in_turn(messages: Sequence[bytes]) -> Callable[[int], Iterator[bytes]]:
    """These requests in turn; each connection begins at another one."""
    return lambda number: itertools.islice(itertools.cycle(messages), number * 7 % len(messages), None)
