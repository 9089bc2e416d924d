"""What a write costs, counted: processor time, system calls, pages, statements, exchanges a request.

    PYTHONPATH=src python bench/writes.py [--requests 640] [--rounds 3] [--only charge] [--postgres URL]
        [--pages] [--statements] [--strace]

Requests of each kind are answered in process, 32 at a time. Printed per request: processor time of the event loop's
thread and of all other threads (smallest of the rounds, since other work of the machine only adds to it), statements
of the write connection, and what these cost: on SQLite the pages that are written to the log (``--pages`` names the
table or index of each), on PostgreSQL the exchanges (all statements that are sent together are one) and the processor
time of the database's processes. Jobs that the requests schedule are not run. While pages and statements are counted,
no group ends because of its age.

``--strace`` counts the system calls of a server in a process of its own instead, 32 connections, over HTTP.
``--postgres`` takes an empty database; without it SQLite in a new folder is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from load import drive, in_turn, request
from over_http import subscribing, tollkey

from tollkey.core import ensure_first_account, open_core, test_pair
from tollkey.db import SQLite, sqlite_edge, sqlite_wal
from tollkey.server import Server, build
from tollkey.settings import Settings
from tollkey.wire.messages import Request

AT_ONCE = 32
TICK = os.sysconf("SC_CLK_TCK")
INTENT = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&allowed_payment_method_types[]=card"
PRICE = "unit_amount=1500&currency=usd&recurring[interval]=month&product_data[name]=Plan"
CARD = "payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa"
WORKS = {
    "customer": ("/v1/customers", "email=jenny@example.com&metadata[order]=6735"),
    "charge": ("/v1/charges", "amount=2000&currency=usd&source=tok_visa"),
    "payment_intent": ("/v1/payment_intents", INTENT),
    "subscription": ("/v1/subscriptions", ""),  # forms are made: each names a customer
}


class Cost(NamedTuple):
    """Microseconds of processor time a request. database: of PostgreSQL's processes."""

    loop: float
    others: float
    database: float


class Counts(NamedTuple):
    """What a run has come to. pages: of SQLite's log, by the name of their table or index."""

    statements: Counter[str]
    pages: Counter[str]
    round_trips: int


class Bench:
    """A server in this process."""

    def __init__(self, server: Server, key: str) -> None:
        self.server, self.key = server, key
        self._statements: Counter[str] = Counter()
        self._round_trips = 0

    async def post(self, path: str, form: str) -> bytes:
        """Send one request and return the object's JSON; any error ends the run."""
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/x-www-form-urlencoded"}
        response = await self.server.service.answer(Request("POST", path, b"", headers, form.encode(), "127.0.0.1"))
        if response.status != 200:
            raise SystemExit(f"POST {path} {form}: {response.status} {response.body.decode()}")
        return response.body

    async def make(self, path: str, form: str) -> str:
        """Make an object and return its id."""
        return str(json.loads(await self.post(path, form))["id"])

    async def run(self, path: str, forms: Sequence[str], requests: int) -> None:
        """Send so many requests, 32 at a time."""
        waiting = islice(cycle(forms), requests)

        async def client() -> None:
            for form in waiting:
                await self.post(path, form)

        await asyncio.gather(*(client() for _ in range(AT_ONCE)))
        await asyncio.to_thread(self.server.log.flush, self.server.core.logs)

    async def cost(self, path: str, forms: Sequence[str], requests: int) -> Cost:
        """Run once and return what it took of the processors."""
        loop, process, database = time.thread_time(), time.process_time(), self._database_seconds()
        await self.run(path, forms, requests)
        loop, process = time.thread_time() - loop, time.process_time() - process
        seconds = (loop, process - loop, self._database_seconds() - database)
        return Cost(*(1e6 * each / requests for each in seconds))

    def _database_seconds(self) -> float:
        """Processor time of PostgreSQL's processes for this server, which run on this machine."""
        database = self.server.core.database
        if isinstance(database, SQLite):
            return 0.0
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'tollkey'"
        pids = [row[0] for row in database.read(lambda tx: tx.execute(query))]
        found = 0.0
        for pid in pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            found += (int(fields[11]) + int(fields[12])) / TICK
        return found

    async def count(self, path: str, forms: Sequence[str], requests: int) -> Counts:
        """Run once more and count statements, pages and round trips."""
        self._statements, self._round_trips = Counter(), 0
        sqlite_edge.BATCH_SECONDS = sqlite_edge.GROUP_SECONDS = 5.0  # other work of the machine must not cut groups
        database = self.server.core.database
        if not isinstance(database, SQLite):
            with self._counting_round_trips():
                await self.run(path, forms, requests)
            return Counts(self._statements, Counter(), self._round_trips)
        database.checkpoint(restart=True)
        with database.write_lock:
            writer = database.batch_tx()._connection
        writer.set_trace_callback(self._statement)
        await self.run(path, forms, requests)
        writer.set_trace_callback(None)
        return Counts(self._statements, pages_of(database), 0)

    def _statement(self, sql: str) -> None:
        if not sql.startswith("--"):  # what SQLite runs of itself: foreign keys, triggers
            self._statements[named(sql)] += 1

    @contextmanager
    def _counting_round_trips(self) -> Iterator[None]:
        import psycopg

        wait, execute, many = psycopg.Connection.wait, psycopg.Cursor.execute, psycopg.Cursor.executemany
        leave = psycopg.Pipeline.__exit__

        def counted_wait(connection: Any, *args: Any, **named: Any) -> Any:
            self._round_trips += connection._pipeline is None
            return wait(connection, *args, **named)

        def counted_leave(*args: Any) -> Any:
            self._round_trips += 1
            return leave(*args)

        def counted(*args: Any, **given: Any) -> Any:
            self._statement(_text(args[1]))
            return execute(*args, **given)

        def counted_many(*args: Any, **given: Any) -> Any:
            self._statement(_text(args[1]))
            return many(*args, **given)

        replaced = {"wait": counted_wait, "execute": counted, "executemany": counted_many}
        for name, function in replaced.items():
            setattr(psycopg.Connection if name == "wait" else psycopg.Cursor, name, function)
        psycopg.Pipeline.__exit__ = counted_leave  # type: ignore[method-assign]
        try:
            yield
        finally:
            psycopg.Pipeline.__exit__ = leave  # type: ignore[method-assign]
            for name, function in {"wait": wait, "execute": execute, "executemany": many}.items():
                setattr(psycopg.Connection if name == "wait" else psycopg.Cursor, name, function)


def _text(sql: Any) -> str:
    return sql.decode() if isinstance(sql, bytes) else str(sql)


def named(sql: str) -> str:
    """What a statement is, without its values: ``INSERT obj_charge``, ``SAVEPOINT``."""
    found = re.match(r"\s*(INSERT|DELETE|UPDATE|SELECT|\w+)", sql)
    verb = found[1] if found else "?"
    table = re.search(r"(?:INTO|FROM|UPDATE) ([\w.]+)", sql)
    return f"{verb} {table[1]}" if table and verb in ("INSERT", "DELETE", "UPDATE", "SELECT") else verb


def pages_of(database: SQLite) -> Counter[str]:
    """The pages in the log by the name of their table or index; the log has begun with the run."""
    log = Path(f"{database.path}-wal").read_bytes()
    size, salts = int.from_bytes(log[8:12], "big"), log[16:24]
    numbers = []
    for at in range(32, len(log) - 23, 24 + size):
        if log[at + 8 : at + 16] != salts:  # left over from before
            break
        numbers.append(int.from_bytes(log[at : at + 4], "big"))
    names = dict(database.read(lambda tx: tx.execute("SELECT pageno, name FROM dbstat"), single=True))
    return Counter(str(names.get(number, "free list")) for number in numbers)


async def in_process(folder: Path, url: str, args: argparse.Namespace) -> None:
    """Measure and print all kinds."""
    sqlite_wal.CHECKPOINT_WRITES = sqlite_wal.CHECKPOINT_BYTES = 1 << 60  # the log is read after the run
    settings = Settings(data=str(folder), database=url, test_rate_limit=0)
    core = open_core(settings)
    server = build(core)
    await server.edge.start()  # no background task: jobs would be done in the time of other requests
    try:
        await _measure(server, args)
    finally:
        await server.stop()


async def _measure(server: Server, args: argparse.Namespace) -> None:
    core = server.core
    bench = Bench(server, test_pair(core, ensure_first_account(core).id)[1])
    price = await bench.make("/v1/prices", PRICE)
    customers = [await bench.make("/v1/customers", CARD) for _ in range(100)]
    subscriptions = [f"customer={id}&items[0][price]={price}" for id in customers]
    kind = "SQLite" if isinstance(core.database, SQLite) else "PostgreSQL"
    further = "pages" if kind == "SQLite" else "exchanges   database"
    print(f"{kind:20} {'loop':>9} {'others':>9} {'statements':>11} {further:>12}")
    for name, (path, form) in WORKS.items():
        if args.only not in name:
            continue
        forms = [form] if form else subscriptions
        await bench.run(path, forms, 64)
        costs = [await bench.cost(path, forms, args.requests) for _ in range(args.rounds)]
        counts = await bench.count(path, forms, 320)
        _print(name, Cost(*map(min, zip(*costs, strict=True))), counts, args)


def _print(name: str, cost: Cost, counts: Counts, args: argparse.Namespace) -> None:
    further = f"{counts.pages.total() / 320:12.1f}"
    if not counts.pages:
        further = f"{counts.round_trips / 320:12.2f} {cost.database:7.0f} µs"
    line = f"{name:20} {cost.loop:6.0f} µs {cost.others:6.0f} µs {counts.statements.total() / 320:11.1f}"
    print(f"{line} {further}", flush=True)
    for wanted, found in ((args.statements, counts.statements), (args.pages, counts.pages)):
        for what, number in found.most_common() if wanted else ():
            print(f"    {number / 320:6.2f}  {what}")


def system_calls(args: argparse.Namespace, folder: Path) -> None:
    """Count and print the system calls of a server in a process of its own."""
    with tollkey(folder / "data", args.postgres) as ours:
        address = urlsplit(ours["url"])
        for name, (path, form) in WORKS.items():
            if args.only not in name:
                continue
            forms = [form] if form else subscribing(ours["url"], ours["secret_key"])
            headers = {"Authorization": f"Bearer {ours['secret_key']}"}
            messages = in_turn([request("POST", path, headers, each.encode()) for each in forms])
            place = (str(address.hostname), int(address.port or 80), messages, AT_ONCE)
            drive(*place, 0.5)
            report = folder / "strace"
            tracer = subprocess.Popen(
                ["strace", "-c", "-f", "-o", report, "-p", ours["pid"]], stderr=subprocess.PIPE, text=True
            )
            assert tracer.stderr is not None
            tracer.stderr.readline()  # it is attached
            done = drive(*place, 2.0)
            tracer.send_signal(2)
            tracer.wait()
            found: Counter[str] = Counter()
            for line in report.read_text().splitlines()[2:-2]:
                fields = line.split()
                found[fields[-1]] += int(fields[3])
            each = ", ".join(f"{call} {n / done.requests:.1f}" for call, n in found.most_common(9))
            print(
                f"{name:20} {found.total() / done.requests:5.1f} a request: {each} ({done.errors} errors)", flush=True
            )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=640, help="of each kind in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--postgres", default="", help="postgresql://… of an empty database")
    parser.add_argument("--pages", action="store_true", help="name the pages")
    parser.add_argument("--statements", action="store_true", help="name the statements")
    parser.add_argument("--strace", action="store_true", help="count system calls over HTTP instead")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.strace:
            system_calls(args, Path(folder))
        else:
            asyncio.run(in_process(Path(folder), args.postgres, args))


if __name__ == "__main__":
    main()
