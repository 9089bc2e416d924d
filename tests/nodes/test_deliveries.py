"""Two nodes send webhooks: each delivery once, and what a node had leased when it died once more."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from tests.support.api import Api
from tests.support.nodes import Nodes
from tests.support.receiver import Receiver, receiver
from tollkey import outbox
from tollkey.db import Scope, Tx
from tollkey.outbox.claims import claim, waiting

__all__ = ["receiver"]

EVENTS = 40


def deliver(nodes: Nodes) -> None:
    """Both nodes send what is due, at the same time, until nothing is."""

    async def both() -> int:
        return sum(await asyncio.gather(*(node.server.deliverer.run_once() for node in (nodes.first, nodes.second))))

    while nodes.first.runner.run(both()):
        pass


def hearing(nodes: Nodes, receiver: Receiver, events: int) -> Api:
    """A merchant with an endpoint there and so many events on their way to it."""
    api = nodes.api()
    api.ok("POST", "/v1/webhook_endpoints", url=receiver.url, enabled_events=["customer.created"])
    for _ in range(events):
        api.ok("POST", "/v1/customers")
    return api


def attempts(api: Api) -> Counter[int]:
    """How many attempts the deliveries of a merchant took."""
    found = api.core.database.read(lambda tx: outbox.deliveries(tx, Scope(api.account, False), limit=1000))
    return Counter(delivery.attempts for delivery in found if delivery.state == "delivered")


def test_each_delivery_is_sent_by_one_node_once(nodes: Nodes, receiver: Receiver) -> None:
    api = hearing(nodes, receiver, EVENTS)
    deliver(nodes)
    got = Counter(json.loads(body)["id"] for _, body in receiver.got)
    assert sorted(got.values()) == [1] * EVENTS
    assert attempts(api) == {1: EVENTS}


@pytest.mark.parametrize("events", [1, 5])
def test_what_a_node_held_when_it_died_is_sent_by_another_once_its_lease_is_over(
    nodes: Nodes, receiver: Receiver, events: int
) -> None:
    deliver(nodes)
    api, until = hearing(nodes, receiver, events), nodes.first.clock[0] + 60

    def lease(tx: Tx) -> int:
        now = nodes.first.clock[0]
        return len(claim(tx, now, "of a node that died", until, dict.fromkeys(waiting(tx, now), 100)))

    assert api.core.database.write(lease) == events
    deliver(nodes)
    assert receiver.got == []
    nodes.first.clock[0] = until
    deliver(nodes)
    assert len(receiver.got) == events
    assert attempts(api) == {1: events}
