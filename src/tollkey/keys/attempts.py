"""Refused keys and failed sign-ins, counted by address and reason: what an attack looks like afterwards.

Counting is a dictionary in memory; others write it down in the background. It is bounded, so that nobody can fill the
disk by
trying: in an interval at most so many different addresses are told apart, the rest is counted together; what is old is
forgotten. Nothing of what was presented is kept, nor an address that was typed.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from tollkey.db import forking
from tollkey.db.engine import Tx
from tollkey.db.schema import Migration
from tollkey.keys.key import Denied, Reason
from tollkey.keys.limits import network_of

MIGRATION = Migration(
    "refused_attempts",
    (
        "CREATE TABLE refused_attempts (since {int} NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL,"
        " address TEXT NOT NULL,"
        " subject TEXT NOT NULL, attempts {int} NOT NULL, last_at {int} NOT NULL,"
        " PRIMARY KEY (since, what, reason, address, subject))",
    ),
)
OTHERS = "others"
_WAITING = 4  # times ``most``: counts in memory at most, when they cannot be written
_SILENT = (Reason.missing, Reason.unavailable)  # nothing was tried; or it is not the caller's doing


class Attempt(NamedTuple):
    """What was refused in one interval.

    since: its beginning; last_at: the last of them; both UTC epoch seconds. what: ``key`` or ``sign_in``. reason: why,
        one word.
    address: of the caller, an IPv6 one as its network of 64 bits; ``others`` for those beyond the bound.
    subject: the id of the key or person that it was about, when there is one. attempts: how often.
    """

    since: int
    what: str
    reason: str
    address: str
    subject: str
    attempts: int
    last_at: int


class Attempts(forking.ForkAware):
    """Counts what is refused. A forked child begins with nothing: what was counted before is its parent's to write.

    interval_seconds: what is counted together; 0: nothing is counted. most: addresses and reasons that one process
        tells apart in an interval. days: how long it is kept.
    """

    def __init__(self, interval_seconds: int = 3600, *, most: int = 500, days: int = 30) -> None:
        self._interval, self._most, self._days = interval_seconds, most, days
        self.after_fork_in_child()
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Nothing is counted yet, and no thread that is not here holds the lock."""
        self._counts: dict[tuple[int, str, str, str, str], list[int]] = {}  # how often, and the last time
        self._known: set[tuple[int, str, str, str, str]] = set()
        self._since = -1
        self._lock = threading.Lock()

    def denied(self, denied: Denied, ip: str | None, now: int) -> None:
        """Count a refused key. A request without one is no attempt, and a database that is away no fault of the
        caller.
        """
        if denied.reason not in _SILENT:
            self.note("key", denied.reason.value, ip, now, denied.key.id if denied.key is not None else "")

    def note(self, what: str, reason: str, ip: str | None, now: int, subject: str = "") -> None:
        """Count one attempt. what, reason, subject: as in ``Attempt``. ip: the caller's address.

        now: UTC epoch seconds.
        """
        if self._interval <= 0:
            return
        since = now - now % self._interval
        address = network_of(ip)
        with self._lock:
            if len(self._counts) > _WAITING * self._most:
                return  # nobody writes them down
            if since != self._since:
                self._since = since
                self._known.clear()
            key = (since, what, reason, address, subject)
            if key not in self._known:
                if len(self._known) >= self._most:
                    key = (since, what, reason, OTHERS, "")
                else:
                    self._known.add(key)
            count = self._counts.setdefault(key, [0, now])
            count[0] += 1
            count[1] = now

    @property
    def unwritten(self) -> bool:
        """Whether something was counted that ``flush`` has not written."""
        return bool(self._counts)

    def flush(self, tx: Tx) -> None:
        """Write what was counted, and forget what is too old. What is not committed stays counted for the next time."""
        with self._lock:
            written = {key: tuple(count) for key, count in self._counts.items()}
        if not written:
            return
        tx.execute_many(
            "INSERT INTO refused_attempts (since, what, reason, address, subject, attempts, last_at) VALUES (?, ?, ?,"
            " ?, ?, ?, ?)"
            " ON CONFLICT (since, what, reason, address, subject) DO UPDATE SET attempts = refused_attempts.attempts +"
            " excluded.attempts,"
            " last_at = excluded.last_at",
            [(*key, *count) for key, count in sorted(written.items())],
        )
        newest = max(key[0] for key in written)
        tx.execute("DELETE FROM refused_attempts WHERE since < ?", (newest - self._days * 86400,))
        tx.on_commit(lambda: self._flushed({key: count[0] for key, count in written.items()}))

    def _flushed(self, written: dict[tuple[int, str, str, str, str], int]) -> None:
        with self._lock:
            for key, count in written.items():
                self._counts[key][0] -= count
                if self._counts[key][0] <= 0:
                    del self._counts[key]


def refused_attempts(tx: Tx, limit: int = 100) -> list[Attempt]:
    """What was refused, the newest intervals first, the most frequent first within one. limit: at most so many rows."""
    rows = tx.execute(
        "SELECT since, what, reason, address, subject, attempts, last_at FROM refused_attempts"
        " ORDER BY since DESC, attempts DESC, address, reason LIMIT ?",
        (limit,),
    )
    return [Attempt(*row) for row in rows]
