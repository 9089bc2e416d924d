"""Counts refused keys and failed sign-ins by IP address and reason, to show attacks afterwards.

Counts are kept in memory and written in the background. They are bounded, so that an attacker cannot fill the disk: in
each interval a limited number of addresses is counted separately and all others together, and old rows are deleted.
Neither keys nor passwords nor e-mail addresses that were sent are stored.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from tollkey.db import Migration, Tx, forking
from tollkey.keys.key import Denied, Reason
from tollkey.keys.limits import network_of

__all__ = ["Attempts", "RefusedAttempt", "refused_attempts"]

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
_WAITING = 4  # times ``most``: maximum number of counts in memory while they cannot be written
_SILENT = (Reason.missing, Reason.unavailable)  # no key was sent, or the database was not available


class RefusedAttempt(NamedTuple):
    """Refused attempts of one kind in one interval.

    since: start of the interval, UTC epoch seconds. what: ``key`` or ``sign_in``. reason: one word, see ``Reason``.
    address: IP address of the caller, for IPv6 its /64 network; ``others`` beyond the limit.
    subject: id of the key or person, if known. attempts: how many. last_at: the last one, UTC epoch seconds.
    """

    since: int
    what: str
    reason: str
    address: str
    subject: str
    attempts: int
    last_at: int


class Attempts(forking.ForkAware):
    """Counts refused attempts. Thread-safe. A forked child starts with no counts; its parent writes the earlier ones.

    interval_seconds: length of an interval; 0 disables counting. most: combinations of address and reason that a
        process counts separately in an interval. days: how long rows are kept.
    """

    def __init__(self, interval_seconds: int = 3600, *, most: int = 500, days: int = 30) -> None:
        self._interval, self._most, self._days = interval_seconds, most, days
        self.after_fork_in_child()
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start with no counts and a new lock."""
        self._counts: dict[tuple[int, str, str, str, str], list[int]] = {}  # how often, and the last time
        self._known: set[tuple[int, str, str, str, str]] = set()
        self._since = -1
        self._lock = threading.Lock()

    def count_denied(self, denied: Denied, ip: str | None, now: int) -> None:
        """Count a refused key. Requests without a key, and those refused because of the database, are not counted.

        ip: the caller's address. now: UTC epoch seconds.
        """
        if denied.reason not in _SILENT:
            self.count("key", denied.reason.value, ip, now, denied.key.id if denied.key is not None else "")

    def count(self, what: str, reason: str, ip: str | None, now: int, subject: str = "") -> None:
        """Count one attempt.

        what, reason, subject: see ``RefusedAttempt``. ip: the caller's address. now: UTC epoch seconds.
        """
        if self._interval <= 0:
            return
        since = now - now % self._interval
        address = network_of(ip)
        with self._lock:
            if len(self._counts) > _WAITING * self._most:
                return  # they cannot be written
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
        """Whether there are counts that ``flush`` has not written."""
        return bool(self._counts)

    def flush(self, tx: Tx) -> None:
        """Write the counts and delete old rows. Counts stay in memory until the transaction commits, or may have.

        Raises StorageError.
        """
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
        counts = {key: count[0] for key, count in written.items()}
        tx.on_commit(lambda: self._flushed(counts), if_unknown=True)

    def _flushed(self, written: dict[tuple[int, str, str, str, str], int]) -> None:
        with self._lock:
            for key, count in written.items():
                self._counts[key][0] -= count
                if self._counts[key][0] <= 0:
                    del self._counts[key]


def refused_attempts(tx: Tx, limit: int = 100) -> list[RefusedAttempt]:
    """Return refused attempts, newest interval first, within it the most frequent first. limit: maximum number of
    rows.
    """
    rows = tx.execute(
        "SELECT since, what, reason, address, subject, attempts, last_at FROM refused_attempts"
        " ORDER BY since DESC, attempts DESC, address, reason LIMIT ?",
        (limit,),
    )
    return [RefusedAttempt(*row) for row in rows]
