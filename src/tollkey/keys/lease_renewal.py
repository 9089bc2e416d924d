"""Keeps a lease fresh while announcements of key changes arrive, so that cached keys may be used."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, cast

from tollkey.db import Database, SQLite, StorageError, forking
from tollkey.keys.lease import Lease

if TYPE_CHECKING:
    from tollkey.db.postgres import Postgres

_FIRST_SECONDS = 1.0  # how long a new service waits for the first heartbeat; until then it reads the database
_POLL_SECONDS = 0.1  # threads that wait for another one's poll do not poll again
_log = logging.getLogger(__name__)


class LeaseRenewer(forking.ForkAware):
    """Renews a lease while announcements arrive: by a listening thread on PostgreSQL, by polling before a key is
    verified on SQLite.

    database: announces changes of keys. lease: is renewed.
    """

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database, self._lease = database, lease
        self.after_fork_in_child()
        if database.dialect == "postgres":
            self._listen(_FIRST_SECONDS)
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start without a listening thread; ``keep_fresh`` starts one."""
        self._lock = threading.Lock()
        self._listening = False

    def keep_fresh(self) -> None:
        """Renew the lease if it has expired. Call it before a key is verified."""
        if self._lease.fresh(time.monotonic()):
            return
        self.renew()

    def renew(self) -> None:
        """Receive the announcements made so far and renew the lease. On PostgreSQL a thread does so by itself; this
        starts it.
        """
        if isinstance(self._database, SQLite):
            self._poll(self._database)
        elif self._database.dialect == "postgres" and not self._listening:
            with self._lock:
                if not self._listening:
                    self._listen(0.0)  # keys are read from the database until the first heartbeat

    def _poll(self, database: SQLite) -> None:
        with self._lock:
            began = time.monotonic()
            if began - self._lease.heard_at < _POLL_SECONDS:
                return
            try:
                database.poll()
                self._lease.renew(began)
            except StorageError as error:  # the lease stays expired; keys are read from the database
                _log.warning("announcements could not be read: %s", type(error).__name__)

    def _listen(self, wait_seconds: float) -> None:
        """Renew the lease with each heartbeat. wait_seconds: how long to wait for the first one."""
        heard = threading.Event()

        def alive(began: float) -> None:
            self._lease.renew(began)
            heard.set()

        self._listening = True
        cast("Postgres", self._database).listen(alive, wait_seconds=5 * wait_seconds)
        if not self._lease.fresh(time.monotonic()):  # another service of this process may share it
            heard.wait(wait_seconds)
