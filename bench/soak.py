#!/usr/bin/env python3
"""A long run of the simulation: random calls to every resource, and after each what must hold (tests/simulation).

    python bench/soak.py --calls 100000 --seed 7              on SQLite in a temporary folder
    python bench/soak.py --calls 20000 --seed 7 --worlds 4    a fresh server each 5,000 calls, with the seeds 7 to 10

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

from tests.simulation.simulation import Broken, Simulation  # noqa: E402
from tests.support.api import Api, open_world  # noqa: E402


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


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=100_000, help="how many calls in all")
    options.add_argument("--seed", type=int, default=1, help="decides the run")
    options.add_argument("--worlds", type=int, default=1, help="over how many fresh servers the calls are spread")
    chosen = options.parse_args()
    each = chosen.calls // chosen.worlds
    held = [soak(each, chosen.seed + number) for number in range(chosen.worlds)]
    raise SystemExit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
