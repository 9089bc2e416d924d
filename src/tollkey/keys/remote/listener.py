"""The thread that follows the change stream of the key server, and opens it again when it breaks."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading

import httpx

from tollkey.keys.remote.backoff import Backoff
from tollkey.keys.remote.events import EventParser, StreamBroken
from tollkey.keys.remote.feed import ChangeFeed
from tollkey.keys.remote.requests import Address
from tollkey.keys.remote.transport import Connecting

PATH = "/v1/keys/changes"
SILENT_SECONDS = 2.0  # a stream without a byte for this long is opened again; ticks come several times a second
OLDEST_SECONDS = 600.0  # a stream is opened anew after this long, so that two clocks do not drift apart
_SENDS = "http11.send_request_headers.started"  # of httpx's trace: connected, and about to ask
_log = logging.getLogger(__name__)


class _Unusable(Exception):
    """The answer to the request for the stream is none."""


class Listener:
    """Follows the change stream in a daemon thread, which ``start`` begins.

    address: the server's. feed: is given each event. connecting: how to reach the server.
    """

    def __init__(self, address: Address, feed: ChangeFeed, connecting: Connecting) -> None:
        self._address, self._feed, self._connecting = address, feed, connecting
        self._backoff = Backoff(0.1, 10.0, connecting.chance)
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._socket: socket.socket | None = None
        self._said = ""

    def after_fork_in_child(self) -> None:
        """Start without a thread; ``start`` begins one."""
        stopped = self._stopped.is_set()
        self._feed.lost()
        self._reset()
        if stopped:
            self._stopped.set()

    def start(self) -> None:
        """Begin to follow the stream, unless that was done."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="tollkey-changes", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread. May be called again."""
        self._stopped.set()
        self._hang_up()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(SILENT_SECONDS)

    def _hang_up(self) -> None:
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
                wait = 0.0
            except StreamBroken as error:
                self._feed.lost()
                wait = self._broken(str(error))
            except _Unusable as error:
                wait = self._broken(str(error))
            except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, RuntimeError) as error:
                wait = self._broken(type(error).__name__)
            self._socket = None
            self._stopped.wait(wait)

    def _broken(self, why: str) -> float:
        """Log why the stream ended, once for each reason in a row. Return how long to wait."""
        if why != self._said and not self._stopped.is_set():
            self._said = why
            _log.warning("the change stream of the key server is not heard, so every key is asked for: %s", why)
        return self._backoff.next()

    def _follow(self) -> None:
        """Follow one stream until it ends or is old."""
        monotonic, feed, parser = self._connecting.monotonic, self._feed, EventParser()
        headers = {**self._address.headers, "accept": "text/event-stream"}
        if feed.position is not None:
            headers["last-event-id"] = feed.position
        asked = monotonic()

        def trace(name: str, _: object) -> None:
            nonlocal asked
            if name == _SENDS:
                asked = monotonic()

        with (
            httpx.Client(verify=self._connecting.verify(), timeout=httpx.Timeout(SILENT_SECONDS)) as client,
            client.stream(
                "GET", self._address.url + PATH, headers=headers, follow_redirects=False, extensions={"trace": trace}
            ) as response,
        ):
            _check(response)
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            feed.opened(asked)
            for chunk in response.iter_raw():
                if self._stopped.is_set():
                    return
                now = monotonic()
                for event in parser.feed(chunk):
                    feed.take(event, now)
                    self._heard()
                if now - asked > OLDEST_SECONDS:
                    return
        raise httpx.ReadError("the server ended the stream")

    def _heard(self) -> None:
        self._backoff.reset()
        if self._said:
            self._said = ""
            _log.info("the change stream of the key server is heard again")


def _check(response: httpx.Response) -> None:
    """Raise _Unusable unless this is an event stream."""
    if response.status_code in (401, 403):
        raise _Unusable(f"the service key may not follow the changes of keys (status {response.status_code})")
    if response.status_code != 200:
        raise _Unusable(f"status {response.status_code}")
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/event-stream":
        raise _Unusable("the answer is no event stream")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _Unusable("the stream is compressed")
