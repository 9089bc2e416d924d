"""The time of a request is that of all its steps together, also when each of them is short."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.keys.remote.conftest import TEXT
from tests.keys.remote.scripted import Scripted, reply, scripted, verdict
from tollkey.keys import Checked, Reason
from tollkey.keys.remote import AsyncRemoteKeys, RemoteKeys

Ask = Callable[[str, float], Checked]
SHORT, LONG = 0.3, 60.0  # seconds for a request
_HEAD, _, _CONTENT = reply(verdict()).partition(b"\r\n\r\n")
#: What takes five seconds to arrive, a little at a time.
DRIPPING = {
    "head": [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 250, reply(verdict()).partition(b"\r\n")[2]],
    "interim answers": [*[b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 250, reply(verdict())],
    "body": [_HEAD.replace(b"Content-Length", b"X") + b"\r\n\r\n", *[b" "] * 250, _CONTENT],
}


def _options(seconds: float) -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reads no certificates, which takes a while
    return {"timeout": seconds, "attempts": 1, "capacity": 0, "ssl_context": context}


def blocking(url: str, seconds: float) -> Checked:
    with RemoteKeys(url, "rk_live_service", **_options(seconds)) as keys:
        return keys.check(TEXT)


def asynchronous(url: str, seconds: float) -> Checked:
    async def main() -> Checked:
        async with AsyncRemoteKeys(url, "rk_live_service", **_options(seconds)) as keys:
            return await keys.check(TEXT)

    return asyncio.run(main())


@pytest.fixture(params=[blocking, asynchronous], ids=["blocking", "asynchronous"])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


@pytest.fixture
def dripping() -> Iterator[Scripted]:
    with scripted(b"") as server:
        yield server


@pytest.mark.parametrize("what", DRIPPING)
def test_an_answer_that_arrives_byte_by_byte_is_given_up_in_time(dripping: Scripted, ask: Ask, what: str) -> None:
    dripping.parts = DRIPPING[what]
    assert ask(dripping.url, SHORT).reason == Reason.unavailable
    assert not dripping.whole


def test_what_arrives_in_time_is_taken_however_it_is_cut(dripping: Scripted, ask: Ask) -> None:
    answer = reply(verdict())
    dripping.parts = [answer[:20], answer[20:60], answer[60:]]
    assert ask(dripping.url, LONG)


def test_a_name_server_that_does_not_answer_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        asked.set()
        answered.wait(30)
        ended.set()
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    assert blocking("http://keys.example.com", SHORT).reason == Reason.unavailable
    assert asked.is_set()
    assert not ended.is_set()
    answered.set()
    assert ended.wait(30)
