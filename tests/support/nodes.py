"""Two nodes on one database: each a core with an edge of its own, in one event loop, at a time that tests set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.support.api import NOW, Api, World, open_node
from tollkey.db import Ids
from tollkey.server import run_due


@dataclass
class Nodes:
    """Two servers on one database. first, second: one after the other opened; they share the clock and the event
    loop.
    """

    first: World
    second: World

    def pass_time(self, seconds: int) -> None:
        """Let time pass, and both nodes look for what is due at the same moment, until neither finds anything."""
        self.first.clock[0] += seconds
        self.work()

    def work(self) -> None:
        """Both nodes do what is due now, at the same time."""

        async def both() -> int:
            nodes = (self.first, self.second)
            return sum(await asyncio.gather(*(run_due(node.core, node.server.edge) for node in nodes)))

        for _ in range(1000):
            if not self.first.runner.run(both()):
                return
        raise AssertionError("work never ends")

    def api(self, node: World | None = None) -> Api:
        """A fresh merchant, whose requests go to the first node."""
        return Api(node or self.first)


def open_nodes(url: str, folder: Path) -> Iterator[Nodes]:
    """Two nodes on that database, with the same key material."""
    clock = [NOW]
    with asyncio.Runner() as runner:
        first, second = (open_node(url, folder, runner, clock) for _ in range(2))
        yield Nodes(first, second)
        for node in (first, second):
            runner.run(node.server.edge.stop())
            node.core.close()


@pytest.fixture(scope="session")
def sqlite_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    yield from open_nodes("", tmp_path_factory.mktemp("sqlite-nodes"))


@pytest.fixture(scope="session")
def postgres_nodes(tmp_path_factory: pytest.TempPathFactory, postgres_server: Callable[[str], str]) -> Iterator[Nodes]:
    name = f"nodes_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    yield from open_nodes(postgres_server(name), tmp_path_factory.mktemp("postgres-nodes"))


@pytest.fixture(params=["sqlite", "postgres"])
def nodes(request: pytest.FixtureRequest) -> Nodes:
    """Two nodes on each kind of database, shared by the tests of a session; every test makes merchants of its own."""
    found: Nodes = request.getfixturevalue(f"{request.param}_nodes")
    found.first.clock[0] = NOW
    return found
