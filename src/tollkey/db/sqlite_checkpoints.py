"""When the WAL of an SQLite file is copied into the database file."""

from __future__ import annotations

import asyncio
import logging

from tollkey.db.sqlite import SQLite
from tollkey.db.sqlite_wal import WAL_KEPT_BYTES

CHECKPOINT_WRITES = 400  # callbacks between two checkpoints: about 3 MB of WAL
CHECKPOINT_BYTES = 2 * WAL_KEPT_BYTES  # size of the WAL file that triggers a checkpoint as well

_log = logging.getLogger(__name__)


class Checkpointer:
    """Schedules WAL checkpoints: a passive one in parallel with writes, then one between two groups that restarts the
    WAL.
    """

    def __init__(self, database: SQLite) -> None:
        self._database = database
        self._writes = 0
        self._longest = CHECKPOINT_BYTES
        self.task: asyncio.Task[None] | None = None
        self.restart_due = False
        self.running = False  # whether the passive one is

    def is_long(self, further: int) -> bool:
        """Return whether to begin a checkpoint, since one is due and none is running.

        further: writes committed since the last call.
        """
        self._writes += further
        if self.restart_due or (self.task is not None and not self.task.done()):
            return False
        if self._writes < CHECKPOINT_WRITES and self._database.wal_bytes() < self._longest:
            return False
        self._writes = 0
        self.running = True
        return True

    def run_passive(self) -> None:
        self._checkpoint(restart=False)

    def run_restart(self) -> None:
        """Checkpoint between two groups, so that the WAL restarts, unless a reader still needs it."""
        self.restart_due = False
        restarted = self._checkpoint(restart=True)
        self._longest = CHECKPOINT_BYTES if restarted else self._database.wal_bytes() + CHECKPOINT_BYTES

    def _checkpoint(self, restart: bool) -> bool:
        try:
            return self._database.checkpoint(restart)
        except Exception as error:
            _log.warning("the WAL checkpoint failed: %s", error)
            return False
