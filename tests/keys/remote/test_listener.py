"""The thread that follows the change stream: it opens it again where it broke, and stops when it is told to."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.keys.remote.scripted import Scripted, reply, scripted, verdict
from tollkey.keys.lease import Lease
from tollkey.keys.remote.cache import AnswerCache
from tollkey.keys.remote.feed import ChangeFeed
from tollkey.keys.remote.freshness import Freshness
from tollkey.keys.remote.listener import OLDEST_SECONDS, Listener
from tollkey.keys.remote.requests import Address
from tollkey.keys.remote.transport import Connecting

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Streams:
    """What a server sends on its streams, piece by piece; None ends one, and only then does the next one begin."""

    def __init__(self) -> None:
        self.pieces: queue.Queue[bytes | None] = queue.Queue()
        self._one = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        with self._one:
            while (piece := self.pieces.get()) is not None:
                connection.sendall(piece)

    def tick(self, position: str, at: float = 0.0) -> None:
        self.pieces.put(b'event: tick\nid: %b\ndata: {"at": %f}\n\n' % (position.encode(), at))


class Scene:
    """A listener and the server that it follows. now: the client's clock, which stands still."""

    def __init__(self, server: Scripted) -> None:
        self.server, self.streams, self.now = server, Streams(), 100.0
        server.stream = self.streams
        self.freshness = Freshness(Lease())
        self.feed = ChangeFeed(AnswerCache(10), self.freshness)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        connecting = Connecting(2.0, 1, 1, context, lambda: self.now, lambda seconds: None, lambda: 0.0)
        self.listener = Listener(Address(server.url, "rk_live_service"), self.feed, connecting)

    def until(self, happened: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not happened():
            assert time.monotonic() < end, (self.server.requests, self.feed.position)
            threading.Event().wait(0.005)

    def asked_after(self) -> list[str | None]:
        return [headers.get("last-event-id") for headers in self.server.headers]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with scripted(reply(verdict())) as server:
        scene = Scene(server)
        yield scene
        scene.streams.pieces.put(None)
        scene.listener.stop()


def test_it_hears_and_goes_on_where_the_stream_broke(scene: Scene) -> None:
    scene.streams.pieces.put(HEAD)
    scene.streams.tick("p1")
    scene.listener.start()
    scene.listener.start()
    scene.until(lambda: scene.feed.position == "p1")
    assert scene.freshness.fresh(100.9)
    for piece in (None, HEAD):
        scene.streams.pieces.put(piece)
    scene.streams.tick("p2")
    scene.until(lambda: scene.feed.position == "p2")
    assert scene.asked_after() == [None, "p1"]
    assert scene.server.headers[0]["authorization"] == "Bearer rk_live_service"
    assert scene.server.headers[0]["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    "piece",
    [HEAD + b"data: " + b"x" * 100_000, HEAD + b"event: tick\ndata: {}\n\n", HEAD + b'event: change\ndata: "\n\n'],
    ids=["a huge line", "a tick without a time", "no JSON"],
)
def test_a_stream_that_is_not_understood_is_opened_anew_from_the_beginning(scene: Scene, piece: bytes) -> None:
    scene.streams.pieces.put(HEAD)
    scene.streams.tick("p1")
    scene.listener.start()
    scene.until(lambda: scene.feed.position == "p1")
    scene.streams.pieces.put(piece.removeprefix(HEAD))
    scene.until(lambda: scene.feed.position is None)
    assert not scene.freshness.fresh(scene.now)
    for each in (None, HEAD):
        scene.streams.pieces.put(each)
    scene.streams.tick("p2")
    scene.until(lambda: scene.feed.position == "p2")
    assert scene.asked_after()[-1] is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
    ],
    ids=["nothing", "503", "403", "a page", "compressed", "a redirect"],
)
def test_what_is_no_stream_is_asked_for_again_and_what_was_heard_stays(
    scene: Scene, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    scene.streams.pieces.put(HEAD)
    scene.streams.tick("p1")
    scene.listener.start()
    scene.until(lambda: scene.feed.position == "p1")
    for piece in (None, answer, None, HEAD):
        scene.streams.pieces.put(piece)
    scene.streams.tick("p2")
    scene.until(lambda: scene.feed.position == "p2")
    assert scene.asked_after() == [None, "p1", "p1"]
    assert "is not heard, so every key is asked for" in caplog.text


def test_a_stream_that_is_old_is_opened_anew_without_a_gap(scene: Scene) -> None:
    scene.streams.pieces.put(HEAD)
    scene.streams.tick("p1")
    scene.listener.start()
    scene.until(lambda: scene.feed.position == "p1")
    scene.now += OLDEST_SECONDS + 1
    scene.streams.tick("p2", at=OLDEST_SECONDS + 1)
    for piece in (None, HEAD):
        scene.streams.pieces.put(piece)
    scene.streams.tick("p3")
    scene.until(lambda: scene.feed.position == "p3")
    assert scene.asked_after() == [None, "p2"]


def test_it_stops_although_the_server_says_nothing(scene: Scene) -> None:
    scene.streams.pieces.put(HEAD)
    scene.streams.tick("p1")
    scene.listener.start()
    scene.until(lambda: scene.feed.position == "p1")
    thread = scene.listener._thread
    assert thread is not None
    scene.listener.stop()
    assert not thread.is_alive()
    scene.listener.start()
    assert len(scene.server.requests) == 1
