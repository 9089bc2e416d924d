"""An account and its platform share a lock; an account that leaves its platform has one of its own from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from tests.support.edges import NOTES, add
from tollkey.db import Database, Scope, Tx, migrate
from tollkey.db.edge import Edge, edge_for
from tollkey.wire.owners import Owners

T = TypeVar("T")
ACCOUNT, PLATFORM = Scope("acct_1", False), "acct_platform"


class Locks:
    """An edge that notes under which lock each write runs."""

    def __init__(self, edge: Edge) -> None:
        self._edge, self.read = edge, edge.read
        self.used: list[str | None] = []

    async def write(self, callback: Callable[[Tx], T], lock: str | None = None, ahead: Any = ()) -> T:
        self.used.append(lock)
        return await self._edge.write(callback, lock=lock, ahead=ahead)


def written(database: Database, platforms: list[str | None]) -> tuple[list[str | None], list[str]]:
    """The locks under which one write ran, and what it wrote. platforms: the account's, each time it is asked for."""
    migrate(database, [NOTES])

    async def run() -> tuple[list[str | None], list[str]]:
        edge = edge_for(database)
        watched: Any = Locks(edge)
        owners = Owners(lambda tx, scope: platforms.pop(0))
        await owners.write(watched, ACCOUNT, add("note"))
        notes = await edge.read(lambda tx: [row[0] for row in tx.execute("SELECT id FROM notes")])
        await edge.stop()
        return watched.used, notes

    return asyncio.run(run())


def test_a_connected_account_is_written_under_the_lock_of_its_platform(database: Database) -> None:
    assert written(database, [PLATFORM, PLATFORM]) == ([f"{PLATFORM}:0"], ["note"])


def test_an_account_of_its_own_is_written_under_its_own_lock(database: Database) -> None:
    assert written(database, [None]) == (["acct_1:0"], ["note"])


def test_an_account_that_left_its_platform_while_a_write_waited_is_written_under_its_own_lock(
    database: Database,
) -> None:
    """Under the platform's lock it would run beside requests that came after the account had left."""
    assert written(database, [PLATFORM, None]) == ([f"{PLATFORM}:0", "acct_1:0"], ["note"])
