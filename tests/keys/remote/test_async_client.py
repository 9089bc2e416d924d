"""``AsyncRemoteKeys`` does what ``RemoteKeys`` does, under asyncio and trio."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
import trio

from tests.keys.conftest import Ticker
from tests.keys.remote.scripted import error, reply, scripted, verdict
from tollkey.keys import Denied, Key, Reason
from tollkey.keys.remote import AsyncRemoteKeys, RemoteKeys, RemoteRefused
from tollkey.keys.remote.events import Event

T = TypeVar("T")
Run = Callable[[Callable[[], Awaitable[T]]], T]
TEXT = "rk_live_abcdefghijklmnop"


def under_asyncio(main: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        return await main()

    return asyncio.run(run())


@pytest.fixture(params=[under_asyncio, trio.run], ids=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run[Any]:
    """Runs an async function to its end."""
    function: Run[Any] = request.param
    return function


def client(url: str, ticker: Ticker) -> AsyncRemoteKeys:
    """A client whose clock stands still, and whose change stream is what a test says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    keys = AsyncRemoteKeys(url, "rk_live_service", monotonic=ticker, chance=lambda: 0.0, ssl_context=context)
    keys._listener._stopped.set()
    return keys


def tick(keys: AsyncRemoteKeys, ticker: Ticker) -> None:
    keys._feed.take(Event("tick", json.dumps({"at": ticker.now}), "p1"), ticker.now)


def test_it_asks_remembers_and_forgets(run: Run[Any]) -> None:
    ticker = Ticker()

    async def main() -> None:
        with scripted(reply(verdict())) as server:
            async with client(server.url, ticker) as keys:
                keys._feed.opened(ticker.now)
                tick(keys, ticker)
                ticker.now += 1.1
                tick(keys, ticker)
                assert await keys.check(TEXT, "report_read", cost=2)
                assert await keys.acheck(TEXT, "report_read")
                assert isinstance(await keys.verify(TEXT), Key)
                assert len(server.bodies) == 1
                keys._feed.take(Event("change", '{"id": "mk_1", "version": 4}', "p2"), ticker.now)
                server.then(reply(verdict(valid=False, code="revoked", version=4)))
                denied = await keys.verify(TEXT)
                assert isinstance(denied, Denied)
                assert denied.reason == Reason.revoked
            assert (await keys.check(TEXT)).reason == Reason.unavailable

    run(main)


def test_a_server_that_fails_accepts_nobody(run: Run[Any]) -> None:
    async def main() -> None:
        answers = (b"", b"SSH-2.0\r\n", reply(b" " * 5_000_000), reply(b"", "302 Found", location="http://127.0.0.1:1"))
        for answer in answers:
            with scripted(answer) as server:
                async with client(server.url, Ticker()) as keys:
                    assert (await keys.check(TEXT)).reason == Reason.unavailable
        async with client("http://127.0.0.1:1", Ticker()) as keys:
            assert (await keys.check(TEXT)).reason == Reason.unavailable

    run(main)


def test_what_failed_for_a_moment_is_asked_again(run: Run[Any]) -> None:
    async def main() -> None:
        with scripted(reply(b"", "503 Service Unavailable"), reply(verdict())) as server:
            async with client(server.url, Ticker()) as keys:
                assert await keys.check(TEXT)

    run(main)


def test_a_service_key_that_may_not_verify_is_named(run: Run[Any]) -> None:
    async def main() -> None:
        with scripted(error("403 Forbidden", "insufficient_scope")) as server:
            async with client(server.url, Ticker()) as keys:
                with pytest.raises(RemoteRefused, match="key_verify_write"):
                    await keys.check(TEXT)

    run(main)


def test_the_blocking_client_can_be_awaited_too(run: Run[Any]) -> None:
    async def main() -> None:
        with scripted(reply(verdict())) as server, RemoteKeys(server.url, "rk_live_service", capacity=0) as keys:
            assert await keys.acheck(TEXT, "report_read")
            assert (await keys.acheck(None)).reason == Reason.missing

    run(main)
