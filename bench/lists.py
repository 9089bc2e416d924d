"""Lists with a filter over many objects, against one GET: does an index serve each of them?

    python bench/lists.py [--count 1000000] [--seconds 2] [--rounds 3]

Stores so many PaymentIntents (ten a customer), charges (one a PaymentIntent) and events (twenty types), through the
storage layer, then asks a server for pages over HTTP, in turn with a single GET.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
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
_MADE = 1_700_000_000  # UTC epoch seconds of the first object; a thousand a second follow
_TYPES = [
    f"{thing}.{what}" for thing in ("customer", "charge", "invoice", "payment_intent", "payout") for what in "abcd"
]

Change = Callable[[dict[str, object], int], None]


def _intent(value: dict[str, object], number: int) -> None:
    value.update(
        id=f"pi_{number:024d}", customer=f"cus_{number // 10:014d}", amount=2000, currency="usd", status="succeeded"
    )


def _charge(value: dict[str, object], number: int) -> None:
    value.update(id=f"ch_{number:024d}", payment_intent=f"pi_{number:024d}", amount=2000, currency="usd")
    value["customer"] = f"cus_{number // 10:014d}"


def _event(value: dict[str, object], number: int) -> None:
    value.update(id=f"evt_{number:024d}", type=_TYPES[number * 7 % 20], _about=f"ch_{number:024d}")
    value["data"] = {"object": new_object("customer", id=f"cus_{number:014d}")}


def fill(data: Path, count: int) -> None:
    """Store so many of each."""
    core = open_core(Settings(data=str(data), test_rate_limit=0))
    scope = Scope(ensure_first_account(core).id, False)
    kinds: dict[str, Change] = {"payment_intent": _intent, "charge": _charge, "event": _event}
    for kind, change in kinds.items():
        table, began = core.setup.tables.of[kind], time.perf_counter()
        for start in range(0, count, _BATCH):

            def work(tx: Tx, start: int = start, kind: str = kind, change: Change = change) -> None:
                for number in range(start, min(start + _BATCH, count)):
                    value = new_object(kind, created=_MADE + number // 1000, livemode=False)
                    change(value, number)
                    values = table.values(value)  # noqa: B023  (runs at once)
                    value.pop("_about", None)
                    table.insert(tx, scope, str(value["id"]), _MADE + number // 1000, encode(value), None, values)  # noqa: B023

            core.database.write(work)
        print(f"{count:,} of {kind}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    core.close()


def main() -> None:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    some = args.count // 2
    paths = {
        "GET payment_intent": f"/v1/payment_intents/pi_{some:024d}",
        "payment_intents of a customer": f"/v1/payment_intents?customer=cus_{some // 10:014d}",
        "charges of a payment_intent": f"/v1/charges?payment_intent=pi_{some:024d}",
        "charges of a customer": f"/v1/charges?customer=cus_{some // 10:014d}",
        "charges by time": f"/v1/charges?created[gte]={_MADE + some // 2000}&created[lt]={_MADE + some // 2000 + 60}",
        "events of a type": "/v1/events?type=charge.b",
        "a later page of events": f"/v1/events?type=charge.b&starting_after=evt_{some // 20 * 20 + 15:024d}",
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fill(folder, args.count)
        server = stack.enter_context(tollkey(folder))
        address = urlsplit(server["url"])
        counts = {
            name: len(call(server["url"], server["secret_key"], path).get("data", [0])) for name, path in paths.items()
        }  # type: ignore[arg-type]
        for connections in (1, 32):
            rates: dict[str, list[float]] = {name: [] for name in paths}
            for _ in range(args.rounds):
                for name, path in paths.items():
                    message = request("GET", path, {"Authorization": f"Bearer {server['secret_key']}"})
                    rates[name].append(
                        drive(
                            str(address.hostname), int(address.port or 0), same(message), connections, args.seconds
                        ).rate
                    )
            single = median(rates["GET payment_intent"])
            print(f"{f'{connections} connections':32}{'objects':>8}{'rate':>12}{'times a GET':>14}")
            for name, found in rates.items():
                print(f"{name:32}{counts[name]:>8}{median(found):>10,.0f}/s{single / median(found):>14.2f}", flush=True)


if __name__ == "__main__":
    main()
