"""How fast the Dashboard's pages open: the keys page with 1,000 keys, the logs with 1,000,000 requests.

    python bench/dashboard.py [--requests 1000000] [--keys 1000] [--rounds 15] [--database postgresql://…] [--only TEXT]
    [--data FOLDER]

Server time only, in process: from the request to the last byte of the page. Each round asks every page once and,
    between them, one customer through the API (the single GET), so that all of them see the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tollkey.core import Core, ensure_first_account, open_core, test_pair
from tollkey.dashboard import people
from tollkey.dashboard.app import App
from tollkey.dashboard.for_payments import ForPayments
from tollkey.dashboard.passwords import Passwords
from tollkey.dashboard.routing import PageRequest
from tollkey.dashboard.sessions import start
from tollkey.db import Scope
from tollkey.keys.actors import SYSTEM
from tollkey.platform.request_counts import count
from tollkey.server import build
from tollkey.settings import Settings
from tollkey.wire.messages import Request
from tollkey.wire.versions import LATEST

NOW = 1_767_225_600
_DAYS = 30
_PATHS = ("/v1/charges", "/v1/payment_intents", "/v1/customers", "/v1/refunds", "/v1/events", "/v1/balance")
_COLUMNS = (
    "id, account, livemode, at, milliseconds, method, path, query, status, error_code, key_id, key_shown, ip, version,"
    " user_agent,"
    " idempotency_key, request_body, response_body, object_id"
)


def fill(core: Core, account: str, requests: int, keys: int) -> None:
    """Keys, and requests of the last 30 days, the newest last."""
    scope, chance = Scope(account, False), random.Random(7)

    def make_keys(tx: Any) -> list[str]:
        return [
            core.authority.create(
                tx, scope, "restricted", actor=SYSTEM, now=NOW, name=f"Service {n}", permissions=["dispute_read"]
            )[0].id
            for n in range(keys)
        ]

    ids = core.database.write(make_keys)
    step = _DAYS * 86400 / max(requests, 1)
    insert = f"INSERT INTO request_logs ({_COLUMNS}) VALUES ({', '.join('?' * 19)})"
    for begin in range(0, requests, 20_000):
        rows = []
        for n in range(begin, min(begin + 20_000, requests)):
            bad = chance.random()
            status, code = (500, None) if bad < 0.0005 else (402, "card_declined") if bad < 0.03 else (200, None)
            rows.append((
                f"req_{n:014}", account, 0, int(NOW - _DAYS * 86400 + n * step), 3, "POST" if n % 3 else "GET",
                chance.choice(_PATHS), "",
                status, code, ids[n % len(ids)] if ids else None, "rk_test_...abcd", "127.0.0.1", LATEST,
                "bench", None,
                "amount=2000&currency=usd" * 3, '{"id": "ch_1", "object": "charge"}' * 8, f"ch_{n:024}",
            ))  # fmt: skip
        core.logs.write(
            lambda tx, rows=rows: (tx.execute_many(insert, rows), count(tx, ((*row[1:4], *row[8:11]) for row in rows)))
        )
    if core.logs.dialect == "postgres":
        core.logs.write(lambda tx: tx.execute("ANALYZE request_logs"))


def pages(key: str) -> dict[str, str]:
    """What is opened, by name."""
    return {
        "keys": "/apikeys",
        "one key": f"/apikeys/{key}",
        "logs": "/logs",
        "logs, second page": "/logs?after=req_{last:014}",
        "logs, refused": "/logs?status=4",
        "logs, failed": "/logs?status=5",
        "logs, a status that never came": "/logs?status=409",
        "logs, method": "/logs?method=GET",
        "logs, path": "/logs?path=/v1/refunds",
        "logs, a path that never came": "/logs?path=/v1/nowhere",
        "logs, one key": f"/logs?key={key}",
        "logs, a day": "/logs?from=2025-12-10&to=2025-12-10",
        "one request": "/logs/req_{last:014}",
        "overview, 24 hours": "/developers",
        "overview, 7 days": "/developers?span=7d",
        "overview, 30 days": "/developers?span=30d",
        "home": "/home",
    }


def main() -> None:
    """Fill a database and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--database", default="")
    parser.add_argument("--only", default="", help="only pages whose name holds this")
    parser.add_argument("--data", default="", help="a folder to fill once and use again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.data or scratch
        core = open_core(
            Settings(data=str(Path(folder)), test_rate_limit=0, database=asked.database, lease_seconds=1e12),
            now=lambda: NOW,
        )
        core.verifier.lease.renew(time.monotonic())
        account = ensure_first_account(core).id
        began = time.perf_counter()
        if not core.database.read(lambda tx: tx.execute("SELECT 1 FROM request_logs LIMIT 1")):
            fill(core, account, asked.requests, asked.keys)
        print(f"filled in {time.perf_counter() - began:.0f} s: {asked.keys:,} keys, {asked.requests:,} requests")
        asyncio.run(measure(core, account, asked.requests, asked.rounds, asked.only))


async def measure(core: Core, account: str, requests: int, rounds: int, only: str) -> None:
    """Print the median and the slowest of each page, and of the single GET."""
    server = build(core)
    await server.edge.start()
    app = App(ForPayments(core.setup), server.edge, core.authority, core.now, Passwords(1, 8))
    token = core.database.write(lambda tx: _owner(core, tx, account))
    _, secret = test_pair(core, account)
    headers = {"authorization": f"Bearer {secret}"}
    made = await server.service.answer(Request("POST", "/v1/customers", b"", headers, b"", "127.0.0.1"))
    customer = made.body.decode().split('"id": "')[1].split('"')[0]
    key = core.database.read(lambda tx: core.authority.list(tx, Scope(account, False), limit=5))[1].id
    wanted = {name: path.format(last=max(requests - 60, 0)) for name, path in pages(key).items() if only in name}
    taken: dict[str, list[float]] = {name: [] for name in [*wanted, "single GET"]}
    for round in range(rounds + 2):
        for name, path in wanted.items():
            bare, _, query = path.partition("?")
            begin = time.perf_counter()
            page = await app.respond(
                PageRequest(
                    "GET",
                    f"/{account}/test{bare}",
                    query,
                    {"host": "t", "cookie": f"tollkey_session={token}"},
                    "127.0.0.1",
                    False,
                    "",
                )
            )
            taken[name].append(time.perf_counter() - begin)
            assert page.status == 200, (name, page.status)
            begin = time.perf_counter()
            got = await server.service.answer(
                Request("GET", f"/v1/customers/{customer}", b"", headers, b"", "127.0.0.1")
            )
            taken["single GET"].append(time.perf_counter() - begin)
            assert got.status == 200
        if round == 1:  # templates are compiled, caches warm
            for times in taken.values():
                times.clear()
    single = statistics.median(taken["single GET"])
    print(f"{'page':34} {'median':>10} {'slowest':>10} {'of a GET':>10}")
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"{name:34} {middle * 1000:>8.2f}ms {max(times) * 1000:>8.2f}ms {middle / single:>9.0f}x")
    await server.edge.stop()


def _owner(core: Core, tx: Any, account: str) -> str:
    email = f"{core.setup.ids.text(8).lower()}@example.com"
    person = people.add_person(tx, core.setup.ids, email=email, name="Bench", password="-", now=NOW)
    people.join(tx, account, person.id, "administrator", NOW)
    return start(
        tx, core.authority.keyring, core.setup.ids, person=person.id, stage="full", now=NOW, ip=None, agent="bench"
    )


if __name__ == "__main__":
    main()
