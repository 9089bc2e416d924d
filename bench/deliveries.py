#!/usr/bin/env python3
"""How many webhook deliveries a second one node makes, and what dead endpoints do to the others.

    python bench/deliveries.py                        one fast endpoint, then 50 dead ones among 100, on SQLite
    python bench/deliveries.py --only fast --database postgresql://…     an empty database for each

The receiver is another process. Dead endpoints accept the connection and never answer. Printed are deliveries a second
to the fast endpoint, and the time from the commit of an event to its arrival at the healthy endpoints.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import multiprocessing.connection
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tollkey.db import Database, Scope, SQLite, Tx, migrate, open_database  # noqa: E402
from tollkey.db.edge import Edge, edge_for  # noqa: E402
from tollkey.outbox import MIGRATION, Deliverer, Destination, enqueue  # noqa: E402
from tollkey.outbox.connections import Connections  # noqa: E402

SCOPE = Scope("acct_1", False)
SECRET = "whsec_" + "s" * 32
_BODY = b'{"id": "evt_1", "object": "event", "data": "' + b"x" * 1500 + b'"}'


class Receiving(asyncio.Protocol):
    """Answers each POST with 200, unless its path begins with /dead; notes when it came, by path."""

    arrivals: dict[str, list[float]] = {}  # noqa: RUF012

    def connection_made(self, transport: Any) -> None:
        self._transport, self._waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
            if len(self._waiting) < end + 4 + length:
                return
            self._waiting = self._waiting[end + 4 + length :]
            path = head.split(b" ", 2)[1].decode()
            if not path.startswith("/dead"):
                self.arrivals.setdefault(path, []).append(time.time())
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def receive(pipe: multiprocessing.connection.Connection) -> None:
    """Run the receiver: send its port, and the arrivals for each message."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Receiving, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        while await asyncio.to_thread(pipe.recv):
            pipe.send(Receiving.arrivals)
            Receiving.arrivals = {}

    asyncio.run(main())


class Bench:
    """A node's deliverer and a receiver in another process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.endpoints: dict[str, Destination] = {}
        self._pipe, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=receive, args=(other,), daemon=True)
        self._process.start()
        self.port: int = self._pipe.recv()

    def stop(self) -> None:
        self._process.terminate()

    def arrivals(self) -> dict[str, list[float]]:
        self._pipe.send(True)
        found: dict[str, list[float]] = self._pipe.recv()
        return found

    def add(self, path: str) -> Destination:
        self.endpoints[path] = Destination(path, f"http://127.0.0.1:{self.port}/{path}", (SECRET,))
        return self.endpoints[path]

    async def deliver(self, work: Callable[[Deliverer, Edge], Any]) -> None:
        edge = edge_for(self.database)
        await edge.start()
        client = Connections()
        deliverer = Deliverer(edge, client, time.time, lambda tx, scope, id: self.endpoints.get(id))
        stop = asyncio.Event()
        running = asyncio.create_task(deliverer.run(stop))
        try:
            await work(deliverer, edge)
        finally:
            stop.set()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.aclose()
            await edge.stop()

    def left(self, tx: Tx) -> int:
        return int(tx.execute("SELECT count(*) FROM outbox_deliveries WHERE state = 'pending' AND attempts = 0")[0][0])


def fast(bench: Bench, events: int) -> str:
    """Return how many deliveries a second one fast endpoint gets of events that wait."""
    one = bench.add("fast")

    def fill(tx: Tx) -> None:
        for number in range(events):
            enqueue(tx, SCOPE, f"evt_{number}", "charge.succeeded", _BODY, [one], int(time.time()))

    bench.database.write(fill)
    took = used = 0.0

    async def work(deliverer: Deliverer, edge: Edge) -> None:
        nonlocal took, used
        began, cpu = time.perf_counter(), time.process_time()
        while await edge.read(bench.left):
            await asyncio.sleep(0.02)
        took, used = time.perf_counter() - began, time.process_time() - cpu

    asyncio.run(bench.deliver(work))
    assert len(bench.arrivals()["/fast"]) == events
    return f"one fast endpoint: {events / took:,.0f} deliveries/s, {1e6 * used / events:,.0f} µs of CPU each"


def dead_among(bench: Bench, dead: int, healthy: int, events: int, every: float) -> str:
    """Return the time from commit to arrival at healthy endpoints, while as many events go to dead ones.

    every: seconds between two events, each to all endpoints.
    """
    everybody = [bench.add(f"dead{number}") for number in range(dead)]
    everybody += [bench.add(f"good{number}") for number in range(healthy)]
    sent: list[float] = []

    async def work(deliverer: Deliverer, edge: Edge) -> None:
        for number in range(events):
            now = int(time.time())
            event = (f"evt_dead_{number}", "charge.succeeded", _BODY, everybody, now, deliverer.wake)
            await edge.write(lambda tx, event=event: enqueue(tx, SCOPE, *event))  # type: ignore[misc]
            sent.append(time.time())
            await asyncio.sleep(every)
        await asyncio.sleep(2)

    asyncio.run(bench.deliver(work))
    waits: list[float] = []
    for times in bench.arrivals().values():
        waits += [at - when for at, when in zip(times, sent, strict=False)]
    missing = healthy * events - len(waits)
    waits = sorted(waits) + [float("inf")] * missing
    p99 = waits[int(len(waits) * 0.99) - 1]
    return (
        f"{dead} dead of {dead + healthy}: healthy ones median {statistics.median(waits):.3f} s, p99 {p99:.3f} s,"
        f" worst {waits[-1]:.3f} s, {missing} missing"
    )


def main() -> None:
    """Read the options, run, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--database", default="", help="an empty PostgreSQL database")
    options.add_argument("--events", type=int, default=4000, help="for the fast endpoint")
    options.add_argument("--only", default="", choices=("fast", "dead"), help="one of the two")
    chosen = options.parse_args()
    works: dict[str, Callable[[Bench], str]] = {
        "fast": lambda bench: fast(bench, chosen.events),
        "dead": lambda bench: dead_among(bench, 50, 50, 40, 0.25),
    }
    for name, work in works.items():
        if chosen.only not in ("", name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            database = open_database(chosen.database) if chosen.database else SQLite(Path(folder) / "bench.db")
            migrate(database, [MIGRATION])
            bench = Bench(database)
            try:
                print(work(bench), flush=True)
            finally:
                bench.stop()
                database.close()


if __name__ == "__main__":
    main()
