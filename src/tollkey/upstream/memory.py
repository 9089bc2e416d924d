"""Which accounts have an upstream account, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from tollkey.db import Database, Scope, Tx, forking
from tollkey.keys.keyring import Keyring
from tollkey.upstream import store
from tollkey.upstream.store import Upstream


class Upstreams(forking.ForkAware):
    """The upstream accounts of all accounts. A change applies in all processes as soon as that of a key does: they are
    remembered only while announcements of changes are known to arrive.

    heard: returns whether announcements arrive, as the lease of a verifier knows.
    """

    def __init__(self, database: Database, keyring: Keyring, heard: Callable[[], bool]) -> None:
        self._keyring, self._heard = keyring, heard
        self.after_fork_in_child()
        database.subscribe(store.CHANNEL, lambda payload: self.forget())
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start with nothing remembered and a new lock."""
        self._lock = threading.Lock()
        self._known: Mapping[Scope, Upstream] | None = None
        self._epoch = 0

    def forget(self) -> None:
        """Read all of them anew: one was changed."""
        with self._lock:
            self._epoch += 1
            self._known = None

    @property
    def epoch(self) -> int:
        """Changes with each announcement; passed to ``load``, read before its transaction begins."""
        return self._epoch

    def known(self) -> Mapping[Scope, Upstream] | None:
        """Return what is in memory, by account and mode; None if it must be read (``load``)."""
        return self._known if self._heard() else None

    def load(self, tx: Tx, epoch: int) -> Mapping[Scope, Upstream]:
        """Read all of them. Raises StorageError, SealBroken."""
        found = {one.scope: one for one in store.all_upstreams(tx, self._keyring)}
        with self._lock:
            if epoch == self._epoch:
                self._known = found
        return found
