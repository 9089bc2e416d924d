"""The addresses that keys were used from, kept to notice a new one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import islice

from tollkey.db import Migration, Tx, forking
from tollkey.keys.limits import network_of

MIGRATION = Migration(
    "key_addresses",
    (
        """CREATE TABLE key_addresses (
            key_id TEXT NOT NULL,
            address TEXT NOT NULL,
            first_at {int} NOT NULL,
            known {bool} NOT NULL,
            PRIMARY KEY (key_id, address)
        )""",
        "CREATE INDEX key_addresses_new ON key_addresses (first_at) WHERE known = 0",
    ),
)
MOST_ADDRESSES = 200  # of a key: further ones are not kept
_MOST_REMEMBERED = 100_000
_WAITING = 20_000

#: The first address of a key is known from the start; a later one is new until it was announced (``known``).
_ADD = (
    "INSERT INTO key_addresses (key_id, address, first_at, known)"
    " SELECT ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM key_addresses WHERE key_id = ?) THEN 0 ELSE 1 END"
    " WHERE (SELECT count(*) FROM key_addresses WHERE key_id = ?) < ?"
    " ON CONFLICT (key_id, address) DO NOTHING"
)


class Addresses(forking.ForkAware):
    """Remembers in memory where keys were used from, until it is written. Thread-safe and bounded.

    An IPv6 address counts as its /64 network.
    """

    def __init__(self) -> None:
        self.after_fork_in_child()
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start with nothing remembered."""
        self._seen: set[tuple[str, str]] = set()
        self._new: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def note(self, key_id: str, ip: str, now: int) -> None:
        """Note that a key was used from an address. ip: the caller's address. now: UTC epoch seconds."""
        if (key_id, ip) in self._seen:
            return
        with self._lock:
            if len(self._seen) >= _MOST_REMEMBERED:
                self._seen.clear()
            self._seen.add((key_id, ip))
            if len(self._new) < _WAITING:
                self._new.setdefault((key_id, network_of(ip)), now)

    @property
    def unwritten(self) -> bool:
        """Whether there are addresses that ``flush`` has not written."""
        return bool(self._new)

    def flush(self, tx: Tx, most: int) -> int:
        """Write at most ``most`` addresses, and return how many. They are kept in memory until the transaction commits.

        Raises StorageError.
        """
        with self._lock:
            written = sorted(islice(self._new.items(), most))
        rows: Sequence[Sequence[object]] = [
            (key_id, address, at, key_id, key_id, MOST_ADDRESSES) for (key_id, address), at in written
        ]
        if rows:
            tx.execute_many(_ADD, rows)
            tx.on_commit(lambda: self._flushed([pair for pair, _ in written]))
        return len(rows)

    def _flushed(self, written: Sequence[tuple[str, str]]) -> None:
        with self._lock:
            for pair in written:
                self._new.pop(pair, None)
