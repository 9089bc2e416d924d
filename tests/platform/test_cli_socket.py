"""The socket of ``stripe listen`` and its connections, called in process. Clients connect in ``tests/contract``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tests.support.api import Api
from tollkey.db import Scope, Tx
from tollkey.platform.cli_socket import CliSocket

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def test_a_connection_that_hangs_takes_no_message_from_the_one_that_follows_it(api: Api) -> None:
    core, edge = api.core, api.world.server.edge
    socket = CliSocket(edge, core.setup.tables, core.authority, core.now, core.call)
    session = api.ok("POST", "/v1/stripecli/sessions", device_name="test", websocket_features=["webhooks"])
    scope = {"headers": [(b"websocket-id", session["websocket_id"].encode())], "client": ("127.0.0.1", 1)}

    def connect(send: Send, gone: asyncio.Event) -> asyncio.Task[None]:
        told = ["websocket.connect"]

        async def receive() -> MutableMapping[str, Any]:
            if not told:
                await gone.wait()
            return {"type": told.pop() if told else "websocket.disconnect"}

        return asyncio.ensure_future(socket(dict(scope), receive, send))

    async def test() -> list[str]:
        heard: list[str] = []
        opened, stuck, goes_on, all_heard, gone = (asyncio.Event() for _ in range(5))

        async def hang(message: MutableMapping[str, Any]) -> None:
            opened.set()
            if message["type"] == "websocket.send":
                stuck.set()
                await goes_on.wait()

        async def hear(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "websocket.send":
                heard.append(message["text"])
                if len(heard) == 2:  # the first event in both versions; the first connection wakes up now
                    goes_on.set()
                    await first
                if len(heard) == 4:
                    all_heard.set()

        first = connect(hang, gone)
        await opened.wait()
        for name in ("one", "two"):
            await edge.write(lambda tx, name=name: events(tx, name))  # type: ignore[misc]
        await stuck.wait()
        second = connect(hear, gone)
        await asyncio.wait_for(all_heard.wait(), 5)
        gone.set()
        await second
        return heard

    def events(tx: Tx, name: str) -> None:
        core.call(tx, Scope(api.account, False), api.now).emit("customer.created", {"id": name, "object": "customer"})

    found = api.world.runner.run(test())
    assert [("one" in text, "two" in text) for text in found] == [(True, False)] * 2 + [(False, True)] * 2
