"""How a process hears that keys have changed elsewhere, so that its memory may be trusted."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, cast

from tollkey.db import Database, SQLite, StorageError, forking
from tollkey.keys.verifier import Lease

if TYPE_CHECKING:
    from tollkey.db import Postgres

_FIRST_SECONDS = 1.0  # that a new service waits for the first heartbeat; until then it asks the database
_log = logging.getLogger(__name__)


class Hearing(forking.ForkAware):
    """Renews a lease for as long as announcements arrive.

    On PostgreSQL a thread listens, from now on; on SQLite who verifies looks.
    """

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database, self._lease = database, lease
        self.after_fork_in_child()
        if database.dialect == "postgres":
            self._listen(_FIRST_SECONDS)
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """The thread that listens is the parent's; ``keep_fresh`` begins another."""
        self._looking = threading.Lock()
        self._listens = False

    def keep_fresh(self) -> None:
        """Before a key is verified: hear what was announced, once a lease's length. PostgreSQL tells by itself."""
        if self._lease.fresh(time.monotonic()):
            return
        if isinstance(self._database, SQLite):
            self._look(self._database)
        elif self._database.dialect == "postgres" and not self._listens:
            with self._looking:
                if not self._listens:
                    self._listen(0.0)  # the database is asked until the first heartbeat

    def _look(self, database: SQLite) -> None:
        with self._looking:
            began = time.monotonic()
            if self._lease.fresh(began):
                return
            try:
                database.poll()
                self._lease.renew(began)
            except StorageError as error:  # memory stays untrusted; the database is asked, and answers or does not
                _log.warning("announcements could not be read: %s", type(error).__name__)

    def _listen(self, wait_seconds: float) -> None:
        """Renew the lease with each heartbeat. wait_seconds: for the first one."""
        heard = threading.Event()

        def alive(began: float) -> None:
            self._lease.renew(began)
            heard.set()

        self._listens = True
        cast("Postgres", self._database).listen(alive, wait_seconds=5 * wait_seconds)
        heard.wait(wait_seconds)
