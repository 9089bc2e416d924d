"""How fast storage is, as ratios of variants interleaved in one run.

    python bench/storage.py [--rounds 5] [--clients 64] [--folder DIR] [--postgres URL]

Group commit as ``SQLiteEdge`` does it, against a writer thread that does the same groups on its
own thread, against one commit for each write; durable inserts a second by 64 clients, with the
longest time a read on the loop had to wait meanwhile. Then what a point read costs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tollkey.db import Database, Migration, SQLite, Tx, migrate
from tollkey.db.edge import ThreadEdge
from tollkey.db.postgres import Postgres
from tollkey.db.sqlite_edge import SQLiteEdge

ROWS = Migration(
    "bench", ("CREATE TABLE rows (id {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, body TEXT NOT NULL)",)
)
BODY = '{"object": "customer", "email": "someone@example.com"}' * 8
Write = Callable[[Callable[[Tx], Any]], Awaitable[Any]]


class Outcome(NamedTuple):
    per_second: float
    longest_read_wait_ms: float
    middle_wait_ms: float


def insert(tx: Tx) -> None:
    tx.execute("INSERT INTO rows (account, livemode, body) VALUES (?, ?, ?)", ("acct_1", 0, BODY))
    tx.execute("SELECT body FROM rows WHERE id = ?", (1,))


class WriterThread:
    """The peer: everything of a group, COMMIT included, on one thread."""

    def __init__(self, database: SQLite) -> None:
        self._database = database
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Tx], Any]) -> Any:
        answer = asyncio.get_running_loop().create_future()
        self._queue.put((work, answer))
        return await answer

    def _live(self) -> None:
        while (first := self._queue.get()) is not None:
            group, done = [first], []
            with contextlib.suppress(queue.Empty):
                while len(group) < 256:
                    group.append(self._queue.get_nowait())
            with self._database.write_lock:
                self._database.begin()
                for work, answer in group:
                    tx = self._database.batch_tx()
                    with tx.savepoint():
                        done.append((answer, work(tx), tx))
                self._database.commit()
            loop = group[0][1].get_loop()
            loop.call_soon_threadsafe(self._answer, done)

    def _answer(self, done: list[Any]) -> None:
        self._database.run_after_commit([tx for _, _, tx in done])
        for answer, result, _ in done:
            answer.set_result(result)

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()


def spin(seconds: float) -> None:
    """What a request costs the loop besides storage: HTTP, the key, the form, the answer."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def drive(write: Write, clients: int, seconds: float, request_seconds: float) -> Outcome:
    """``clients`` each write again as soon as they were answered, after ``request_seconds`` of other work on the
    loop.
    """
    until = time.perf_counter() + seconds
    waits: list[float] = []

    async def client() -> None:
        while time.perf_counter() < until:
            spin(request_seconds)
            begun = time.perf_counter()
            await write(insert)
            waits.append(time.perf_counter() - begun)

    async def watch() -> float:
        longest = 0.0
        while time.perf_counter() < until:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - begun - 0.001)
        return longest

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(client() for _ in range(clients)))
    return Outcome(len(waits) / seconds, 1000 * await watching, 1000 * statistics.median(waits))


def in_groups(database: Database, clients: int, seconds: float, request_seconds: float) -> Outcome:
    async def run() -> Outcome:
        assert isinstance(database, SQLite)
        edge = SQLiteEdge(database)
        outcome = await drive(edge.write, clients, seconds, request_seconds)
        await edge.stop()
        return outcome

    return asyncio.run(run())


def on_a_writer_thread(database: Database, clients: int, seconds: float, request_seconds: float) -> Outcome:
    async def run() -> Outcome:
        assert isinstance(database, SQLite)
        writer = WriterThread(database)
        outcome = await drive(writer.write, clients, seconds, request_seconds)
        writer.stop()
        return outcome

    return asyncio.run(run())


def one_commit_each(database: Database, clients: int, seconds: float, request_seconds: float) -> Outcome:
    async def run() -> Outcome:
        with ThreadPoolExecutor(1) as thread:
            loop = asyncio.get_running_loop()
            return await drive(
                lambda work: loop.run_in_executor(thread, database.write, work), clients, seconds, request_seconds
            )

    return asyncio.run(run())


def compare_writes(folder: Path, rounds: int, clients: int, seconds: float, request_seconds: float) -> None:
    variants = {
        "group commit on the loop": in_groups,
        "writer thread": on_a_writer_thread,
        "one commit each": one_commit_each,
    }
    outcomes: dict[str, list[Outcome]] = {name: [] for name in variants}
    for number in range(rounds):
        for name, run in variants.items():
            database = SQLite(folder / f"{request_seconds}-{number}-{name.replace(' ', '-')}.db")
            migrate(database, [ROWS])
            outcomes[name].append(run(database, clients, seconds, request_seconds))
            database.close()
    base = statistics.median(outcome.per_second for outcome in outcomes["one commit each"])
    print(
        f"\n{clients} clients, {1e6 * request_seconds:.0f} us of other work a request; durable inserts (medians of"
        f" {rounds})"
    )
    for name, results in outcomes.items():
        rate, longest, middle = (statistics.median(values) for values in zip(*results, strict=True))
        print(
            f"  {name:26} {rate:8.0f}/s  {rate / base:6.1f} x   answer {middle:6.2f} ms   loop held up at most"
            f" {longest:5.1f} ms"
        )


def microseconds(work: Callable[[], object], times: int = 5_000) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return 1e6 * (time.perf_counter() - begun) / times


def compare_reads(database: Database, kind: str) -> None:
    migrate(database, [ROWS])
    database.write(insert)
    sql, params = "SELECT id, body FROM rows WHERE account = ? AND livemode = ? AND id = ?", ("acct_1", 0, 1)
    times = 20_000 if kind == "SQLite" else 2_000
    one = statistics.median(
        microseconds(lambda: database.read(lambda tx: tx.execute(sql, params)), times) for _ in range(5)
    )
    two = statistics.median(
        microseconds(lambda: database.read(lambda tx: [tx.execute(sql, params), tx.execute(sql, params)]), times)
        for _ in range(5)
    )
    print(f"\n{kind}: a read of one row {one:.1f} us; of two in one snapshot {two:.1f} us")


async def _postgres_writes(database: Postgres, clients: int, seconds: float) -> Outcome:
    edge = ThreadEdge(database)
    outcome = await drive(edge.write, clients, seconds, 0.0)
    await edge.stop()
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--folder", help="where the files go: the disk that is measured")
    parser.add_argument("--postgres", help="postgresql://… of an empty database, to measure it too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for request_seconds in (0.0, 100e-6):
            compare_writes(Path(folder), options.rounds, options.clients, options.seconds, request_seconds)
        database = SQLite(Path(folder) / "reads.db")
        compare_reads(database, "SQLite")
        database.close()
    if options.postgres:
        postgres = Postgres(options.postgres)
        compare_reads(postgres, "PostgreSQL")
        outcome = asyncio.run(_postgres_writes(postgres, options.clients, options.seconds))
        print(
            f"PostgreSQL: {options.clients} clients, {outcome.per_second:.0f} durable inserts/s,"
            f" answer {outcome.middle_wait_ms:.2f} ms"
        )


if __name__ == "__main__":
    main()
