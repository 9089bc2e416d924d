"""The database in an SQLite file: one writer, readers that never block, durable commits.

It uses a write-ahead log (WAL). ``write`` returns after an fsync of the WAL, so that its changes survive ``kill -9``
and a power failure. SQLite could fsync within COMMIT (``synchronous=FULL``) but would block the next writer
meanwhile; here ``sync`` is a separate step that runs in parallel with the next batch. Group commit is in
``db/sqlite_edge.py``, which calls ``begin``, ``commit``, ``sync`` and ``rollback``, one batch at a time.

Announcements: subscribers in this process are called right after the commit. Other processes on the same file (the CLI
beside a running server) read them from the ``bell`` table with ``poll``; a server's edge polls several times a second.

Forks: SQLite's locks belong to a process, so no connection may be open during a fork. The parent closes its connections
before the fork, as soon as none is in use; parent and child open new ones on their next use.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

from tollkey.db import forking
from tollkey.db.engine import Dialect, OutcomeUnknown, StorageError, Subscribers, Tx
from tollkey.db.held import Held
from tollkey.db.sqlite_connection import Reader, connect, without_ended
from tollkey.db.sqlite_tx import BriefTx, SQLiteTx, execute, send, translate
from tollkey.db.sqlite_wal import AUTO_CHECKPOINT, WalFile, checkpoint, fsync

T = TypeVar("T")

_ANNOUNCEMENTS_TABLE = """
CREATE TABLE IF NOT EXISTS bell (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    channel TEXT NOT NULL,
    payload TEXT NOT NULL
)"""
BRIEF_STEPS = 30_000  # virtual-machine instructions, 10 to 20 for each row scanned: about 2 ms
BRIEF_ROWS = 400  # about 4 ms, with what is computed from them in Python
_FORK_SECONDS = 5.0  # how long a fork waits for connections in use
_OPEN_AT_FORK = (
    "the process was forked while an SQLite connection was open, which SQLite does not allow: open the database in each"
    " child (uWSGI: lazy-apps = true), or fork while it is not in use"
)
#: Acquires the write lock of this file only. BEGIN IMMEDIATE would also lock the attached file, and wait for its
#: writer.
_LOCK = "DELETE FROM main.bell WHERE 0"
_ANNOUNCEMENTS_KEPT = 10_000  # rows


class SQLite(forking.ForkAware):
    """A database in one file.

    path: the file; it and its folder are created if missing.
    origin: name of this process in announcements; a random part is appended.
    attach: another SQLite file whose tables can be read here; it is written through its own ``SQLite``.
    durable: False skips the fsync: changes survive a killed process, but not a power failure.
    Raises StorageError when the file cannot be opened.
    """

    dialect: Dialect = "sqlite"

    def __init__(
        self, path: str | Path, origin: str = "local", attach: Path | None = None, durable: bool = True
    ) -> None:
        self.path = Path(path)
        self._attach, self._durable = attach, durable
        self._wal = WalFile(self.path)
        self._write_failure = self._fork_failure = ""  # why writes are refused: how the disk failed; why reads are too
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._name, self._origin = origin, f"{origin}.{os.urandom(16).hex()}"
        self._subscribers = Subscribers()
        self._fork_pending = self._reopen_writer = self.closed = False
        self.auto_checkpoint = AUTO_CHECKPOINT
        self.changes = self._version = 0  # commits so far, as far as they are known; SQLite's number of the last one
        self._held_locks: list[Any] = []  # locks held during a fork
        self._new_locks()
        self._writer: sqlite3.Connection | None = self._connect()
        self.path.chmod(0o600)
        self._writer.execute(_ANNOUNCEMENTS_TABLE)
        self._cached: dict[str, dict[Hashable, Any]] = {}  # of the transaction that ``begin`` started
        self._held = Held()
        self._last_seq = self._writer.execute("SELECT coalesce(max(seq), 0) FROM bell").fetchone()[0]
        forking.register(self)

    @property
    def away(self) -> str | None:
        """Why writes are refused, since the disk failed; else None."""
        return self._write_failure or None

    def _new_locks(self) -> None:
        self._local = threading.local()
        self._readers: list[Reader] = []
        self._closing = threading.Lock()
        self.write_lock = threading.RLock()

    def _connect(self) -> sqlite3.Connection:
        if self._fork_failure or self.closed:
            raise StorageError(self._fork_failure or "the database is closed")
        return connect(self.path, self._attach)

    def _writing(self) -> sqlite3.Connection:
        """Return the write connection. The caller holds ``write_lock``."""
        if self._writer is None:
            self._writer = self._connect()
            self._writer.execute(f"PRAGMA wal_autocheckpoint = {self.auto_checkpoint}")
        return self._writer

    def _reader(self) -> Reader:
        """Return this thread's open connection with ``busy`` incremented; the caller decrements it."""
        forking.detect_fork()
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = Reader()
            with self._closing:
                self._readers = [*without_ended(self._readers), reader]
        reader.busy += 1  # before checking for a fork or ``close``; these set their flag before they check ``busy``
        if reader.connection is None or ((self._fork_pending or self.closed) and reader.busy == 1):
            reader.busy -= 1
            self._open(reader)
        return reader

    def _open(self, reader: Reader) -> None:
        with self._closing:  # held during a fork
            if reader.connection is None or self.closed:
                reader.connection = self._connect()
                reader.connection.execute("PRAGMA query_only = ON")
            reader.busy += 1

    def read(self, callback: Callable[[Tx], T], single: bool = False, brief: bool = False) -> T:
        """See ``Database.read``.

        brief: raise ReadTooLong when a statement takes more than ``BRIEF_STEPS`` virtual-machine instructions, or when
            statements and rows together exceed ``BRIEF_ROWS``. Ignored with ``single``.
        """
        reader = self._reader()
        connection = reader.connection
        assert connection is not None
        try:
            if single:
                return callback(SQLiteTx(connection))
            execute(connection, "BEGIN")
            try:
                if brief:
                    return BriefTx(connection, BRIEF_STEPS, BRIEF_ROWS).run(callback)
                return callback(SQLiteTx(connection))
            finally:
                execute(connection, "COMMIT")
        finally:
            reader.busy -= 1
            if self.closed and not reader.busy:
                connection.close()  # ``close`` did not wait for this read any longer

    def write(self, callback: Callable[[Tx], T], lock: str | None = None, *, durable: bool = True) -> T:
        """See ``Database.write``. durable: False does not wait for the disk, so that other writes do not wait for it
        either; the changes then survive a power failure only after the next durable write.
        """
        forking.detect_fork()
        with self.write_lock:
            tx = self.begin()
            try:
                result = callback(tx)
                self.commit()
            except BaseException as error:
                self.rollback()
                if isinstance(error, sqlite3.Error):  # of a savepoint
                    raise translate(error) from error
                raise
            if durable:
                self.sync()
        self.run_after_commit([tx])
        return result

    def alone(self) -> AbstractContextManager[Callable[[str], None]]:
        """See ``Database.alone``."""
        return nullcontext(lambda sql: self.write(lambda tx: tx.execute_script([sql])))

    # -- one batch at a time, for the edge; the caller holds ``write_lock``

    def begin(self) -> SQLiteTx:
        """Begin a transaction and acquire the file's write lock. Raises StorageError."""
        if self._write_failure:
            raise StorageError(self._write_failure)
        writer = self._writing()
        try:
            writer.execute("BEGIN")
            writer.execute(_LOCK)
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # it may be closed
                self.rollback()
            raise translate(error) from error
        self._cached, self._held = {}, Held()
        return self.batch_tx()

    def batch_tx(self) -> SQLiteTx:
        """Return another Tx on the transaction that ``begin`` started, with its own announcements and callbacks."""
        return SQLiteTx(self._writing(), self._origin, self._cached, self._held)

    def commit(self) -> None:
        """Write what is held and commit: readers see the batch. Only ``sync`` makes it durable. Raises StorageError."""
        try:
            send(self._writing(), self._held)
            self._writing().execute("COMMIT")
        except sqlite3.Error as error:
            raise translate(error) from error
        self.changes += 1

    def sync(self) -> None:
        """Make all commits so far durable. Any thread may call it.

        Raises OutcomeUnknown when the fsync fails, and on every later call: another fsync would succeed because nothing
        is left to write, but SQLite does not read WAL frames behind the gap.
        """
        if not self._durable:
            return
        try:
            self.fsync(self._open_wal())
        except OSError as error:
            self._write_failure = f"the disk failed; restart to see whether the last changes were stored: {error}"
        if self._write_failure:
            raise OutcomeUnknown(self._write_failure)

    def fsync(self, log: int) -> None:
        """Call fsync on a file descriptor. Raises OSError. Tests override it."""
        fsync(log)

    def _open_wal(self) -> int:
        with self._closing:  # held during a fork, when the WAL does not exist
            return self._wal.open()

    # -- checkpoints: copying the WAL into the database file

    def set_auto_checkpoint(self, pages: int) -> None:
        """Set from how many pages of the WAL on COMMIT checkpoints it; 0: never, the caller calls ``checkpoint``."""
        with self.write_lock:
            self.auto_checkpoint = pages
            self._writing().execute(f"PRAGMA wal_autocheckpoint = {pages}")

    def checkpoint(self, restart: bool = False) -> bool:
        """Copy the WAL into the database file. Any thread may call it; readers are not blocked.

        restart: also block writers, so that the next write starts at the beginning of the WAL. A reader that needs the
            WAL, or a writer, makes it give up after 10 ms.
        Returns whether the checkpoint was completed.
        """
        return self.read(lambda tx: checkpoint(tx, restart), single=True)

    def wal_bytes(self) -> int:
        """Return the size of the WAL file in bytes; 0 if it cannot be read."""
        try:
            return os.fstat(self._open_wal()).st_size
        except OSError:
            return 0

    def rollback(self) -> None:
        """Roll back the transaction that ``begin`` started, if it is open."""
        if self._writer is not None and self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def run_after_commit(self, done: Sequence[SQLiteTx]) -> None:
        """Run ``on_commit`` callbacks and publish announcements of committed transactions, in order; log exceptions."""
        for tx in done:
            self._subscribers.after_commit(tx.commit_callbacks, tx.announcements)

    # -- announcements

    def subscribe(self, channel: str, callback: Callable[[str], None]) -> None:
        """See ``Database.subscribe``. Announcements of other processes are delivered by ``poll``."""
        self._subscribers.add(channel, callback)

    def poll(self) -> None:
        """Deliver the announcements that other processes on this file made since the last call.

        Raises StorageError when the file cannot be read; the caller must then not renew its lease.
        """
        query = "SELECT seq, sender, channel, payload FROM bell WHERE seq > ? ORDER BY seq"
        rows = self.read(lambda tx: tx.execute(query, (self._last_seq,)), single=True)
        for seq, origin, channel, payload in rows:
            self._last_seq = seq
            if origin != self._origin:
                self._subscribers.publish(channel, payload)
        version = self.read(lambda tx: tx.execute("PRAGMA main.data_version"), single=True)[0][0]
        if version != self._version:  # another connection has committed
            self._version, self.changes = version, self.changes + 1

    def delete_old_announcements(self) -> None:
        """Delete all but the last 10,000 announcements. Raises StorageError."""
        self.write(lambda tx: tx.execute("DELETE FROM bell WHERE seq < ?", (self._last_seq - _ANNOUNCEMENTS_KEPT,)))

    def close(self) -> None:
        """See ``Database.close``. Reads that have begun in other threads are completed; it waits up to 5 seconds."""
        with self._closing:
            if self.closed:
                return
            self.closed = True
        self._wait_for_others(time.monotonic() + _FORK_SECONDS)
        with self._closing:
            self._wal.close()
            for reader in self._readers:
                if reader.connection is not None and not reader.busy:
                    reader.connection.close()
        with self.write_lock:
            if self._writer is not None:
                self._writer.close()

    def _wait_for_others(self, until: float) -> None:
        """Wait until no other thread reads, or until a time of the monotonic clock."""
        mine = getattr(self._local, "reader", None)
        while any(reader.busy for reader in self._readers if reader is not mine) and time.monotonic() < until:
            time.sleep(0.0005)

    # -- forks

    def close_connections(self) -> bool:
        """Close all connections, unless one stays in use; the next use reopens them. Returns whether all were closed.

        Call it after start-up in a process that may be forked outside Python (uWSGI), where ``before_fork`` is not
        called.
        """
        with forking.fork_lock:
            done = self._close_all()
            self._resume()
        return done

    def _close_all(self) -> bool:
        """Wait until no connection is in use, close all, and block new ones until ``_resume``. False on a timeout."""
        until = time.monotonic() + _FORK_SECONDS
        self._held_locks = [
            lock
            for lock in (self.write_lock, self._closing)
            if lock.acquire(timeout=max(0.0, until - time.monotonic()))
        ]
        self._fork_pending, self._reopen_writer = True, self._writer is not None
        if len(self._held_locks) < 2 or (self._writer is not None and self._writer.in_transaction):
            return False
        while any(reader.busy for reader in self._readers):
            if time.monotonic() > until or getattr(self._local, "reader", Reader()).busy:
                return False
            time.sleep(0.0005)
        for reader in self._readers:
            if reader.connection is not None:
                reader.connection.close()
                reader.connection = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return True

    def _resume(self) -> None:
        self._fork_pending = False
        while self._held_locks:
            self._held_locks.pop().release()

    def before_fork(self) -> None:
        """Close all connections, waiting up to 5 seconds for those in use."""
        if not self.closed:
            self._close_all()

    def after_fork(self) -> None:
        """Allow connections again, and recreate the WAL."""
        try:
            if self._reopen_writer and self._writer is None and not self.closed:
                # Closing the last connection deleted the WAL. Recreate it before ``sync`` opens it.
                self._writing().execute("SELECT max(seq) FROM bell")
        finally:
            self._resume()

    def after_fork_in_child(self) -> None:
        """Start without connections. If one of the parent's is open, leave it open and refuse all reads and writes."""
        still_open = [
            one for one in (self._writer, *(reader.connection for reader in self._readers)) if one is not None
        ]
        for connection in still_open:
            forking.leak(connection)
        if still_open and not self.closed:
            self._fork_failure = self._write_failure = _OPEN_AT_FORK
        self._new_locks()
        self._held_locks, self._fork_pending = [], False
        self._writer = None
        self._wal.close()
        self._origin = f"{self._name}.{os.urandom(16).hex()}"
        self._subscribers.after_fork_in_child()
