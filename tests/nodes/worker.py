"""A node in a process of its own that does what is due and ends: ``worker.py <database> <folder> <now> [stop]``.

It says ``ready``, waits for a line, and works. The kind ``test.long`` makes a customer; with ``stop`` it then says
``claimed`` and never ends, so that the process can be killed in the middle.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import Any

from tollkey.core import Core, open_core
from tollkey.db.edge import edge_for
from tollkey.server import run_due
from tollkey.settings import Settings
from tollkey.wire import Call
from tollkey.wire.resource import Catalogue

KIND = "test.long"


def know(catalogue: Catalogue, stops: bool = False) -> None:
    """Let a node know what ``test.long`` is."""

    def work(call: Call, id: str) -> None:
        made: dict[str, Any] = {
            "id": call.ids.new("cus"),
            "object": "customer",
            "created": call.now,
            "livemode": False,
            "metadata": {},
        }
        call.objects.insert(made, "customer.created")
        while stops:
            print("claimed", flush=True)
            time.sleep(600)

    catalogue.by_job[KIND] = replace(catalogue.by_object["refund"], on_due={KIND: work}, due_live={})


async def everything(core: Core) -> int:
    """Do what is due, until nothing is; returns how many pieces this node did."""
    edge, done = edge_for(core.database), 0
    while claimed := await run_due(core, edge):
        done += claimed
    await edge.stop()
    return done


def main(database: str, folder: str, now: str, *more: str) -> None:
    """As the module says."""
    core = open_core(Settings(data=folder, database=database), now=lambda: int(now))
    know(core.catalogue, "stop" in more)
    print("ready", flush=True)
    sys.stdin.readline()
    print(asyncio.run(everything(core)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
