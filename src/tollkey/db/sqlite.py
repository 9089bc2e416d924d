"""SQLite: one writer, readers that never wait, every commit on disk before its answer.

WAL, where a commit is on disk once the log is: ``write`` returns after an fsync of it, so what it
did survives ``kill -9`` and a power cut. SQLite would do that within COMMIT (``synchronous=FULL``)
and hold up the next writer meanwhile; here it is a step of its own, ``sync``, that runs beside the
next batch. Group commit lives in ``db/sqlite_edge.py``; it drives ``begin``, ``commit``, ``sync`` and
``rollback`` here, one batch at a time.

Notifications: within a process they are told right after the commit. Other processes on the
same file (the CLI beside a running server) find them in the ``bell`` table, which ``poll``
reads; the edge of a server polls several times a second.

Forks: SQLite knows by process which locks it holds, so no connection may be open when a process forks. The parent
    closes its connections before, once nobody is using one, and parent and child open their own at the next use.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from tollkey.db import forking
from tollkey.db.engine import Dialect, StorageError, Subscribers, Tx, Unknown
from tollkey.db.sqlite_tx import BriefTx, SQLiteTx, translate

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
    "recursive_triggers = ON",  # so that a row which REPLACE removes has its DELETE triggers run
    "cache_size = -16000",
    "temp_store = MEMORY",
    "secure_delete = ON",  # what is destroyed (the sealed copy of a key) is overwritten, not just unlinked
)
BRIEF_STEPS = 30_000  # a row that is looked at takes 10 to 20: some 2 ms
BRIEF_ROWS = 400  # with what is made of them in Python, some 4 ms
_fsync = getattr(os, "fdatasync", os.fsync)
_FORK_SECONDS = 5.0  # that a fork waits for those who are using a connection
_CARRIED = (
    "the process was forked while an SQLite connection of it was open, which SQLite forbids: open the database in each"
    " child"
    " (uWSGI: lazy-apps = true), or fork while nobody uses it"
)
#: Takes the write lock of this file alone. BEGIN IMMEDIATE would take that of the attached file too, and wait for who
#: writes there.
_LOCK = "DELETE FROM main.bell WHERE 0"
_BELL_KEPT = 10_000  # rows; a process that slept longer than these starts again from an empty memory


class _Reader:
    """One thread's connection. busy: how many works are using it.

    connection: None until the first, and while the process forks.
    """

    __slots__ = ("busy", "connection")

    def __init__(self) -> None:
        self.busy = 0
        self.connection: sqlite3.Connection | None = None


class SQLite(forking.SurvivesFork):
    """A database in one file.

    path: the file; made when it is missing, with its folder.
    sender: names this process in announcements; made unique here.
    attach: another file whose tables can be read here by their names; it is written by its own ``SQLite``.
    durable: what was written survives a power cut; without it only a killed process, for what may be lost.
    """

    dialect: Dialect = "sqlite"

    def __init__(
        self, path: str | Path, sender: str = "local", attach: Path | None = None, durable: bool = True
    ) -> None:
        self.path = Path(path)
        self._attach, self._durable = attach, durable
        self._log: int | None = None  # the log's file descriptor, for fsync
        self._lost = ""  # why nothing more is written: how the disk failed
        self._carried = ""  # why nothing more is read either
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._name = sender
        self._sender = f"{sender}.{uuid4().hex}"
        self._subscribers = Subscribers()
        self._keeps_log = self._resting = self._reopens = self._closed = False
        self._holds: list[Any] = []  # locks, while the process forks
        self._new_locks()
        self._writer: sqlite3.Connection | None = self._connect()
        self.path.chmod(0o600)
        self._writer.execute(_BELL)
        self._heard = self._writer.execute("SELECT coalesce(max(seq), 0) FROM bell").fetchone()[0]
        forking.watch(self)

    def _new_locks(self) -> None:
        self._local = threading.local()
        self._readers: list[_Reader] = []
        self._closing = threading.Lock()
        self.write_lock = threading.RLock()

    def _connect(self) -> sqlite3.Connection:
        if self._carried or self._closed:
            raise StorageError(self._carried or "the database is closed")
        try:
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, cached_statements=512
            )
        except sqlite3.Error as error:
            raise translate(error) from error
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            if self._attach is not None:
                connection.execute("ATTACH DATABASE ? AS beside", (str(self._attach),))
        except BaseException:
            connection.close()
            raise
        return connection

    def _writing(self) -> sqlite3.Connection:
        """The connection for writing; the caller holds ``write_lock``."""
        if self._writer is None:
            self._writer = self._connect()
            if self._keeps_log:
                self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        return self._writer

    def _reader(self) -> _Reader:
        """This thread's connection, open, and one more who uses it: the caller takes that back."""
        forking.notice()
        held: _Reader | None = getattr(self._local, "reader", None)
        if held is None:
            held = self._local.reader = _Reader()
            with self._closing:
                self._readers.append(held)
        held.busy += 1  # first this, then the look at who forks, who does it the other way round
        if held.connection is None or (self._resting and held.busy == 1):
            held.busy -= 1
            self._open(held)
        return held

    def _open(self, held: _Reader) -> None:
        with self._closing:  # not while the process forks
            if held.connection is None:
                held.connection = self._connect()
                held.connection.execute("PRAGMA query_only = ON")
            held.busy += 1

    def read(self, work: Callable[[Tx], T], single: bool = False, brief: bool = False) -> T:
        """Run ``work`` on a consistent view. single: see ``Database.read``.

        brief: give it up, with TooLong, after a statement of more than ``BRIEF_STEPS`` steps of SQLite's machine,
            however few
            rows come of it, or after ``BRIEF_ROWS`` statements and rows together.
        """
        held = self._reader()
        reader = held.connection
        assert reader is not None
        try:
            if single:
                return work(SQLiteTx(reader))
            reader.execute("BEGIN")
            try:
                return BriefTx(reader, BRIEF_STEPS, BRIEF_ROWS).run(work) if brief else work(SQLiteTx(reader))
            finally:
                reader.execute("COMMIT")
        finally:
            held.busy -= 1

    def write(self, work: Callable[[Tx], T], lock: str | None = None) -> T:
        forking.notice()
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
        writer = self._writing()
        try:
            writer.execute("BEGIN")
            writer.execute(_LOCK)
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # it may be closed
                self.rollback()
            raise translate(error) from error
        return self.part()

    def part(self) -> SQLiteTx:
        """A further transaction value inside the batch that ``begin`` opened."""
        return SQLiteTx(self._writing(), self._sender)

    def commit(self) -> None:
        """Others see the batch from now on. It is safe only after ``sync``."""
        try:
            self._writing().execute("COMMIT")
        except sqlite3.Error as error:
            raise translate(error) from error

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
            if (
                self._log is not None and os.fstat(self._log).st_nlink == 0
            ):  # nobody deletes it while it is in use, or should
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
        with self.write_lock:
            self._keeps_log = True
            self._writing().execute("PRAGMA wal_autocheckpoint = 0")

    def checkpoint(self, whole: bool = False) -> bool:
        """Move what is in the log into the file. On any thread; readers go on, and so does the writer unless it is to
        be ``whole``.

        whole: nobody writes meanwhile, on any thread or in any process, so that the log begins anew with the next
            write.
            It is not waited for long: a reader that holds on to what is in the log, or a writer, keeps that from
                happening.
        Returns whether it could be done.
        """
        return self.read(lambda tx: _move_log(tx, whole), single=True)

    def log_bytes(self) -> int:
        """How long the log's file is; 0 when that cannot be told."""
        try:
            return os.fstat(self._open_log()).st_size
        except OSError:
            return 0

    def rollback(self) -> None:
        if self._writer is not None and self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def tell(self, done: Sequence[SQLiteTx]) -> None:
        """After a commit: run what waited for it, in order.

        It is kept, whatever one of them says to it, and the others hear of it.
        """
        for tx in done:
            self._subscribers.after_commit(tx.after, tx.notices)

    # -- notifications

    def subscribe(self, channel: str, hear: Callable[[str], None]) -> None:
        self._subscribers.add(channel, hear)

    def poll(self) -> None:
        """Hear what other processes on this file have announced since the last call.

        Raises StorageError when the file cannot be read, so that a caller's lease is not renewed.
        """
        query = "SELECT seq, sender, channel, payload FROM bell WHERE seq > ? ORDER BY seq"
        rows = self.read(lambda tx: tx.execute(query, (self._heard,)), single=True)
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
                if reader.connection is not None:
                    reader.connection.close()
        with self.write_lock:
            if self._writer is not None:
                self._writer.close()

    # -- forks

    def rest(self) -> bool:
        """Close every connection, unless one is in use; the next use opens it again. Returns whether it was done.

        A process that may be forked by other than Python does so when it has begun: then nothing is open at the fork.
        """
        with forking.alone:
            done = self._hold_still()
            self._go_on()
        return done

    def _hold_still(self) -> bool:
        """Nobody uses a connection, and none is open, until ``_go_on``; False when that could not be had in time."""
        until = time.monotonic() + _FORK_SECONDS
        self._holds = [
            lock
            for lock in (self.write_lock, self._closing)
            if lock.acquire(timeout=max(0.0, until - time.monotonic()))
        ]
        self._resting, self._reopens = True, self._writer is not None
        if len(self._holds) < 2 or (self._writer is not None and self._writer.in_transaction):
            return False
        while any(reader.busy for reader in self._readers):
            if time.monotonic() > until or getattr(self._local, "reader", _Reader()).busy:
                return False
            time.sleep(0.0005)
        for held in self._readers:
            if held.connection is not None:
                held.connection.close()
                held.connection = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return True

    def _go_on(self) -> None:
        self._resting = False
        while self._holds:
            self._holds.pop().release()

    def before_fork(self) -> None:
        self._hold_still()

    def after_fork(self) -> None:
        try:
            if self._reopens and self._writer is None and not self._closed:
                # The log was taken away with the last connection. It is back before anybody looks for it, to sync it.
                self._writing().execute("SELECT max(seq) FROM bell")
        finally:
            self._go_on()

    def after_fork_in_child(self) -> None:
        """Nothing of the parent's is used, nor closed: what is still open stays so, and then this object refuses
        everything.
        """
        carried = [one for one in (self._writer, *(reader.connection for reader in self._readers)) if one is not None]
        for connection in carried:
            forking.leak(connection)
        if carried and not self._closed:
            self._carried = self._lost = _CARRIED
        self._new_locks()
        self._holds, self._resting = [], False
        self._writer = None
        self._close_log()
        self._sender = f"{self._name}.{uuid4().hex}"
        self._subscribers.after_fork_in_child()


def _move_log(tx: Tx, whole: bool) -> bool:
    if not whole:
        return bool(tx.execute("PRAGMA main.wal_checkpoint(PASSIVE)")[0][0] == 0)
    tx.execute("PRAGMA busy_timeout = 10")
    try:
        return bool(tx.execute("PRAGMA main.wal_checkpoint(RESTART)")[0][0] == 0)
    finally:
        tx.execute("PRAGMA busy_timeout = 10000")
