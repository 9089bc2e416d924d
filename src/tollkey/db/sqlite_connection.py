"""Opens connections to an SQLite file, with the settings that this package relies on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tollkey.db.sqlite_tx import translate
from tollkey.db.sqlite_wal import WAL_KEPT_BYTES

_PRAGMAS = (
    "busy_timeout = 10000",
    "journal_mode = WAL",
    "synchronous = NORMAL",  # ``sync`` calls fsync on the WAL
    f"journal_size_limit = {WAL_KEPT_BYTES}",  # the WAL file is truncated to these bytes when it restarts
    "foreign_keys = ON",
    "recursive_triggers = ON",  # REPLACE runs the DELETE triggers of the row it replaces
    "cache_size = -16000",
    "temp_store = MEMORY",
    "secure_delete = ON",  # deleted content (a key's sealed copy) is overwritten with zeros
)


def connect(path: Path, attach: Path | None) -> sqlite3.Connection:
    """Open a connection to an SQLite file, which is created if missing.

    attach: another SQLite file, whose tables can be read under the name ``beside``.
    Raises StorageError when the file cannot be opened.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    except sqlite3.Error as error:
        raise translate(error) from error
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if attach is not None:
            connection.execute("ATTACH DATABASE ? AS beside", (str(attach),))
    except BaseException:
        connection.close()
        raise
    return connection
