"""How fast keys are created in batches, how long a write waits while 60,000 used keys are flushed, and how long
``import tollkey.keys`` takes.

    .venv/bin/python bench/key_writes.py [--rounds 3]

The waits are compared with those of the same writes while nothing is flushed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from tollkey.db import Tx
from tollkey.keys import Key, KeyService, NewKey, Permission

USED = 60_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    rounds = arguments.parse_args().rounds
    took = importing(rounds * 5)
    print(f"import tollkey.keys: {statistics.median(took):.0f} ms of processor time ({took[0]:.0f} to {took[-1]:.0f})")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            one_round(Path(folder))


def importing(times: int) -> list[float]:
    """The processor time of the import in fresh processes, in milliseconds, sorted.

    The modules are compiled before, as ``pip install`` does, also where this process is told to write no bytecode.
    """
    code = "import time; began = time.process_time(); import tollkey.keys; print((time.process_time() - began) * 1e3)"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def once() -> float:
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
            )
            return float(done.stdout)

        once()
        return sorted(once() for _ in range(times))


def one_round(folder: Path) -> None:
    with KeyService.open(str(folder / "keys.db"), [Permission("report", "Reports")], flush_seconds=0) as service:
        began, used = time.perf_counter(), time.process_time()
        for _ in range(8):
            made = service.create_many(NewKey(permissions=["report_read"]) for _ in range(500))
        took, worked = time.perf_counter() - began, time.process_time() - used
        print(f"created {4000 / took:,.0f}/s, {4000 / worked:,.0f} for each second of processor time")
        use(service, made[0].key)
        before = waits(service, lambda: time.sleep(2))
        during = waits(service, lambda: service.flush())
        for name, found in (("nothing", before), (f"{USED:,} used keys", during)):
            print(
                f"writes while flushing {name}: median {statistics.median(found):.1f} ms,"
                f" 99 % under {found[int(len(found) * 0.99)]:.1f} ms, longest {found[-1]:.1f} ms of {len(found)}"
            )


def use(service: KeyService, key: Key) -> None:
    now = int(time.time())
    for number in range(USED):
        service.verifier.record_use(replace(key, id=f"mk_{number:024}"), now, "192.0.2.1", "GET /", route="GET /")


def waits(service: KeyService, work: object) -> list[float]:
    """How long writes took while the work was done, in milliseconds, sorted."""
    assert callable(work)
    found: list[float] = []
    done = threading.Event()

    def touch(tx: Tx) -> None:
        tx.execute("UPDATE key_usage SET uses = uses WHERE key_id = 'nobody'")

    def write() -> None:
        while not done.wait(0.001):
            began = time.perf_counter()
            service.database.write(touch)
            found.append((time.perf_counter() - began) * 1e3)

    writer = threading.Thread(target=write)
    writer.start()
    work()
    done.set()
    writer.join()
    return sorted(found)


if __name__ == "__main__":
    main()
