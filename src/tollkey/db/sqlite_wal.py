"""The write-ahead log (WAL) of an SQLite file: its file descriptor for fsync, and checkpoints."""

from __future__ import annotations

import os
from pathlib import Path

from tollkey.db.engine import Tx

WAL_KEPT_BYTES = 4 * 1024 * 1024
fsync = getattr(os, "fdatasync", os.fsync)


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
