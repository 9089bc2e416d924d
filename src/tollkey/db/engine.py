"""The interface of the storage layer: scope, transaction, database, errors.

``sqlite.py`` and ``postgres.py`` implement these protocols; no other package depends on which one is in use. SQL is
written once, with ``?`` placeholders, and runs on both.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from tollkey.db.held import Held, Values, Write

T = TypeVar("T")
_log = logging.getLogger(__name__)
Row = tuple[Any, ...]
Dialect = Literal["sqlite", "postgres"]


class Scope(NamedTuple):
    """The account and mode that objects belong to. Every read and write of an object names a scope.

    account: the merchant, ``acct_…``.
    livemode: True in live mode, False in test mode.
    """

    account: str
    livemode: bool

    @property
    def name(self) -> str:
        """The text by which its locks and limits are named: ``acct_…:0`` in test mode, ``acct_…:1`` in live mode."""
        return f"{self.account}:{int(self.livemode)}"


class TollkeyError(Exception):
    """The base class of this package's errors, for callers that catch them all."""


class StorageError(TollkeyError):
    """The database rejected or lost a statement; the transaction was rolled back."""


class Unreachable(StorageError):
    """The database cannot be reached; the same call may succeed later.

    The message gives the reason on one line and contains no password.
    """


class OutcomeUnknown(StorageError):
    """The disk or the connection failed after COMMIT was sent: the transaction may or may not be durable. Reading shows
    which.
    """


class LockTimeout(StorageError):
    """Another transaction held a lock for longer than a call may wait for it. Nothing was changed; try again."""


class Duplicate(StorageError):
    """A row violates a unique constraint: another row has the same id or digest."""


class Conflict(StorageError):
    """The database rolled the transaction back because of a deadlock or serialization conflict; it can be retried."""


class ReadTooLong(StorageError):
    """A read exceeded the limits for reads on the event loop. It has no effect and can be run again in a thread."""


class Busy(StorageError):
    """The caller already has the maximum number of long reads queued."""


class Tx(Protocol):
    """One transaction: all its statements are committed, or none.

    dialect: ``sqlite`` or ``postgres``.
    held: what is not written yet.
    rollbacks: how many savepoints were rolled back; rows written before a rollback may be gone.
    cached: what was read from a table, by the table's name, for all callbacks that the edge runs in one transaction
        (``Table.cached``), and the jobs that ``wire.jobs`` has scheduled; a write to the table, or a rollback, empties
        it.
    brief: whether this is a read on the event loop, which raises ReadTooLong when it takes long; code that
        takes long without many steps or rows of the database checks this and raises it itself.
    """

    dialect: Dialect
    brief: bool
    rollbacks: int
    held: Held
    cached: dict[str, dict[Hashable, Any]]

    @property
    def lost(self) -> bool:
        """Whether a held write was refused and no rollback has undone it: the transaction will not be committed."""

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Run one statement and return all its rows (an empty list for a write without RETURNING).

        sql: a statement with ``?`` placeholders. params: their values.
        Raises Duplicate for a violated unique constraint, another StorageError otherwise.
        """

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement once for each row of values. Raises Duplicate, StorageError."""

    def read(self, table: str, sql: str, params: Sequence[object], key: Values | None = None) -> list[Row]:
        """Run a SELECT of one table, and return its rows. What is held for other tables is not written for it.

        key: the only row that it reads, identified as in the table's held writes. Raises StorageError.
        """

    def read_sent(self, sql: str, params: Sequence[object]) -> list[Row]:
        """Run a SELECT that does not see what is held, and return its rows. Raises StorageError."""

    def usual(self, read: Callable[[], T]) -> T:
        """Return what ``read`` returns, which most transactions read: PostgreSQL may have read it with their BEGIN."""

    def hold(self, write: Write, values: Values) -> None:
        """Write a row later: before a statement that might see it, at the latest when the transaction is committed.

        values: of the write's columns. A violated constraint raises StorageError only then, for the whole transaction;
        an integer of more than 64 bits raises OverflowError at once.
        """

    def number(self, table: str) -> int:
        """Return a number for the ``{key}`` column ``id`` of a new row, which may be held.

        Every row of such a table is inserted with a number of this method. Raises StorageError.
        """

    def flush(self) -> None:
        """Write what is held now. Raises Duplicate, StorageError."""

    def execute_script(self, statements: Sequence[str]) -> None:
        """Run statements without parameters and results in order, in one round trip on PostgreSQL. Raises
        StorageError.
        """

    def savepoint(self) -> AbstractContextManager[None]:
        """Return a context manager; an exception that leaves its block rolls back what the block wrote."""

    def notify(self, channel: str, payload: str) -> None:
        """Send ``payload`` to all subscribers of ``channel`` on all nodes once this transaction is durable."""

    def on_commit(self, call: Callable[[], None], *, if_unknown: bool = False) -> None:
        """Call ``call`` in this process once this transaction is durable; never after a rollback.

        if_unknown: also when the outcome of the commit is unknown (``OutcomeUnknown``), for counts that may rather be
            lost than be written twice.
        """


class Database(Protocol):
    """A database. Its methods block; the edge (``db/edge.py``) decides on which thread they run."""

    dialect: Dialect

    @property
    def away(self) -> str | None:
        """Why the database cannot be reached, when calls are refused for it; else None. Does not block."""

    def read(self, callback: Callable[[Tx], T], single: bool = False) -> T:
        """Run ``callback`` in a read-only transaction on a consistent snapshot and return its result.

        callback: is given the transaction.
        single: the callback runs at most one statement, so no transaction is opened.
        Raises StorageError and what ``callback`` raises.
        """

    def write(self, callback: Callable[[Tx], T], lock: str | None = None) -> T:
        """Run ``callback`` in a transaction and return its result: durable on return, rolled back on an exception.

        callback: is given the transaction; it may run again from the start after a Conflict (PostgreSQL).
        lock: name of an advisory lock; writes with the same name are serialised (SQLite serialises all writes).
        Raises StorageError and what ``callback`` raises.
        """

    def alone(self) -> AbstractContextManager[Callable[[str], None]]:
        """Return a context manager with a function that runs one statement of the schema, outside a transaction.

        One process at a time is in such a block on PostgreSQL; others wait. Raises StorageError.
        """

    def subscribe(self, channel: str, callback: Callable[[str], None]) -> None:
        """Call ``callback(payload)`` for each announcement on ``channel``, including those of other nodes."""

    def close(self) -> None:
        """Close all connections. May be called again."""


class Subscribers:
    """The subscribers of each channel in this process."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[[str], None]]] = {}
        self._lock = threading.Lock()

    def after_fork_in_child(self) -> None:
        """Replace the lock: a thread of the parent may have held it."""
        self._lock = threading.Lock()

    def add(self, channel: str, callback: Callable[[str], None]) -> None:
        """Call ``callback(payload)`` for each later announcement on the channel."""
        with self._lock:
            self._callbacks.setdefault(channel, []).append(callback)

    def publish(self, channel: str, payload: str) -> None:
        """Call all subscribers of the channel. An exception of one is logged and does not affect the others."""
        with self._lock:
            callbacks = list(self._callbacks.get(channel, ()))
        for callback in callbacks:
            try:
                callback(payload)
            except Exception:
                _log.exception("a subscriber of %s failed", channel)

    def after_commit(self, calls: Sequence[Callable[[], None]], announcements: Sequence[tuple[str, str]]) -> None:
        """Run the ``on_commit`` callbacks, then publish the announcements, given as (channel, payload).

        Exceptions are logged: the transaction is already committed.
        """
        for call in calls:
            try:
                call()
            except Exception:
                _log.exception("an on_commit callback failed")
        for channel, payload in announcements:
            self.publish(channel, payload)

    def channels(self) -> list[str]:
        """Return the channels that have subscribers."""
        with self._lock:
            return list(self._callbacks)
