"""The plans of accounts: stored, remembered, and read again after a change."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tollkey.db import Database, Scope, Tx, forking
from tollkey.keys.limiting import store

_MOST_REMEMBERED = 100_000
NO_PLAN = ""


class AccountPlans(forking.ForkAware):
    """Which plan an account has. A change applies in all processes as soon as that of a key does: plans are remembered
    only while announcements of changes are known to arrive.

    database: where they are stored; the caller creates its tables and closes it. heard: returns whether announcements
    arrive, as the lease of a verifier knows.
    """

    def __init__(self, database: Database, heard: Callable[[], bool]) -> None:
        self._database, self._heard = database, heard
        self.after_fork_in_child()
        database.subscribe(store.CHANNEL, lambda payload: self.forget())
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start with nothing remembered and a new lock."""
        self._lock = threading.Lock()
        self._known: dict[tuple[str, bool], str] = {}
        self._epoch = 0

    def forget(self) -> None:
        """Read every plan anew: one was changed."""
        with self._lock:
            self._epoch += 1
            self._known = {}

    def known(self, scope: tuple[str, bool]) -> str | None:
        """Return the name of a plan from memory, ``""`` if the account has none; None if it must be read.

        scope: account and mode.
        """
        return self._known.get(scope) if self._heard() else None

    def get(self, scope: Scope) -> str:
        """Return the name of a plan, or ``""``. It may read the database. Raises StorageError."""
        found, epoch = self.known(scope), self._epoch
        if found is None:
            found = self._database.read(lambda tx: store.plan_of(tx, scope)) or NO_PLAN
            with self._lock:
                if epoch == self._epoch:
                    if len(self._known) >= _MOST_REMEMBERED:
                        self._known = {}
                    self._known[scope] = found
        return found

    def set(self, tx: Tx, scope: Scope, plan: str | None, now: int) -> None:
        """Store the plan of an account; None: the default one. now: UTC epoch seconds. Raises StorageError."""
        store.set_plan(tx, scope, plan, now)
        tx.on_commit(self.forget)
