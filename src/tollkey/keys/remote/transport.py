"""Sends requests to the key server with httpx, blocking or not. Redirects are not followed."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

import anyio
import httpx

from tollkey.db import forking
from tollkey.keys.remote.backoff import Backoff
from tollkey.keys.remote.bounded import TimeLeft, bound
from tollkey.keys.remote.errors import RemoteUnavailable
from tollkey.keys.remote.requests import LARGEST_ANSWER, Address, Reply, Request
from tollkey.keys.remote.retries import AGAIN, Attempts, too_late

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0  # seconds between attempts
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Connecting:
    """How the server is reached.

    timeout: seconds for a request with all its attempts. attempts: how often a request is sent at most.
    connections: at once. ssl_context: for example with a certificate authority of your own. monotonic: returns seconds
    of a monotonic clock. sleep: waits that many seconds. chance: returns a number from 0 to 1.
    Raises ValueError for limits that are not above 0.
    """

    timeout: float
    attempts: int
    connections: int
    ssl_context: ssl.SSLContext | None
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]

    def __post_init__(self) -> None:
        if self.timeout <= 0 or self.attempts < 1 or self.connections < 1:
            raise ValueError("timeout, attempts and connections must be above 0")

    def limits(self) -> httpx.Limits:
        """The limits of a connection pool."""
        return httpx.Limits(max_connections=self.connections, max_keepalive_connections=self.connections)

    def verify(self) -> ssl.SSLContext | bool:
        """What httpx verifies certificates with."""
        return True if self.ssl_context is None else self.ssl_context

    def begin(self, request: Request) -> Attempts:
        """Return the attempts of a request that begins now."""
        backoff = Backoff(_FIRST_WAIT, _LONGEST_WAIT, self.chance)
        deadline = self.monotonic() + self.timeout
        return Attempts(backoff, self.attempts, deadline, repeatable=request.repeatable)


class _Body:
    """The body of an answer, as it arrives."""

    def __init__(self, attempts: Attempts, monotonic: Callable[[], float]) -> None:
        self._attempts, self._monotonic = attempts, monotonic
        self.data = bytearray()

    def expect(self, response: httpx.Response) -> None:
        """Look at what the answer says of its body before it is read. Raises RemoteUnavailable."""
        length = response.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > LARGEST_ANSWER:
            raise _too_long()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise RemoteUnavailable("the key server compressed an answer, which was not asked for")

    def add(self, chunk: bytes) -> None:
        """Add what arrived. Raises RemoteUnavailable if it is too much, or too late."""
        self.data += chunk
        self._attempts.remaining(self._monotonic())
        if len(self.data) > LARGEST_ANSWER:
            raise _too_long()


def _too_long() -> RemoteUnavailable:
    return RemoteUnavailable(f"the answer of the key server is longer than {LARGEST_ANSWER} bytes")


def _built(client: httpx.Client | httpx.AsyncClient, address: Address, request: Request, left: float) -> httpx.Request:
    headers = address.headers
    if request.body is not None:
        headers["content-type"] = "application/json"
    if request.idempotency_key is not None:
        headers["idempotency-key"] = request.idempotency_key
    return client.build_request(
        request.method,
        address.url + request.path,
        params=request.parameters or None,
        content=request.content,
        headers=headers,
        timeout=left,
    )


def _reply(response: httpx.Response, body: bytearray) -> Reply:
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, bytes(body))


def _gone(error: Exception) -> RemoteUnavailable:
    """Return the error for one of httpx, without its text: it may repeat the URL or a header."""
    return RemoteUnavailable(
        f"the key server cannot be reached: {type(error).__name__}", sent=not isinstance(error, _NOT_SENT)
    )


class Transport:
    """Sends requests and waits for their answers. Thread-safe. address: the server's. connecting: how to reach it."""

    def __init__(self, address: Address, connecting: Connecting) -> None:
        self._address, self._connecting = address, connecting
        self._client: httpx.Client | None = None
        self._time_left = TimeLeft()
        self._closed = False
        self._lock = threading.Lock()

    def after_fork_in_child(self) -> None:
        """Leave the parent its connections; the first request opens new ones."""
        self._lock = threading.Lock()
        if self._client is not None:
            forking.leak(self._client)
            self._client = None

    def _open(self) -> httpx.Client:
        with self._lock:
            if self._closed:
                raise RemoteUnavailable("it was closed", sent=False)
            if self._client is None:
                connecting = self._connecting
                self._client = httpx.Client(verify=connecting.verify(), limits=connecting.limits())
                bound(self._client, self._time_left)
            return self._client

    def send(self, request: Request) -> Reply:
        """Send a request, and again where that is safe. Raises RemoteUnavailable."""
        connecting = self._connecting
        attempts = connecting.begin(request)
        while True:
            try:
                reply = self._once(request, attempts)
            except RemoteUnavailable as error:
                wait = attempts.wait(connecting.monotonic(), sent=error.sent)
                if wait is None:
                    raise
            else:
                wait = attempts.wait(connecting.monotonic(), sent=True) if reply.status in AGAIN else None
                if wait is None:
                    return reply
            connecting.sleep(wait)

    def _once(self, request: Request, attempts: Attempts) -> Reply:
        client, monotonic = self._open(), self._connecting.monotonic
        body = _Body(attempts, monotonic)

        def left() -> float:
            return attempts.remaining(monotonic())

        try:
            built = _built(client, self._address, request, left())
            with self._time_left.of(left):
                response = client.send(built, stream=True, follow_redirects=False)
                try:
                    body.expect(response)
                    for chunk in response.iter_raw():
                        body.add(chunk)
                finally:
                    response.close()
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, RuntimeError) as error:
            raise _gone(error) from None
        return _reply(response, body.data)

    def close(self) -> None:
        """Close the connections. May be called again."""
        with self._lock:
            self._closed, client, self._client = True, self._client, None
        if client is not None:
            client.close()


class AsyncTransport:
    """Sends requests without blocking, under asyncio or trio, from one event loop.

    address: the server's. connecting: how to reach it.
    """

    def __init__(self, address: Address, connecting: Connecting) -> None:
        self._address, self._connecting = address, connecting
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    def after_fork_in_child(self) -> None:
        """Leave the parent its connections; the first request opens new ones."""
        if self._client is not None:
            forking.leak(self._client)
            self._client = None

    def _open(self) -> httpx.AsyncClient:
        if self._closed:
            raise RemoteUnavailable("it was closed", sent=False)
        if self._client is None:
            connecting = self._connecting
            self._client = httpx.AsyncClient(verify=connecting.verify(), limits=connecting.limits())
        return self._client

    async def send(self, request: Request) -> Reply:
        """Send a request, and again where that is safe. Raises RemoteUnavailable."""
        connecting = self._connecting
        attempts = connecting.begin(request)
        while True:
            try:
                reply = await self._once(request, attempts)
            except RemoteUnavailable as error:
                wait = attempts.wait(connecting.monotonic(), sent=error.sent)
                if wait is None:
                    raise
            else:
                wait = attempts.wait(connecting.monotonic(), sent=True) if reply.status in AGAIN else None
                if wait is None:
                    return reply
            await anyio.sleep(wait)

    async def _once(self, request: Request, attempts: Attempts) -> Reply:
        client, monotonic = self._open(), self._connecting.monotonic
        body = _Body(attempts, monotonic)
        try:
            left = attempts.remaining(monotonic())
            built = _built(client, self._address, request, left)
            with anyio.fail_after(left):  # httpx bounds each read alone
                response = await client.send(built, stream=True, follow_redirects=False)
                try:
                    body.expect(response)
                    async for chunk in response.aiter_raw():
                        body.add(chunk)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise too_late() from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, RuntimeError) as error:
            raise _gone(error) from None
        return _reply(response, body.data)

    async def aclose(self) -> None:
        """Close the connections. May be called again."""
        self._closed, client, self._client = True, self._client, None
        if client is not None:
            await client.aclose()
