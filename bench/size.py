"""Does cost grow with what is stored? GET, POST, and a filtered list with 0, 10,000 and 1,000,000 customers.

    python bench/size.py [--sizes 0,10000,1000000] [--seconds 2] [--rounds 3]

One server a size, all running at once and measured in turn, so that the ratios hold when the machine's speed
drifts. The customers are written by the storage layer itself before the server starts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from load import drive, request, same
from over_http import call, tollkey

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from tollkey.core import ensure_first_account, open_core
from tollkey.db import Scope, Tx
from tollkey.settings import Settings
from tollkey.wire import new_object
from tollkey.wire.objects import encode

_BATCH = 10_000


def fill(data: Path, count: int) -> None:
    """Store so many customers, ten of each e-mail address."""
    core = open_core(Settings(data=str(data), test_rate_limit=0))
    merchant = ensure_first_account(core)
    scope, table = Scope(merchant.id, False), core.setup.tables.of["customer"]
    began = time.perf_counter()
    for start in range(0, count, _BATCH):

        def work(tx: Tx, start: int = start) -> None:
            for number in range(start, min(start + _BATCH, count)):
                made = new_object(
                    "customer", id=core.setup.ids.new("cus"), created=1_700_000_000 + number // 10, livemode=False
                )
                made["email"] = f"user{number // 10}@example.com"
                table.insert(tx, scope, made["id"], made["created"], encode(made), None, table.values(made))

        core.database.write(work)
        done = min(start + _BATCH, count)
        print(
            f"\r{done:,} of {count:,} customers, {done / (time.perf_counter() - began):,.0f}/s", end="", file=sys.stderr
        )
    if count:
        print(file=sys.stderr)
    core.close()


def main() -> None:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="0,10000,1000000")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    sizes = [int(size) for size in args.sizes.split(",")]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = []
        for size in sizes:
            fill(folder / str(size), size)
            began = time.perf_counter()
            server = stack.enter_context(tollkey(folder / str(size)))
            made = call(server["url"], server["secret_key"], "/v1/customers", "email=user7@example.com")
            print(f"{size:,} customers: start to first answer {time.perf_counter() - began:.2f} s")
            servers.append((server, str(made["id"])))
        works = {
            "GET customer": lambda id: ("GET", f"/v1/customers/{id}", b""),
            "POST customer": lambda id: ("POST", "/v1/customers", b"email=new@example.com"),
            "list by email": lambda id: ("GET", "/v1/customers?email=user7%40example.com&limit=10", b""),
            "list by created": lambda id: (
                "GET",
                "/v1/customers?created[gte]=1700000500&created[lt]=1700000600&limit=10",
                b"",
            ),
        }
        print(f"{'work':18}{'connections':>12}" + "".join(f"{size:>16,}" for size in sizes) + f"{'last/first':>12}")
        for name, make in works.items():
            for connections in (1, 32):
                rates: list[list[float]] = [[] for _ in servers]
                for _ in range(args.rounds):
                    for place, (server, id) in enumerate(servers):
                        method, path, body = make(id)
                        address = urlsplit(server["url"])
                        message = request(method, path, {"Authorization": f"Bearer {server['secret_key']}"}, body)
                        rates[place].append(
                            drive(
                                str(address.hostname), int(address.port or 0), same(message), connections, args.seconds
                            ).rate
                        )
                middle = [median(found) for found in rates]
                cells = "".join(f"{rate:>14,.0f}/s" for rate in middle)
                print(f"{name:18}{connections:>12}{cells}{middle[-1] / middle[0]:>12.2f}", flush=True)


if __name__ == "__main__":
    main()
