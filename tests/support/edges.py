"""Tables, callbacks and a loop for tests of an edge."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tollkey.db import Database, Migration, SQLite, Tx, migrate
from tollkey.db.edge import edge_for
from tollkey.db.held import inserting

NOTES = Migration(
    "notes",
    (
        "CREATE TABLE notes (id TEXT PRIMARY KEY, number {int})",
        "CREATE TABLE totals (name TEXT PRIMARY KEY, total {int} NOT NULL CHECK (total < 1000))",
        "CREATE TABLE replies (id TEXT PRIMARY KEY, note TEXT NOT NULL REFERENCES notes (id)"
        " DEFERRABLE INITIALLY DEFERRED)",
    ),
)


TOTAL = inserting("totals", ("name", "total"), "ti")


class CountingSQLite(SQLite):
    """Counts its commits. Its disk can be held up, and can fail."""

    commits = 0
    fails = False
    disk = threading.Event()
    disk.set()

    def commit(self) -> None:
        super().commit()
        self.commits += 1

    def fsync(self, log: int) -> None:
        self.disk.wait(20)
        if self.fails:
            raise OSError("an I/O error")
        super().fsync(log)


def add(id: str) -> Callable[[Tx], str]:
    def work(tx: Tx) -> str:
        tx.execute("INSERT INTO notes (id, number) VALUES (?, 0)", (id,))
        return id

    return work


def orphan(tx: Tx) -> None:
    """Refused by the COMMIT only."""
    tx.execute("INSERT INTO replies (id, note) VALUES (?, ?)", ("r", "nobody"))


def total(name: str, number: int) -> Callable[[Tx], str]:
    """Leaves a row to be written; one of 1,000 and more is refused then."""

    def work(tx: Tx) -> str:
        tx.hold(TOTAL, (name, number))
        return name

    return work


def on_disk(path: Path) -> list[str]:
    """As a process that starts now would find it."""
    connection = sqlite3.connect(path)
    found = [id for (id,) in connection.execute("SELECT id FROM notes ORDER BY id")]
    connection.close()
    return found


def with_edge(
    database: Database, test: Callable[[Any], Awaitable[object]], on_alive: Callable[[float], None] | None = None
) -> None:
    """Run ``test(edge)`` on a loop of its own, and stop the edge."""
    migrate(database, [NOTES])

    async def run() -> None:
        edge = edge_for(database, on_alive)
        await edge.start()
        try:
            await asyncio.wait_for(test(edge), 20)
        finally:
            await edge.stop()

    asyncio.run(run())


async def settled(*calls: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


def kinds(outcomes: list[Any]) -> list[Any]:
    return [type(outcome) if isinstance(outcome, BaseException) else outcome for outcome in outcomes]
