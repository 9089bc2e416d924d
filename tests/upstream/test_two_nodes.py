"""Two nodes in front of one upstream account: sums are kept together, and a change is known to both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.api import Api
from tests.support.nodes import Nodes
from tests.upstream.conftest import There, at_once, connect, connections, start
from tollkey.db import Scope
from tollkey.upstream import spending, store
from tollkey.wire.service import Service


@pytest.fixture
def told(nodes: Nodes) -> Iterator[There]:
    """The upstream server of both nodes; no merchant is connected to it."""
    runner, there, worlds = nodes.first.runner, There(), (nodes.first, nodes.second)
    server = runner.run(start(there))
    usual = [world.server.gateway.http for world in worlds]
    for world in worlds:
        world.server.gateway.http = runner.run(connections())
    yield there
    for world, http in zip(worlds, usual, strict=True):
        runner.run(world.server.gateway.stop())
        runner.run(world.server.gateway.http.aclose())
        world.server.gateway.http = http
    server.close()


def spent(api: Api) -> list[int]:
    found = api.core.database.read(lambda tx: spending.spent(tx, Scope(api.account, False), api.now))
    return [one.amount for one in found]


def approve(api: Api, id: str) -> bool:
    scope = Scope(api.account, False)
    return api.core.database.write(lambda tx: spending.decide(tx, scope, id, "approved", "ann", api.now))


def known_to_both(nodes: Nodes, api: Api, told: There) -> None:
    """Connect a merchant, and let both nodes know it without waiting for the announcement."""
    connect(api, told.url)
    for world in (nodes.first, nodes.second):
        world.server.gateway.upstreams.forget()


def services_of(nodes: Nodes) -> list[Service]:
    return [world.server.service for world in (nodes.first, nodes.second)]


def test_calls_at_once_on_two_nodes_do_not_exceed_a_cap_together(nodes: Nodes, told: There) -> None:
    api, runner = nodes.api(), nodes.first.runner
    known_to_both(nodes, api, told)
    key = api.restricted("charge_write", metadata={"cap_charged_a_day": "usd:1000"})
    body = b"amount=300&currency=usd"
    assert at_once(runner, services_of(nodes), told, 12, key, body=body) == [200] * 3 + [403] * 9
    assert (len(told.got), spent(api)) == (3, [900])


def test_one_call_that_reaches_two_nodes_at_once_is_counted_once_and_no_node_fails(nodes: Nodes, told: There) -> None:
    api, runner = nodes.api(), nodes.first.runner
    known_to_both(nodes, api, told)
    key = api.restricted("charge_write", metadata={"cap_charged_a_day": "usd:1000"})
    for number in range(8):  # two nodes meet in most of them
        named = {"idempotency-key": f"call{number}"}
        body = b"amount=100&currency=usd"
        assert at_once(runner, services_of(nodes), told, 2, key, body=body, **named) == [200, 200]
    assert spent(api) == [800]


def test_one_call_above_a_cap_that_reaches_two_nodes_at_once_asks_and_is_approved_once(
    nodes: Nodes, told: There
) -> None:
    api, runner = nodes.api(), nodes.first.runner
    known_to_both(nodes, api, told)
    scope = Scope(api.account, False)
    key = api.restricted("charge_write", metadata={"cap_amount": "usd:100", "cap_exceeded": "ask"})
    for number in range(4):
        named, body = {"idempotency-key": f"call{number}"}, b"amount=150&currency=usd"
        assert at_once(runner, services_of(nodes), told, 2, key, body=body, **named) == [403, 403]
        (waiting,) = api.core.database.read(lambda tx: spending.approvals(tx, scope, state="pending"))
        assert [approve(api, waiting.id) for _ in range(2)] == [True, False]
        assert at_once(runner, services_of(nodes), told, 2, key, body=body, **named) == [200, 200]
    assert spent(api) == [600]


def test_what_one_node_connects_the_other_passes_on_too_until_it_is_disconnected(nodes: Nodes, told: There) -> None:
    api, runner = nodes.api(), nodes.first.runner
    other = Api.__new__(Api)
    other.__dict__.update(api.__dict__)
    other.world, other.core = nodes.second, nodes.second.core

    def seen(passed: bool) -> bool:
        for _ in range(100):
            other.get("/v1/customers")
            if bool(told.got) == passed:
                return True
            told.got.clear()
            runner.run(asyncio.sleep(0.05))
        return False

    assert seen(False)
    connect(api, told.url)
    assert seen(True)
    told.got.clear()
    api.core.database.write(lambda tx: store.disconnect(tx, Scope(api.account, False)))
    assert seen(False)
