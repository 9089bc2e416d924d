"""A server elsewhere: it keeps each request's bytes, and answers, or fails, as it was told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.outbox.connections import Connections
from tollkey.upstream import store
from tollkey.upstream.store import Hosts
from tollkey.wire.messages import Request
from tollkey.wire.service import Service

KEY = "_".join(("sk", "test", "upstream0123456789abcdef"))
ID = "acct_upstream"


@dataclass
class Asked:
    """A request as it arrived: first line, headers (names in lower case), body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class There:
    """The server. before: called with each request before it is answered. fails: how it ends without an answer.
    holds: answer nobody while it is true.

    fails: "" answers; "cut" closes the connection; "half" sends half an answer first; "silent" never answers.
    """

    url: str = ""
    status: int = 200
    body: bytes = b'{"id": "obj_1", "object": "thing"}'
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    fails: list[str] = field(default_factory=list)
    got: list[Asked] = field(default_factory=list)
    before: Callable[[Asked], None] = lambda asked: None
    holds: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.split("\r\n")
                headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines if each)}
                asked = Asked(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))
                self.got.append(asked)
                self.before(asked)
                while self.holds:
                    await asyncio.sleep(0.01)
                how = self.fails.pop(0) if self.fails else ""
                if how == "silent":
                    await asyncio.sleep(3600)
                if how == "cut":
                    break
                told = {
                    "Request-Id": f"req_there{len(self.got)}",
                    "Content-Length": str(len(self.body)),
                    **self.headers,
                }
                lines = [f"HTTP/1.1 {self.status} Said", *(f"{name}: {value}" for name, value in told.items())]
                writer.write(
                    "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body[: 3 if how == "half" else None]
                )
                await writer.drain()
                if how == "half":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
def there(api: Api) -> Iterator[There]:
    """The server, to which the test's merchant is connected in test mode."""
    runner, gateway, told = api.world.runner, api.world.server.gateway, There()
    server = runner.run(start(told))
    usual, gateway.http = gateway.http, runner.run(connections())
    connect(api, told.url)
    yield told
    runner.run(gateway.stop())  # first: the loop may stand still within a transaction of this thread
    api.core.database.write(lambda tx: store.disconnect(tx, Scope(api.account, False)))
    runner.run(gateway.http.aclose())
    gateway.http = usual
    server.close()


async def start(told: There) -> asyncio.Server:
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return server


async def connections() -> Connections:
    return Connections()


def connect(api: Api, url: str, key: str = KEY, livemode: bool = False) -> None:
    """Connect a merchant to an account at that URL."""
    keyring, scope = api.core.authority.keyring, Scope(api.account, livemode)
    api.core.database.write(
        lambda tx: store.connect(tx, keyring, scope, Hosts(url, url, url), ID, key, "sk_test_...cdef", api.now)
    )


def recorded(api: Api) -> list[store.Passed]:
    """The calls of the merchant that were recorded, newest first."""
    api.world.runner.run(api.world.server.gateway.stop())
    return api.core.database.read(lambda tx: store.calls(tx, Scope(api.account, False)))


def at_once(
    runner: asyncio.Runner,
    services: Sequence[Service],
    there: There,
    count: int,
    key: str,
    *,
    method: str = "POST",
    body: bytes = b"",
    **more: str,
) -> list[int]:
    """The statuses, sorted, of so many equal calls at the same time, in turn over the services.

    there: answers none of them before each has either arrived there or been answered here. more: more headers.
    """
    headers = {"authorization": f"Bearer {key}", **more}
    if body:
        headers["content-type"] = "application/x-www-form-urlencoded"

    async def answers() -> list[int]:
        asked = [Request(method, "/v1/charges", b"", dict(headers), body) for _ in range(count)]
        there.holds, before = True, len(there.got)
        tasks = [asyncio.create_task(services[number % len(services)].answer(one)) for number, one in enumerate(asked)]
        while len(there.got) - before + sum(task.done() for task in tasks) < count:
            await asyncio.sleep(0.01)
        there.holds = False
        return sorted([(await task).status for task in tasks])

    return runner.run(answers())
