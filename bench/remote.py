"""What it costs to verify a key elsewhere: ``RemoteKeys`` from memory and by asking, against ``KeyService`` in process.

    PYTHONPATH=src python bench/remote.py [--rounds 9] [--keys 1000]

It starts ``tollkey keys serve`` on SQLite beside it. Each round runs every variant once, in turn; the median of the
rounds counts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tollkey.keys import KeyService
from tollkey.keys.remote import RemoteKeys


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--keys", type=int, default=1000, help="keys stored; verified in random order")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "keys.db")
        with KeyService.open(database, flush_seconds=0) as service:
            texts = [service.create()[1] for _ in range(options.keys)]
            command = [
                sys.executable,
                "-m",
                "tollkey",
                "keys",
                "serve",
                "--database",
                database,
                "--port",
                "0",
                "--json",
            ]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
                assert server.stdout is not None
                facts = json.loads(server.stdout.readline())
                with (
                    RemoteKeys(facts["url"], facts["admin_key"]) as remote,
                    RemoteKeys(facts["url"], facts["admin_key"], capacity=0) as asking,
                ):
                    compare(service, remote, asking, texts, options.rounds)
                server.terminate()


def compare(service: KeyService, remote: RemoteKeys, asking: RemoteKeys, texts: list[str], rounds: int) -> None:
    """Print microseconds for each variant, and how many times that of ``KeyService.verify`` it is."""
    while any(remote.verify_cached(text) is None for text in texts):
        for text in texts:
            remote.verify(text)
        threading.Event().wait(0.1)
    for text in texts:
        service.verify(text)
    variants: dict[str, tuple[Callable[[str], object], int]] = {
        "KeyService.verify, from memory": (service.verify, 20_000),
        "RemoteKeys.verify, from memory": (remote.verify, 20_000),
        "KeyService.check, from memory": (service.check, 20_000),
        "RemoteKeys.check, from memory": (remote.check, 20_000),
        "RemoteKeys.check, asking a server on this machine": (asking.check, 300),
    }
    order = random.Random(1).choices(texts, k=20_000)
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, (call, times) in variants.items():
            began = time.perf_counter()
            for text in order[:times]:
                call(text)
            taken[name].append((time.perf_counter() - began) / times * 1e6)
    first = statistics.median(taken["KeyService.verify, from memory"])
    for name, found in taken.items():
        median = statistics.median(found)
        print(f"{name:50} {median:8.2f} µs  {median / first:7.2f}")


if __name__ == "__main__":
    main()
