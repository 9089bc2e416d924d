"""The log of SQLite stays short, whatever is written and read."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.edges import CountingSQLite, add, with_edge
from tollkey.db import SQLite, Tx
from tollkey.db.edge import Edge, edge_for
from tollkey.db.sqlite_wal import (
    AUTO_CHECKPOINT,
    CHECKPOINT_BYTES,
    CHECKPOINT_WRITES,
    SERIES_CHECKPOINT,
    WAL_KEPT_BYTES,
    Series,
)


def test_the_log_begins_anew_though_a_thread_writes_beside_the_edge(counting: CountingSQLite) -> None:
    long = "x" * 2_000

    async def test(edge: Edge) -> None:
        busy = True

        def beside() -> None:
            number = 0
            while busy:
                counting.write(add(f"beside {(number := number + 1)}{long}"))

        thread = asyncio.create_task(asyncio.to_thread(beside))
        for start in range(0, 10 * CHECKPOINT_WRITES, 50):
            await asyncio.gather(*(edge.write(add(f"{n}{long}")) for n in range(start, start + 50)))
        busy = False
        await thread
        assert Path(f"{counting.path}-wal").stat().st_size < counting.path.stat().st_size / 2

    with_edge(counting, test)


def test_the_log_is_cut_once_a_long_reader_has_gone(counting: CountingSQLite) -> None:
    log, long = Path(f"{counting.path}-wal"), "x" * 100_000

    async def test(edge: Edge) -> None:
        reader = sqlite3.connect(counting.path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM notes").fetchall()
        for n in range(CHECKPOINT_WRITES // 2):
            await edge.write(add(f"{n}{long}"))
        assert log.stat().st_size > CHECKPOINT_BYTES
        reader.close()
        for n in range(2 * CHECKPOINT_WRITES):
            await edge.write(add(str(n)))
        assert log.stat().st_size < CHECKPOINT_BYTES

    with_edge(counting, test)


def test_the_log_is_moved_into_the_file_and_begins_anew(counting: CountingSQLite) -> None:
    long = "x" * 10_000

    async def test(edge: Edge) -> None:
        for start in range(0, 5 * CHECKPOINT_WRITES, 50):
            await asyncio.gather(*(edge.write(add(f"{n}{long}")) for n in range(start, start + 50)))
        assert counting.path.stat().st_size > 3 * CHECKPOINT_WRITES * len(long)
        assert Path(f"{counting.path}-wal").stat().st_size < 3 * CHECKPOINT_WRITES * 2 * len(long)

    with_edge(counting, test)


def test_the_log_file_that_long_writes_have_grown_is_shortened_below_the_size_that_begins_a_checkpoint(
    tmp_path: Path,
) -> None:
    database = SQLite(tmp_path / "long.db")
    database.set_auto_checkpoint(0)
    database.write(lambda tx: tx.execute("CREATE TABLE contents (content BLOB)"))
    database.write(lambda tx: tx.execute("INSERT INTO contents VALUES (zeroblob(?))", (CHECKPOINT_BYTES,)))
    assert database.wal_bytes() > CHECKPOINT_BYTES
    assert database.checkpoint(restart=True)
    database.write(lambda tx: tx.execute("INSERT INTO contents VALUES ('short')"))
    assert database.wal_bytes() <= WAL_KEPT_BYTES < CHECKPOINT_BYTES
    database.close()


class SlowCheckpoint(SQLite):
    """A checkpoint beside writes lasts until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.running, self.let_go = threading.Event(), threading.Event()

    def checkpoint(self, restart: bool = False) -> bool:
        if not restart:
            self.running.set()
            assert self.let_go.wait(30)
        return super().checkpoint(restart)


def test_heavy_writes_wait_for_a_checkpoint_and_light_ones_do_not(tmp_path: Path) -> None:
    database = SlowCheckpoint(tmp_path / "slow.db")
    database.write(lambda tx: tx.execute("CREATE TABLE contents (content BLOB)"))
    done: list[str] = []

    def heavy(name: str, size: int) -> Callable[[Tx], None]:
        def callback(tx: Tx) -> None:
            tx.execute("INSERT INTO contents VALUES (zeroblob(?))", (size,))
            done.append(name)

        return callback

    async def run() -> None:
        edge = edge_for(database)
        await edge.start()
        await edge.write(heavy("long", CHECKPOINT_BYTES), heavy=True)
        await asyncio.to_thread(database.running.wait, 30)
        waiting = [asyncio.create_task(edge.write(heavy(name, 1), heavy=True)) for name in ("second", "third")]
        await asyncio.sleep(0)
        await edge.write(lambda tx: done.append("light"))
        assert done == ["long", "light"]
        database.let_go.set()
        await asyncio.gather(*waiting)
        await edge.stop()

    asyncio.run(run())
    assert done == ["long", "light", "second", "third"]


def pages_of(database: SQLite, count: int) -> None:
    """Write so many pages of 4 KB, each in a transaction of its own."""
    for _ in range(count):
        database.write(lambda tx: tx.execute("INSERT INTO contents VALUES (zeroblob(4096))"), durable=False)


def with_contents(path: Path) -> SQLite:
    database = SQLite(path)
    database.write(lambda tx: tx.execute("CREATE TABLE contents (content BLOB)"))
    database.checkpoint()
    return database


def test_a_commit_within_a_series_copies_nothing_into_the_file(tmp_path: Path) -> None:
    database = with_contents(tmp_path / "series.db")
    with Series(database) as series:
        before = database.path.stat().st_size
        pages_of(database, AUTO_CHECKPOINT)
        series.wrote(SERIES_CHECKPOINT - 1)
        assert database.path.stat().st_size == before
        series.wrote(1)
        assert database.path.stat().st_size > before + AUTO_CHECKPOINT * 4096
        length = database.wal_bytes()
        pages_of(database, AUTO_CHECKPOINT // 10)
        assert database.wal_bytes() <= length, "the log has begun anew"
    pages_of(database, AUTO_CHECKPOINT)
    assert database.path.stat().st_size > before + 2 * AUTO_CHECKPOINT * 4096, "a COMMIT copies it again"
    database.close()


def test_a_series_leaves_the_log_to_an_edge(tmp_path: Path) -> None:
    database = with_contents(tmp_path / "served.db")
    database.set_auto_checkpoint(0)
    with Series(database) as series:
        before = database.path.stat().st_size
        pages_of(database, 10)
        series.wrote(2 * SERIES_CHECKPOINT)
    assert database.path.stat().st_size == before
    assert database.auto_checkpoint == 0
    database.close()
