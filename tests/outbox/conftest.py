"""A receiver of webhooks on this machine, and one server's outbox with a clock set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from tests.support.receiver import Receiver, receiver
from tollkey.db import Database, Scope, migrate
from tollkey.db.edge import edge_for
from tollkey.outbox import MIGRATION, Deliverer, Destination, Limits, enqueue
from tollkey.outbox.connections import Connections
from tollkey.outbox.deliver import AttemptResult

__all__ = ["Receiver", "receiver"]

T = TypeVar("T")
NOW = 1_767_225_600
TEST = Scope("acct_1", False)
LIVE = Scope("acct_1", True)
BODY = b'{"id": "evt_1"}'
SECRET = "whsec_" + "s" * 32


@dataclass
class World:
    """One server's outbox: its database, its clock, its endpoints, what it was told."""

    database: Database
    now: int = NOW
    endpoints: dict[str, Destination] = field(default_factory=dict)
    outcomes: list[AttemptResult] = field(default_factory=list)
    #: Kept for the whole of ``run``.
    deliverer: Deliverer | None = None

    def add(self, url: str, id: str = "we_1", events: tuple[str, ...] = ("*",)) -> Destination:
        self.endpoints[id] = Destination(id, url, (SECRET,), events)
        return self.endpoints[id]

    def send(
        self, *endpoints: Destination, scope: Scope = TEST, event: str = "evt_1", type: str = "charge.succeeded"
    ) -> list[int]:
        return self.database.write(lambda tx: enqueue(tx, scope, event, type, BODY, endpoints, self.now))

    def run(self, work: Callable[[Deliverer], Awaitable[T]], limits: Limits | None = None) -> T:
        async def main() -> T:
            edge = edge_for(self.database)
            async with aclosing(Connections()) as poster:
                deliverer = Deliverer(
                    edge,
                    poster,
                    lambda: self.now,
                    lambda tx, scope, id: self.endpoints.get(id),
                    lambda tx, outcome: self.outcomes.append(outcome),
                    limits=limits,
                    headers={"User-Agent": "Tollkey/1.0"},
                )
                return await work(deliverer)

        return asyncio.run(main())

    def deliver(self, limits: Limits | None = None) -> int:
        return self.run(lambda deliverer: deliverer.run_once(), limits)


@pytest.fixture
def world(database: Database) -> World:
    migrate(database, [MIGRATION])
    return World(database)
