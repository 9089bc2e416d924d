"""Ends connections whose client keeps the server waiting: for a request, for the rest of one, for room to answer.

Looked at once a second for all connections, so that a request costs nothing for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Literal, Protocol

Awaited = Literal["", "request", "body", "reader"]

BODY_RATE = 1000  # bytes: each of these buys a body one more second


class Connection(Protocol):
    """What is asked of a connection.

    stalled: what the sweeper has seen last, and since when; belongs to it.
    """

    stalled: tuple[tuple[Awaited, int], float] | None

    def awaits(self) -> tuple[Awaited, int, int]:
        """Return what the server waits for ("" for nothing), a number that changes with progress, bytes received."""

    def end_slow(self, awaited: Awaited) -> None:
        """Answer, where that is possible, and end the connection."""


class Sweeper:
    """Looks for connections that have kept the server waiting for too long.

    receive_seconds: until a request has arrived; a body has a second more for each ``BODY_RATE`` bytes that arrived.
    send_seconds: without reading anything of a response. now: returns seconds of a monotonic clock.
    """

    def __init__(self, receive_seconds: float, send_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._receive_seconds, self._send_seconds, self._now = receive_seconds, send_seconds, now

    def sweep(self, connections: Iterable[Connection]) -> int:
        """End the connections whose time is over, and return how many. Called about once a second."""
        now, ended = self._now(), 0
        for connection in connections:
            awaited, mark, received = connection.awaits()
            if not awaited:
                connection.stalled = None
                continue
            seen = connection.stalled
            if seen is None or seen[0] != (awaited, mark):
                connection.stalled = ((awaited, mark), now)
            elif now - seen[1] >= self._most(awaited, received):
                connection.end_slow(awaited)
                ended += 1
        return ended

    def _most(self, awaited: Awaited, received: int) -> float:
        return self._send_seconds if awaited == "reader" else self._receive_seconds + received / BODY_RATE
