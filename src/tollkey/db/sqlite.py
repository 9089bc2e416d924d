"""SQLite: one writer, readers that never wait, every commit on disk before its answer.

WAL, where a commit is on disk once the log is: ``write`` returns after an fsync of it, so what it
did survives ``kill -9`` and a power cut. SQLite would do that within COMMIT (``synchronous=FULL``)
and hold up the next writer meanwhile; here it is a step of its own, ``sync``, that runs beside the
next batch. Group commit lives in ``db/sqlite_edge.py``; it drives ``begin``, ``commit``, ``sync`` and
``rollback`` here, one batch at a time.

Notifications: within a process they are told right after the commit. Other processes on the
same file (the CLI beside a running server) find them in the ``bell`` table, which ``poll``
reads; the edge of a server polls several times a second.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from tollkey.db.engine import Dialect, Duplicate, Row, StorageError, Subscribers, Tx, Unknown

T = TypeVar("T")

_BELL = """
CREATE TABLE IF NOT EXISTS bell (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    channel TEXT NOT NULL,
    payload TEXT NOT NULL
)"""
_PRAGMAS = (
    "busy_timeout = 10000",
    "journal_mode = WAL",
    "synchronous = NORMAL",  # the log is synced by ``sync``
    f"journal_size_limit = {16 * 1024 * 1024}",  # bytes the log keeps when it begins anew, however long it has been
    "foreign_keys = ON",
    "cache_size = -16000",
    "temp_store = MEMORY",
    "secure_delete = ON",  # what is destroyed (the sealed copy of a key) is overwritten, not just unlinked
)
_fsync = getattr(os, "fdatasync", os.fsync)
_BELL_KEPT = 10_000  # rows; a process that slept longer than these starts again from an empty memory


def _translate(error: sqlite3.Error) -> StorageError:
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error):
        return Duplicate(str(error))
    return StorageError(f"{type(error).__name__}: {error}")


class _Savepoint:
    """A part of a transaction. One that begins where another has just begun shares its savepoint: undoing either is the same."""

    def __init__(self, tx: SQLiteTx, connection: sqlite3.Connection) -> None:
        self._tx, self._connection = tx, connection

    def __enter__(self) -> None:
        tx = self._tx
        self._notices, self._after = len(tx.notices), len(tx.after)
        self._own = tx.untouched is None
        if self._own:
            tx.savepoints += 1
            tx.untouched = f"s{tx.savepoints}"
            self._connection.execute(f"SAVEPOINT {tx.untouched}")
        self._name = tx.untouched

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        tx = self._tx
        if kind is not None:
            self._connection.execute(f"ROLLBACK TO {self._name}")
            tx.undone += 1
            del tx.notices[self._notices :]
            del tx.after[self._after :]
        if self._own:
            self._connection.execute(f"RELEASE {self._name}")
            tx.untouched = None
        elif kind is not None:
            tx.untouched = self._name


class SQLiteTx:
    """A transaction on one SQLite connection."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, sender: str = "") -> None:
        self._connection = connection
        self._sender = sender
        self.savepoints = self.undone = 0
        self.untouched: str | None = None  # the savepoint in which nothing has been done yet
        self.notices: list[tuple[str, str]] = []
        self.after: list[Callable[[], None]] = []

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        self.untouched = None
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise _translate(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self.untouched = None
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise _translate(error) from error

    def execute_script(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self.execute(statement)

    def savepoint(self) -> AbstractContextManager[None]:
        return _Savepoint(self, self._connection)

    def notify(self, channel: str, payload: str) -> None:
        self.execute("INSERT INTO bell (sender, channel, payload) VALUES (?, ?, ?)", (self._sender, channel, payload))
        self.notices.append((channel, payload))

    def on_commit(self, call: Callable[[], None]) -> None:
        self.after.append(call)


class SQLite:
    """A database in one file.

    path: the file; made when it is missing, with its folder.
    sender: tells this process's notifications from those of others; must be unique to it.
    attach: another file whose tables can be read here by their names; it is written by its own ``SQLite``.
    durable: what was written survives a power cut; without it only a killed process, for what may be lost.
    """

    dialect: Dialect = "sqlite"

    def __init__(self, path: str | Path, sender: str = "local", attach: Path | None = None, durable: bool = True) -> None:
        self.path = Path(path)
        self._attach, self._durable = attach, durable
        self._log: int | None = None  # the log's file descriptor, for fsync
        self._lost = ""  # how the disk failed; nothing more is written then
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._sender = sender
        self._subscribers = Subscribers()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._closing = threading.Lock()
        self._closed = False
        self.write_lock = threading.RLock()
        self._writer = self._connect()
        self.path.chmod(0o600)
        self._writer.execute(_BELL)
        self._heard = self._writer.execute("SELECT coalesce(max(seq), 0) FROM bell").fetchone()[0]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=512)
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            if self._attach is not None:
                connection.execute("ATTACH DATABASE ? AS beside", (str(self._attach),))
        except BaseException:
            connection.close()
            raise
        return connection

    def _reader(self) -> sqlite3.Connection:
        reader: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._connect()
            reader.execute("PRAGMA query_only = ON")
            with self._closing:
                self._readers.append(reader)
            self._local.reader = reader
        return reader

    def read(self, work: Callable[[Tx], T], single: bool = False) -> T:
        reader = self._reader()
        if single:
            return work(SQLiteTx(reader))
        reader.execute("BEGIN")
        try:
            return work(SQLiteTx(reader))
        finally:
            reader.execute("COMMIT")

    def write(self, work: Callable[[Tx], T], lock: str | None = None) -> T:
        with self.write_lock:
            tx = self.begin()
            try:
                result = work(tx)
                self.commit()
            except BaseException:
                self.rollback()
                raise
            self.sync()
        self.tell([tx])
        return result

    # -- one batch at a time, for the edge; the caller holds ``write_lock``

    def begin(self) -> SQLiteTx:
        if self._lost:
            raise StorageError(self._lost)
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _translate(error) from error
        return self.part()

    def part(self) -> SQLiteTx:
        """A further transaction value inside the batch that ``begin`` opened."""
        return SQLiteTx(self._writer, self._sender)

    def commit(self) -> None:
        """Others see the batch from now on. It is safe only after ``sync``."""
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            raise _translate(error) from error

    def sync(self) -> None:
        """What has been committed up to now is on disk when this returns. On any thread.

        Raises Unknown when the disk fails, and each time from then on: another fsync would find nothing
        left to write and succeed, yet what is in the log behind the gap is never read again.
        """
        if not self._durable:
            return
        try:
            self.fsync(self._open_log())
        except OSError as error:
            self._lost = f"the disk failed; start again to see what was kept: {error}"
        if self._lost:
            raise Unknown(self._lost)

    def fsync(self, log: int) -> None:
        """Wait until the disk has the file. Raises OSError."""
        _fsync(log)

    def _open_log(self) -> int:
        with self._closing:
            if self._log is not None and os.fstat(self._log).st_nlink == 0:  # nobody deletes it while it is in use, or should
                self._close_log()
            if self._log is None:
                self._log = os.open(f"{self.path}-wal", os.O_RDWR | getattr(os, "O_BINARY", 0))
            return self._log

    def _close_log(self) -> None:
        if self._log is not None:
            os.close(self._log)
            self._log = None

    # -- the log; its content moves into the file now and then

    def keep_log(self) -> None:
        """From now on no COMMIT stops to move the log into the file: who asks for this calls ``checkpoint`` in time."""
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")

    def checkpoint(self, whole: bool = False) -> bool:
        """Move what is in the log into the file. On any thread; readers go on, and so does the writer unless it is to be ``whole``.

        whole: nobody writes meanwhile, on any thread or in any process, so that the log begins anew with the next write.
            It is not waited for long: a reader that holds on to what is in the log, or a writer, keeps that from happening.
        Returns whether it could be done.
        """
        reader = self._reader()
        try:
            if not whole:
                return bool(reader.execute("PRAGMA main.wal_checkpoint(PASSIVE)").fetchone()[0] == 0)
            reader.execute("PRAGMA busy_timeout = 10")
            try:
                return bool(reader.execute("PRAGMA main.wal_checkpoint(RESTART)").fetchone()[0] == 0)
            finally:
                reader.execute("PRAGMA busy_timeout = 10000")
        except sqlite3.Error as error:
            raise _translate(error) from error

    def log_bytes(self) -> int:
        """How long the log's file is; 0 when that cannot be told."""
        try:
            return os.fstat(self._open_log()).st_size
        except OSError:
            return 0

    def rollback(self) -> None:
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def tell(self, done: Sequence[SQLiteTx]) -> None:
        """After a commit: run what waited for it, in order. It is kept, whatever one of them says to it, and the others hear of it."""
        for tx in done:
            self._subscribers.after_commit(tx.after, tx.notices)

    # -- notifications

    def subscribe(self, channel: str, hear: Callable[[str], None]) -> None:
        self._subscribers.add(channel, hear)

    def poll(self) -> None:
        """Hear what other processes on this file have announced since the last call.

        Raises StorageError when the file cannot be read, so that a caller's lease is not renewed.
        """
        try:
            rows = (
                self._reader()
                .execute("SELECT seq, sender, channel, payload FROM bell WHERE seq > ? ORDER BY seq", (self._heard,))
                .fetchall()
            )
        except sqlite3.Error as error:
            raise _translate(error) from error
        for seq, sender, channel, payload in rows:
            self._heard = seq
            if sender != self._sender:
                self._subscribers.tell(channel, payload)

    def tidy(self) -> None:
        """Forget announcements that every live process has long heard."""
        self.write(lambda tx: tx.execute("DELETE FROM bell WHERE seq < ?", (self._heard - _BELL_KEPT,)))

    def close(self) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._close_log()
            for reader in self._readers:
                reader.close()
        with self.write_lock:
            self._writer.close()
