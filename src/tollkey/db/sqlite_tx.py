"""A transaction on one SQLite connection, with its savepoints."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, TypeVar

from tollkey.db.engine import Dialect, Duplicate, LockTimeout, ReadTooLong, Row, StorageError
from tollkey.db.held import Held
from tollkey.db.holding import HoldingTx

T = TypeVar("T")


def translate(error: sqlite3.Error) -> StorageError:
    """Convert an SQLite error to the StorageError of this package, on one line: it may quote a statement of a file."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error):
        return Duplicate(str(error))
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        return ReadTooLong("a statement took too many steps")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return LockTimeout(said)
    return StorageError(said)


def execute(connection: sqlite3.Connection, statement: str) -> None:
    """Execute a statement without parameters. Raises StorageError."""
    try:
        connection.execute(statement)
    except sqlite3.Error as error:
        raise translate(error) from error


class _Savepoint:
    """A savepoint, held like the writes before and after it."""

    def __init__(self, tx: SQLiteTx, connection: sqlite3.Connection) -> None:
        self._tx, self._connection = tx, connection

    def __enter__(self) -> None:
        tx = self._tx
        self._notices, self._after = len(tx.announcements), len(tx.commit_callbacks)
        self._name, self._own = tx.held.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        tx = self._tx
        if kind is not None:
            if tx.held.undo(self._name):
                self._connection.execute(f"ROLLBACK TO {self._name}")
            tx.rollbacks += 1
            tx.cached.clear()
            del tx.announcements[self._notices :]
            del tx.commit_callbacks[self._after :]
        if self._own:
            tx.held.end(self._name)


class SQLiteTx(HoldingTx):
    """A transaction on one SQLite connection.

    held: what is not written yet, shared by all Tx objects of the transaction.
    """

    dialect: Dialect = "sqlite"

    def __init__(
        self,
        connection: sqlite3.Connection,
        origin: str = "",
        cached: dict[str, dict[Hashable, Any]] | None = None,
        held: Held | None = None,
    ) -> None:
        super().__init__(Held() if held is None else held, {} if cached is None else cached)
        self._connection = connection
        self._origin = origin

    def _run(self, sql: str, params: Sequence[object]) -> list[Row]:
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise translate(error) from error

    def _numbers(self, table: str) -> Iterator[int]:
        rows = self._run("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return count(rows[0][0] + 1 if rows else 1)  # nobody else writes in the meantime

    def flush(self) -> None:
        """Write what is held. Raises Duplicate, StorageError."""
        try:
            send(self._connection, self.held)
        except sqlite3.Error as error:
            raise translate(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if self.held:
            self.flush()
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise translate(error) from error

    def execute_script(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self.execute(statement)

    def savepoint(self) -> AbstractContextManager[None]:
        return _Savepoint(self, self._connection)

    def notify(self, channel: str, payload: str) -> None:
        self.execute("INSERT INTO bell (sender, channel, payload) VALUES (?, ?, ?)", (self._origin, channel, payload))
        self.announcements.append((channel, payload))


def send(connection: sqlite3.Connection, held: Held) -> None:
    """Write what a transaction holds.

    Raises sqlite3.Error, and StorageError when earlier writes of the transaction are lost.
    """
    steps = held.take()
    if held.lost or (steps and not connection.in_transaction):  # SQLite has rolled it back: full disk, I/O error
        raise StorageError("the transaction was rolled back, or a write of it has failed")
    try:
        for step in steps:
            if isinstance(step, str):
                connection.execute(step)
                held.sent(step)
            else:
                connection.executemany(step.write.sqlite, step.rows)
    except BaseException:  # also what has no form in SQLite, such as an integer of more than 64 bits
        held.fail()
        raise


_TICKS = 10  # calls of SQLite's progress handler within the allowed steps of one statement


class BriefTx(SQLiteTx):
    """A read transaction that raises ReadTooLong when one statement takes too many steps, or all take too many rows.

    steps: virtual-machine instructions of one statement. most: statements and rows together.
    """

    brief = True

    def __init__(self, connection: sqlite3.Connection, steps: int, most: int) -> None:
        super().__init__(connection)
        self._each, self._ticks = steps // _TICKS, 0
        self._left = most

    def run(self, callback: Callable[[SQLiteTx], T]) -> T:
        """Run ``callback`` under these limits and return its result. Raises ReadTooLong and what ``callback``
        raises.
        """
        self._connection.set_progress_handler(self._tick, self._each)
        try:
            return callback(self)
        finally:
            self._connection.set_progress_handler(None, 0)

    def _tick(self) -> bool:
        """Progress handler: return True to abort the statement.

        SQLite does not reset its counter when a prepared statement is reused, so the first call may come early.
        """
        self._ticks += 1
        return self._ticks > _TICKS

    def _run(self, sql: str, params: Sequence[object]) -> list[Row]:
        self._ticks = 0
        rows = super()._run(sql, params)
        self._left -= 1 + len(rows)
        if self._left < 0:
            raise ReadTooLong("a read returned too many rows")
        return rows
