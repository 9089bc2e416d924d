"""Opens connections to an SQLite file, with the settings that this package relies on."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tollkey.db.indexed import indexed_or_null
from tollkey.db.sqlite_tx import translate
from tollkey.db.sqlite_wal import WAL_KEPT_BYTES

_BUSY_SECONDS, _PAUSE = 10, 0.01
_PRAGMAS = (
    f"busy_timeout = {_BUSY_SECONDS * 1000}",
    "synchronous = NORMAL",  # ``sync`` calls fsync on the WAL
    f"journal_size_limit = {WAL_KEPT_BYTES}",  # the WAL file is truncated to these bytes when it restarts
    "foreign_keys = ON",
    "recursive_triggers = ON",  # REPLACE runs the DELETE triggers of the row it replaces
    "cache_size = -16000",
    "temp_store = MEMORY",
    "secure_delete = ON",  # deleted content (a key's sealed copy) is overwritten with zeros
)


class Reader:
    """The connection of one thread.

    busy: how many callbacks are using it. connection: None before the first use, and during a fork.
    """

    __slots__ = ("busy", "connection", "thread")

    def __init__(self) -> None:
        self.busy = 0
        self.connection: sqlite3.Connection | None = None
        self.thread = threading.current_thread()


def without_ended(readers: list[Reader]) -> list[Reader]:
    """Return the readers of threads that live, and close the connections of the others: their files would stay open."""
    live = [reader for reader in readers if reader.thread.is_alive()]
    for reader in readers:
        if reader.connection is not None and not reader.thread.is_alive():
            reader.connection.close()
            reader.connection = None
    return live


def connect(path: Path, attach: Path | None, *, pause: Callable[[float], None] = time.sleep) -> sqlite3.Connection:
    """Open a connection to an SQLite file, which is created if missing.

    attach: another SQLite file, whose tables can be read under the name ``beside``. pause: waits for a number of
        seconds while another connection holds a new file.
    Raises StorageError when the file cannot be opened.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    except sqlite3.Error as error:
        raise translate(error) from error
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("indexed_text", 1, indexed_or_null, deterministic=True)
        _enable_wal(connection, pause)
        if attach is not None:
            connection.execute("ATTACH DATABASE ? AS beside", (str(attach),))
    except sqlite3.Error as error:  # for example another kind of file
        connection.close()
        raise translate(error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def create_shrinking(path: Path) -> None:
    """Create an SQLite file whose free pages can be given back (``PRAGMA incremental_vacuum``), if there is none.

    Its writes also maintain a map of pages, so it is for files whose content comes and goes. Raises StorageError.
    """
    if path.exists():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA user_version = 1")  # writes the first page
    except sqlite3.Error as error:
        raise translate(error) from error


def _enable_wal(connection: sqlite3.Connection, pause: Callable[[float], None]) -> None:
    """Switch the file to WAL mode. Raises StorageError when others write to it for longer than the busy timeout.

    SQLite does not wait here for a connection that is writing to a file that is not in WAL mode yet.
    """
    attempts = int(_BUSY_SECONDS / _PAUSE)
    for attempt in range(1, attempts + 1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == attempts:
                raise translate(error) from error
        pause(_PAUSE)
