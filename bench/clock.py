"""Advancing a test clock over many subscriptions: is it linear, and can it be watched?

    python bench/clock.py [--sizes 100,300,1000]

In process, through the API: so many customers, each with a monthly subscription, live on one test clock (the limit of
three customers is lifted, as a server's setting allows). The clock is advanced a month and five days: each subscription
renews, its invoice is made, finalised and paid. While that goes on, the clock is read as a client would read it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from tollkey.core import Core, ensure_first_account, open_core, test_pair
from tollkey.server import build, run_due
from tollkey.settings import Settings
from tollkey.wire.messages import Request

_BEGIN = 1_767_225_600  # 2026-01-01, UTC epoch seconds
_CLOCKS = "/v1/test_helpers/test_clocks"


class Client:
    """The API of one server, in process."""

    def __init__(self, core: Core) -> None:
        self.core, self.server = core, build(core)
        self._key = test_pair(core, ensure_first_account(core).id)[1]

    async def ask(self, method: str, path: str, **form: Any) -> dict[str, Any]:
        """One request. Raises SystemExit for a refusal."""
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/x-www-form-urlencoded"}
        answer = await self.server.service.answer(
            Request(method, path, b"", headers, urlencode(form).encode(), "127.0.0.1")
        )
        found: dict[str, Any] = json.loads(answer.body)
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {found}")
        return found


async def measure(size: int, folder: str) -> None:
    """Fill one clock, advance it, print what it took."""
    core = open_core(Settings(data=folder, test_rate_limit=0))
    core.setup.services["test_clock_limit"] = size
    client = Client(core)
    await client.server.edge.start()
    clock = (await client.ask("POST", _CLOCKS, frozen_time=_BEGIN))["id"]
    recurring = {"recurring[interval]": "month", "product_data[name]": "Plan"}
    price = (await client.ask("POST", "/v1/prices", unit_amount=1500, currency="usd", **recurring))["id"]
    began = time.perf_counter()
    for number in range(size):
        default = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
        customer = await client.ask(
            "POST", "/v1/customers", email=f"user{number}@example.com", test_clock=clock, **default
        )
        await client.ask("POST", "/v1/subscriptions", customer=customer["id"], **{"items[0][price]": price})
    made = time.perf_counter() - began
    began = time.perf_counter()
    await client.ask("POST", f"{_CLOCKS}/{clock}/advance", frozen_time=_BEGIN + 36 * 86400)
    seen: list[int] = []
    while True:
        await run_due(core, client.server.edge)
        shown = await client.ask("GET", f"{_CLOCKS}/{clock}")
        if shown["frozen_time"] not in seen:
            seen.append(shown["frozen_time"])
        if shown["status"] == "ready":
            break
    took = time.perf_counter() - began
    paid = await client.ask("GET", "/v1/invoices")
    assert paid["data"][0]["status"] == "paid", paid["data"][0]["status"]
    total = core.database.read(lambda tx: tx.execute("SELECT count(*) FROM obj_invoice")[0][0])
    each = f"{made / size * 1e3:>10.2f} ms{took:>10.2f} s{took / size * 1e3:>10.2f} ms"
    print(f"{size:>8,}{each}{total - size:>12,}{len(seen):>12}", flush=True)
    await client.server.http.aclose()
    await client.server.edge.stop()


def main() -> None:
    """One clock after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,300,1000")
    args = parser.parse_args()
    print(f"{'on clock':>8}{'to create':>13}{'to advance':>12}{'each':>13}{'renewals':>12}{'times seen':>12}")
    for size in args.sizes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(int(size), folder))


if __name__ == "__main__":
    main()
