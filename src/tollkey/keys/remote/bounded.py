"""Bounds how long a blocking request of httpx takes as a whole.

httpx bounds each read and write alone: a server that sends a byte of its head, or another interim answer, now and then
is never late. Here each of them has what is left for the whole request, and so has the look-up of a name.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from tollkey.keys.deadlines import within


class TimeLeft(threading.local):
    """What is left for the request that this thread sends."""

    _left: Callable[[], float] | None = None

    @contextmanager
    def of(self, left: Callable[[], float]) -> Iterator[None]:
        """Bound what is sent and read in a block. left: returns the seconds that are left; raises if there are none."""
        self._left = left
        try:
            yield
        finally:
            self._left = None

    def at_most(self, timeout: float | None) -> float | None:
        """Return the seconds that one step may take: no more than are left, and no more than ``timeout``."""
        if self._left is None:
            return timeout
        left = self._left()
        return left if timeout is None else min(left, timeout)


def bound(client: httpx.Client, time_left: TimeLeft) -> None:
    """Let each step of a client's requests take no longer than is left for them, also through a proxy."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):  # its pool takes a backend, which httpx has no argument for
            transport._pool._network_backend = _Backend(transport._pool._network_backend, time_left)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, time_left: TimeLeft) -> None:
        self._inner, self._time_left = inner, time_left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._time_left.at_most(timeout)
        late = threading.Event()

        def connect() -> httpcore.NetworkStream:
            made = self._inner.connect_tcp(host, port, left, local_address, socket_options)
            if late.is_set():
                made.close()
            return made

        if left is None:
            return _Stream(connect(), self._time_left)
        try:
            return _Stream(within(left, connect), self._time_left)
        except TimeoutError:
            late.set()
            raise httpcore.ConnectTimeout("no connection was made in time") from None

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        made = self._inner.connect_unix_socket(path, self._time_left.at_most(timeout), socket_options)
        return _Stream(made, self._time_left)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, time_left: TimeLeft) -> None:
        self._inner, self._time_left = inner, time_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._time_left.at_most(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._time_left.at_most(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        made = self._inner.start_tls(ssl_context, server_hostname, self._time_left.at_most(timeout))
        return _Stream(made, self._time_left)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
