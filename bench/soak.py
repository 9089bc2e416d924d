#!/usr/bin/env python3
"""A long run of the simulation: random calls to every resource, and after each what must hold (tests/simulation).

    python bench/soak.py --calls 100000 --seed 7              on SQLite in a temporary folder
    python bench/soak.py --calls 20000 --seed 7 --worlds 4    a fresh server each 5,000 calls, with the seeds 7 to 10
    python bench/soak.py --days 90 --calls 27000              90 days of updates, 300 a day

The last one prints what files and memory take at the end of each tenth day, and ends with 1 if the files of the
last day are more than a twentieth larger than those of day 40: everything is kept for 30 days.

Ends with 1 and a short trace when something does not hold; the seed and the number of the call repeat it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import httpx  # noqa: E402

from tests.simulation.simulation import Broken, Simulation  # noqa: E402
from tests.support.api import Api, World, open_world  # noqa: E402
from tollkey.db import SQLite, Tx  # noqa: E402
from tollkey.outbox.over_httpx import Posts  # noqa: E402
from tollkey.platform.background import Kept, delete_expired  # noqa: E402


def soak(calls: int, seed: int) -> bool:
    """One run on a server of its own. Returns whether everything held."""
    with tempfile.TemporaryDirectory() as folder:
        opening = open_world("", Path(folder))
        began = time.perf_counter()
        run = Simulation(Api(next(opening)), seed)
        try:
            run.run(calls)
        except Broken as problem:
            print(problem)
            return False
        finally:
            for _ in opening:
                pass
        statuses = ", ".join(f"{count} × {status}" for status, count in sorted(run.statuses.items()))
        print(
            f"seed {seed}: {calls} calls in {time.perf_counter() - began:.1f} s: {statuses}; {run.events.total()}"
            f" events",
            flush=True,
        )
        print("  " + ", ".join(f"{type} {count}" for type, count in Counter(run.events).most_common(12)), flush=True)
    return True


class Answering(httpx.AsyncBaseTransport):
    """A webhook endpoint that answers each delivery with 200."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"ok"))


def age(days: int, calls: int) -> bool:
    """Update customers for so many days, and tidy up as a server does. Returns whether the files stay as large."""
    with tempfile.TemporaryDirectory() as name:
        opening = open_world("", Path(name))
        world = next(opening)
        world.server.deliverer._poster = Posts(httpx.AsyncClient(transport=Answering()))
        api, sizes = Api(world), list[int]()
        api.post("/v1/webhook_endpoints", url="https://shop.example/hook", enabled_events=["*"])
        customers = [api.post("/v1/customers", description="a")["id"] for _ in range(20)]
        for day in range(1, days + 1):
            for number in range(calls // days):
                path, told = f"/v1/customers/{customers[number % 20]}", f"{day} {number}"
                api.ok("POST", path, headers={"idempotency-key": told}, description=told)
            world.clock[0] += 86_400
            sizes.append(tidy(world, Path(name)))
            if day % 10 == 0:
                resident = int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024
                print(
                    f"day {day:3}: {sizes[-1] / 1e6:6.1f} MB of files, {resident} MB of memory; {_rows(world)}",
                    flush=True,
                )
        for _ in opening:
            pass
    return len(sizes) <= 40 or sizes[-1] <= sizes[39] * 1.05


def _rows(world: World) -> str:
    tables = ("obj_event", "outbox_deliveries", "outbox_attempts", "request_logs", "idempotency")

    def count(tx: Tx) -> str:
        return ", ".join(f"{table} {tx.execute(f'SELECT count(*) FROM {table}')[0][0]}" for table in tables)

    return world.core.database.read(count)


def tidy(world: World, folder: Path) -> int:
    """Deliver, write the logs, delete what is old; return the bytes of all files."""
    while world.runner.run(world.server.deliverer.run_once()):
        pass
    world.write_logs()
    world.write_uses()
    core = world.core
    world.runner.run(delete_expired(world.server.edge, core.logs, world.clock[0], Kept()))
    for database in (core.database, core.logs):
        assert isinstance(database, SQLite)
        database.checkpoint(restart=True)
    return sum(file.stat().st_size for file in folder.glob("*.db"))


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=100_000, help="how many calls in all")
    options.add_argument("--seed", type=int, default=1, help="decides the run")
    options.add_argument("--worlds", type=int, default=1, help="over how many fresh servers the calls are spread")
    options.add_argument("--days", type=int, default=0, help="update customers for so many days instead")
    chosen = options.parse_args()
    if chosen.days:
        raise SystemExit(0 if age(chosen.days, chosen.calls) else 1)
    each = chosen.calls // chosen.worlds
    held = [soak(each, chosen.seed + number) for number in range(chosen.worlds)]
    raise SystemExit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
