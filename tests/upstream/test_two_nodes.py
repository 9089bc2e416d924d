"""Two nodes in front of one upstream account: sums are kept together, and a change is known to both."""

from __future__ import annotations

import asyncio

from tests.support.api import Api
from tests.support.nodes import Nodes
from tests.upstream.conftest import There, at_once, connect, connections, start
from tollkey.db import Scope
from tollkey.upstream import spending, store


def test_calls_at_once_on_two_nodes_do_not_exceed_a_cap_together(nodes: Nodes) -> None:
    api, runner, told = nodes.api(), nodes.first.runner, There()
    server = runner.run(start(told))
    worlds = (nodes.first, nodes.second)
    usual = [world.server.gateway.http for world in worlds]
    for world in worlds:
        world.server.gateway.http = runner.run(connections())
    connect(api, told.url)
    key = api.restricted("charge_write", metadata={"cap_charged_a_day": "usd:1000"})

    services = [world.server.service for world in worlds]
    try:
        assert at_once(runner, services, told, 12, key, body=b"amount=300&currency=usd") == [200] * 3 + [403] * 9
        for world in worlds:
            runner.run(world.server.gateway.stop())
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

    def seen(passed: bool) -> bool:
        for _ in range(100):
            other.get("/v1/customers")
            if bool(told.got) == passed:
                return True
            told.got.clear()
            runner.run(asyncio.sleep(0.05))
        return False

    try:
        assert seen(False)
        connect(api, told.url)
        assert seen(True)
        told.got.clear()
        api.core.database.write(lambda tx: store.disconnect(tx, Scope(api.account, False)))
        assert seen(False)
    finally:
        runner.run(gateway.stop())
        runner.run(gateway.http.aclose())
        gateway.http = usual
        server.close()
