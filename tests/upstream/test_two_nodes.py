"""Two nodes in front of one upstream account: sums are kept together, and a change is known to both."""

from __future__ import annotations

import asyncio

from tests.support.api import Api
from tests.support.nodes import Nodes
from tests.upstream.conftest import There, connect, connections, start
from tollkey.db import Scope
from tollkey.upstream import spending, store
from tollkey.wire.messages import Request


def test_calls_at_once_on_two_nodes_do_not_exceed_a_cap_together(nodes: Nodes) -> None:
    api, runner, told = nodes.api(), nodes.first.runner, There(waits=0.05)
    server = runner.run(start(told))
    worlds = (nodes.first, nodes.second)
    usual = [world.server.gateway.http for world in worlds]
    for world in worlds:
        world.server.gateway.http = runner.run(connections())
    connect(api, told.url)
    key = api.restricted("charge_write", metadata={"cap_charged_a_day": "usd:1000"})

    async def all_at_once() -> list[int]:
        requests = [
            Request(
                "POST", "/v1/charges", b"",
                {"authorization": f"Bearer {key}", "content-type": "application/x-www-form-urlencoded"},
                b"amount=300&currency=usd",
            )
            for _ in range(12)
        ]  # fmt: skip
        services = [worlds[number % 2].server.service for number in range(12)]
        answers = await asyncio.gather(*(one.answer(asked) for one, asked in zip(services, requests, strict=True)))
        for world in worlds:
            await world.server.gateway.stop()
        return sorted(answer.status for answer in answers)

    try:
        assert runner.run(all_at_once()) == [200] * 3 + [403] * 9
        assert len(told.got) == 3
        scope = Scope(api.account, False)
        (sum_,) = api.core.database.read(lambda tx: spending.spent(tx, scope, api.now))
        assert sum_.amount == 900
    finally:
        for world, http in zip(worlds, usual, strict=True):
            runner.run(world.server.gateway.http.aclose())
            world.server.gateway.http = http
        server.close()


def test_what_one_node_connects_the_other_passes_on_too_until_it_is_disconnected(nodes: Nodes) -> None:
    api, runner, told = nodes.api(), nodes.first.runner, There()
    other = Api.__new__(Api)
    other.__dict__.update(api.__dict__)
    other.world, other.core = nodes.second, nodes.second.core
    server = runner.run(start(told))
    usual, gateway = nodes.second.server.gateway.http, nodes.second.server.gateway
    gateway.http = runner.run(connections())

    def seen(count: int) -> bool:
        for _ in range(100):
            other.get("/v1/customers")
            if (len(told.got) > 0) == bool(count):
                return True
            told.got.clear()
            runner.run(asyncio.sleep(0.05))
        return False

    try:
        assert seen(0)
        connect(api, told.url)
        assert seen(1)
        told.got.clear()
        api.core.database.write(lambda tx: store.disconnect(tx, Scope(api.account, False)))
        assert seen(0)
    finally:
        runner.run(gateway.stop())
        runner.run(gateway.http.aclose())
        gateway.http = usual
        server.close()
