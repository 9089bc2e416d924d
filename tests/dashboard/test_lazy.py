"""The Dashboard is loaded at its first request, and holds up nobody meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.support.api import World
from tollkey.dashboard import ForPayments, lazy


def test_it_is_loaded_once_and_not_on_the_event_loop(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []

    def build(*parts: Any) -> Any:
        built.append(threading.get_ident())

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send("answered")

        return app

    monkeypatch.setattr(lazy, "_create_app", build)

    async def run() -> tuple[int, list[str]]:
        world, sent = sqlite_world, []
        pages = lazy.Dashboard(ForPayments(world.core.setup), world.server.edge, world.core.authority, world.core.now)

        async def send(message: str) -> None:
            sent.append(message)

        await asyncio.gather(*(pages({}, None, send) for _ in range(3)))
        await pages({}, None, send)
        return threading.get_ident(), sent

    mine, sent = asyncio.run(run())
    assert sent == ["answered"] * 4
    assert len(built) == 1
    assert built[0] != mine
