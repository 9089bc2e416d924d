"""A transaction on one SQLite connection, with its savepoints."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from tollkey.db.engine import Dialect, Duplicate, Row, StorageError, TooLong

T = TypeVar("T")


def translate(error: sqlite3.Error) -> StorageError:
    """What SQLite says, in the words of this room."""
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error):
        return Duplicate(str(error))
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        return TooLong("a statement looked at too much")
    return StorageError(f"{type(error).__name__}: {error}")


class _Savepoint:
    """A part of a transaction. One that begins where another has just begun shares its savepoint: undoing either is the
    same.
    """

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
            raise translate(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self.untouched = None
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
        self.execute("INSERT INTO bell (sender, channel, payload) VALUES (?, ?, ?)", (self._sender, channel, payload))
        self.notices.append((channel, payload))

    def on_commit(self, call: Callable[[], None]) -> None:
        self.after.append(call)


_TICKS = 10  # SQLite says so often in how many steps are allowed that it is still at it


class BriefTx(SQLiteTx):
    """A read that is given up, with TooLong, once one statement has taken too many steps, or all together too many
    rows.
    """

    def __init__(self, connection: sqlite3.Connection, steps: int, most: int) -> None:
        super().__init__(connection)
        self._each, self._ticks = steps // _TICKS, 0
        self._left = most

    def run(self, work: Callable[[SQLiteTx], T]) -> T:
        """Do the work under these bounds, which end before the transaction does."""
        self._connection.set_progress_handler(self._tick, self._each)
        try:
            return work(self)
        finally:
            self._connection.set_progress_handler(None, 0)

    def _tick(self) -> bool:
        """SQLite has taken some steps. It counts on from one use of a prepared statement to the next, so the first tick
        may be early.
        """
        self._ticks += 1
        return self._ticks > _TICKS

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        self._ticks = 0
        rows = super().execute(sql, params)
        self._left -= 1 + len(rows)
        if self._left < 0:
            raise TooLong("a read took too many rows")
        return rows
