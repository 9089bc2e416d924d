"""How much memory a cached key takes, and how long it takes to verify one that was not in use recently.

    .venv/bin/python bench/memory.py [--keys 100000]

Memory is counted by tracemalloc: what the cache holds for each key after all of them were verified once.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
import tracemalloc
from dataclasses import replace

from tollkey.db import Ids, Scope
from tollkey.keys import Key, Permission
from tollkey.keys.actors import SYSTEM
from tollkey.keys.authority import Authority
from tollkey.keys.cache import cached
from tollkey.keys.keyring import Keyring
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.token import generate, mask_known, redact
from tollkey.keys.verifier import Verifier


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--keys", type=int, default=100_000)
    count = arguments.parse_args().keys
    catalogue = PermissionCatalogue([Permission("report", "Reports"), Permission("user", "Users")])
    keyring, ids = Keyring.fresh(), Ids()
    draft = Authority(keyring, catalogue)._draft(
        Scope("acct_1AaBbCcDdEeFfGgHh", True), "restricted", "CI", 1, SYSTEM, hides=True
    )
    texts = [generate("restricted", True, keyring.account_mark(draft.account), ids) for _ in range(count)]
    verifier = Verifier(keyring, catalogue, capacity=count)
    verifier.lease.bound_seconds = 3600.0
    verifier.lease.renew(time.monotonic())

    def as_read(text: str) -> Key:
        granted = frozenset([f"{name}"[:] for name in ("report_read", "user_write")])
        return replace(
            draft, id=ids.new("mk"), permissions=granted, effective=catalogue.expand(granted), redacted=redact(text),
            masked=mask_known(text), name=f"Key of {os.urandom(4).hex()}", hidden_at=int(time.time()),
            revealed_at=int(time.time()), created=int(time.time()), revealable=False,
        )  # fmt: skip

    tracemalloc.start()
    for text in texts:
        key = as_read(text)
        verifier._cache.store(keyring.digest(text), cached(key), verifier.epoch, text)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{len(verifier._cache)} keys: {held / count:.0f} bytes a key")
    rounds: dict[str, list[float]] = {"of the 1,000 in use most recently": [], "of all": []}
    for _ in range(5):
        for name, chosen in (("of the 1,000 in use most recently", texts[-1000:]), ("of all", texts)):
            order = random.Random(1).choices(chosen, k=5_000)
            for text in chosen[-1000:]:
                verifier.verify_cached(text, 1)
            began = time.process_time()
            for text in order:
                assert verifier.verify_cached(text, 1)
            rounds[name].append((time.process_time() - began) / len(order) * 1e6)
    for name, took in rounds.items():
        print(f"verifying one {name}: {statistics.median(took):.1f} microseconds")


if __name__ == "__main__":
    main()
