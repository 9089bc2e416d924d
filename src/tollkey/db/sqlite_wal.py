"""The write-ahead log (WAL) of an SQLite file: its file descriptor for fsync, and checkpoints."""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from tollkey.db.engine import Tx

if TYPE_CHECKING:
    import asyncio

AUTO_CHECKPOINT = 1000  # pages of WAL, about 4 MB: SQLite's default
_SERIES_AUTO_CHECKPOINT = 8 * AUTO_CHECKPOINT  # while a series checkpoints itself, for the case that it does not
SERIES_CHECKPOINT = 1500  # writes of a series between two checkpoints, of a few rows each: some 4 MB of WAL
WAL_KEPT_BYTES = 4 * 1024 * 1024
CHECKPOINT_WRITES = 400  # callbacks between two checkpoints: about 3 MB of WAL
CHECKPOINT_BYTES = 2 * WAL_KEPT_BYTES  # size of the WAL file that triggers a checkpoint as well
fsync = getattr(os, "fdatasync", os.fsync)

_log = logging.getLogger(__name__)


class WalFile:
    """The WAL file of a database, opened on first use. The caller serializes calls.

    path: the database file.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(f"{path}-wal")
        self._descriptor: int | None = None

    def open(self) -> int:
        """Return the file descriptor of the WAL. Raises OSError when the file does not exist."""
        if self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0:  # deleted and recreated
            self.close()
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        return self._descriptor

    def close(self) -> None:
        """Close the file descriptor, if it is open."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def checkpoint(tx: Tx, restart: bool) -> bool:
    """Copy the WAL into the database file; return whether that was completed. restart: see ``SQLite.checkpoint``."""
    if not restart:
        return bool(tx.execute("PRAGMA main.wal_checkpoint(PASSIVE)")[0][0] == 0)
    tx.execute("PRAGMA busy_timeout = 10")
    try:
        return bool(tx.execute("PRAGMA main.wal_checkpoint(RESTART)")[0][0] == 0)
    finally:
        tx.execute("PRAGMA busy_timeout = 10000")


class HasWal(Protocol):
    """A database with a WAL."""

    def checkpoint(self, restart: bool = False) -> bool:
        """Copy the WAL into the database file; return whether that was completed."""

    def wal_bytes(self) -> int:
        """Return the size of the WAL file in bytes."""


class HasAutoCheckpoint(Protocol):
    """A database with a WAL, which a COMMIT checkpoints."""

    @property
    def auto_checkpoint(self) -> int:
        """From how many pages of the WAL on; 0: never."""

    @property
    def write_lock(self) -> AbstractContextManager[object]:
        """Held while something is written."""

    def set_auto_checkpoint(self, pages: int) -> None:
        """Set ``auto_checkpoint``."""

    def checkpoint(self, restart: bool = False) -> bool:
        """Copy the WAL into the database file; return whether that was completed."""


class Checkpointer:
    """Schedules WAL checkpoints: a passive one in parallel with writes, then one between two groups that restarts the
    WAL.
    """

    def __init__(self, database: HasWal) -> None:
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
        """Checkpoint beside readers and writers."""
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


class Series:
    """Many short writes by one thread, between which other threads write.

    SQLite copies a WAL that has become long within a COMMIT, while all other writes wait for the disk. In a series its
    thread does so between two of its own writes, beside those of others. These wait only while what they have written
    meanwhile is copied, so that the WAL starts anew. A database that a ``Checkpointer`` serves stays as it is.
    """

    def __init__(self, database: HasAutoCheckpoint) -> None:
        self._database, self._written = database, 0

    def __enter__(self) -> Self:
        self._active = self._database.auto_checkpoint > 0
        if self._active:
            self._database.set_auto_checkpoint(_SERIES_AUTO_CHECKPOINT)
        return self

    def wrote(self, writes: int) -> None:
        """Checkpoint if enough was written since the last time. Raises StorageError. writes: how much was, of a few
        rows each.
        """
        self._written += writes
        if self._active and self._written >= SERIES_CHECKPOINT:
            self._written = 0
            self._database.checkpoint()
            with self._database.write_lock:
                self._database.checkpoint()

    def __exit__(self, *_: object) -> None:
        if self._active:
            self._database.set_auto_checkpoint(AUTO_CHECKPOINT)
