"""Keys as a server tells of them, and clients of servers that follow a script."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import NOW
from tests.keys.conftest import Ticker
from tests.keys.remote.scripted import Scripted, reply, scripted, verdict
from tollkey.db import Scope
from tollkey.keys import Key
from tollkey.keys.remote import RemoteKeys

TEXT = "rk_live_abcdefghijklmnop"
Make = Callable[..., RemoteKeys]


@pytest.fixture
def key() -> Callable[..., Key]:
    """Makes a key: ``key("mk_1", version=3)``."""
    plain = Key.of_host("session", Scope("cus_1", True), "mk_0", "CI", "x", created=0, expires=0)

    def make(id: str, version: int = 1) -> Key:
        return replace(plain, kind="restricted", id=id, version=version, expires_at=None)

    return make


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(reply(verdict())) as running:
        yield running


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def make(server: Scripted, ticker: Ticker, slept: list[float]) -> Iterator[Make]:
    """Makes a client whose clock stands still and which hears of changes only what ``hear`` says."""
    made: list[RemoteKeys] = []

    def remote(url: str = server.url, **options: Any) -> RemoteKeys:
        settings = {"clock": lambda: NOW, "monotonic": ticker, "sleep": slept.append, "chance": lambda: 1.0}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reads no certificates, which takes a while
        keys = RemoteKeys(url, "rk_live_service", ssl_context=context, **{**settings, **options})
        keys._listener._stopped.set()
        made.append(keys)
        return keys

    yield remote
    for keys in made:
        keys.close()
