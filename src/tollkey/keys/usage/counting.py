"""Counts requests in memory, bounded, until they are written."""

from __future__ import annotations

import itertools
import logging
import re
import threading

from tollkey.db import Tx, forking
from tollkey.keys.header import without_keys
from tollkey.keys.key import Key
from tollkey.keys.usage.section import Section
from tollkey.keys.usage.store import DAY, DELETED_AT_ONCE, HOUR, MINUTE, Slot, add, delete_minutes

ACCEPTED, OTHER = "accepted", "other"
SLOTS_AT_ONCE = 40  # slots in one flush, three rows each, about 1 ms: on SQLite it runs on the event loop
_LONGEST_ROUTE = 200
_PARAMETER = re.compile(r":[^:,]*:")
_WAITING = 4  # times ``most``: more slots are not kept while they cannot be written
_log = logging.getLogger(__name__)


class UsageCounter(forking.ForkAware):
    """Counts the requests of keys. Thread-safe. A forked child starts with no counts; its parent writes the earlier
    ones.

    raw_days: how long counts of single minutes are kept, in days; those of hours and days are kept for good.
    most_routes: routes that a process counts by name; requests to any further route are counted as ``other``. Of as
        many permissions, parameters are counted apart.
    most: slots (key, route, outcome, minute) in memory; above that, requests are counted by hour and as ``other``.
    Raises ValueError for a negative ``raw_days``.
    """

    def __init__(self, *, raw_days: float = 7.0, most_routes: int = 1_000, most: int = 100_000) -> None:
        if raw_days < 0:
            raise ValueError("raw_days must not be negative")
        self._raw_seconds, self._most_routes, self._most = int(raw_days * DAY), most_routes, most
        self.after_fork_in_child()
        forking.register(self)

    @classmethod
    def of_section(cls, section: Section | None) -> UsageCounter:
        """Return the counter that a configuration declares; the usual one for None."""
        return cls() if section is None else cls(raw_days=section.raw_days, most_routes=section.most_routes)

    def after_fork_in_child(self) -> None:
        """Start with no counts and a new lock."""
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str, bool, int, str, str, str], list[int]] = {}
        self._routes: dict[str, str] = {}
        self._permissions: dict[str, str] = {}
        self._tidied = -1
        self._lost = 0

    def count(
        self,
        key: Key,
        now: int,
        route: str | None = None,
        outcome: str = ACCEPTED,
        cost: int = 1,
        permission: str | None = None,
        *,
        requests: int = 1,
    ) -> None:
        """Count one request, or several that are alike.

        now: UTC epoch seconds. route: the declared route, such as ``GET /reports/*``; None is counted as ``other``.
        outcome: ``accepted``, or why it was refused (see ``Reason``). cost: what it took from a limit.
        permission: the grant that it needed; several sorted and separated by commas; None for none.
        requests: how many; ``cost`` is that of all of them.
        """
        name = OTHER if route is None else self._routes.get(route) or self._known(route)
        needed = "" if permission is None else self._permissions.get(permission) or self._known_permission(permission)
        # A plain tuple is made faster than a Slot, and is equal to it.
        slot = (key.id, key.account, key.livemode, now - now % MINUTE, name, outcome, needed)
        with self._lock:
            count = self._counts.get(slot)
            if count is None:
                count = self._new(Slot(*slot))
                if count is None:
                    return
            count[0] += requests
            count[1] += cost

    def _known(self, route: str) -> str:
        """Return the name a route is counted by: masked and shortened, or ``other`` when there are too many."""
        if len(self._routes) >= self._most_routes:
            return OTHER
        return self._routes.setdefault(route, without_keys(route)[:_LONGEST_ROUTE] or OTHER)

    def _known_permission(self, permission: str) -> str:
        """Return the name a permission is counted by: with ``*`` for its parameter when there are too many."""
        if len(self._permissions) >= self._most_routes:
            return _PARAMETER.sub(":*:", permission)
        return self._permissions.setdefault(permission, permission)

    def _new(self, slot: Slot) -> list[int] | None:
        """Return the count of a new slot; None when it cannot be kept. Called with the lock."""
        if len(self._counts) >= self._most:
            slot = slot._replace(minute=slot.minute - slot.minute % HOUR, route=OTHER)
            if slot not in self._counts and len(self._counts) >= _WAITING * self._most:
                self._lost += 1
                return None
        return self._counts.setdefault(slot, [0, 0])

    @property
    def unwritten(self) -> bool:
        """Whether there are counts that ``flush`` has not written."""
        return bool(self._counts)

    def flush(self, tx: Tx, most: int = SLOTS_AT_ONCE) -> int:
        """Write counts, and delete old minutes, some at each call until a minute has no more of them.

        Call it every second from one thread. Counts stay in memory until the transaction commits, or may have.
        Returns the number of slots written; if it is ``most``, there may be more. Raises StorageError.
        """
        with self._lock:
            slots = list(itertools.islice(self._counts, most))
            written = [(Slot(*slot), self._counts[slot][0], self._counts[slot][1]) for slot in slots]
            lost, self._lost = self._lost, 0
        if lost:
            _log.error("%d requests were not counted: counts could not be written", lost)
        if not written:
            return 0
        add(tx, written)
        newest = max(slot.minute for slot, _, _ in written)
        left = newest != self._tidied and delete_minutes(tx, newest - self._raw_seconds) == DELETED_AT_ONCE
        tx.on_commit(lambda: self._flushed(written, None if left else newest), if_unknown=True)
        return len(written)

    def _flushed(self, written: list[tuple[Slot, int, int]], tidied: int | None) -> None:
        """Count no more what was written. tidied: the minute whose old minutes are deleted; None if some are left."""
        if tidied is not None:
            self._tidied = tidied
        with self._lock:
            for slot, requests, cost in written:
                count = self._counts[slot]
                count[0] -= requests
                count[1] -= cost
                if count[0] <= 0:
                    del self._counts[slot]
