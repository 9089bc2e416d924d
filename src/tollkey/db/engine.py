"""What storage promises to everybody above it: a scope, a transaction, a database.

The two engines (``sqlite.py``, ``postgres.py``) implement these protocols; no other room
knows which one runs. SQL is written out once, with ``?`` placeholders, and works on both.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)
Row = tuple[Any, ...]
Dialect = Literal["sqlite", "postgres"]


class Scope(NamedTuple):
    """Whose objects, in which mode. Every read and write of an object names one.

    account: the merchant, ``acct_…``; never a ledger account.
    livemode: true in live mode, false in test mode.
    """

    account: str
    livemode: bool


class StorageError(Exception):
    """The database refused or lost a statement; nothing of the transaction was kept."""


class Unreachable(StorageError):
    """The database cannot be reached; the same may work later.

    Its text says why, on one line, and holds no password.
    """


class Unknown(StorageError):
    """The disk failed after the transaction was committed: whether it was kept will show when the database is opened
    again.
    """


class Duplicate(StorageError):
    """A unique constraint refused a row: something with that id or digest is already there."""


class Conflict(StorageError):
    """The database undid the transaction so that another could go on; it may simply be run again."""


class TooLong(StorageError):
    """A read that had to be brief was not. Nothing has happened; it may run again where it holds up nobody."""


class Busy(StorageError):
    """Too many long reads of the same caller wait for their turn already."""


class Tx(Protocol):
    """One transaction: everything done through it is kept, or nothing is.

    undone: how often a savepoint has been undone; what was written before such a moment may not be there any more.
    """

    dialect: Dialect
    undone: int

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Run one statement with ``?`` placeholders and return all of its rows (none for a write).

        Raises Duplicate when a unique constraint is violated, StorageError otherwise.
        """

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement once for each row of values."""

    def execute_script(self, statements: Sequence[str]) -> None:
        """Run statements without values and without rows, one after the other; in one round trip where there is a way
        to go.
        """

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that can fail alone: an exception leaving the block undoes what the block wrote."""

    def notify(self, channel: str, payload: str) -> None:
        """Tell every subscriber of ``channel``, on every node, once this transaction is durable."""

    def on_commit(self, call: Callable[[], None]) -> None:
        """Run ``call`` in this process once this transaction is durable; never when it is undone."""


class Database(Protocol):
    """A store of transactions. Sync: the edge (``db/edge.py``) decides where they run."""

    dialect: Dialect

    def read(self, work: Callable[[Tx], T], single: bool = False) -> T:
        """Run ``work`` on a consistent view of what has been committed.

        single: it runs one statement at most, which is a consistent view by itself: no transaction is opened for it.
        """

    def write(self, work: Callable[[Tx], T], lock: str | None = None) -> T:
        """Run ``work`` in a transaction; it is durable when this returns, or undone when this raises.

        lock: writes with the same text run one after the other (SQLite serialises all of them).
        """

    def subscribe(self, channel: str, hear: Callable[[str], None]) -> None:
        """Call ``hear(payload)`` for each notification on ``channel``, also those from other nodes."""

    def close(self) -> None:
        """Let go of every connection. Safe to call twice."""


class Subscribers:
    """Who listens to which channel in this process."""

    def __init__(self) -> None:
        self._hearers: dict[str, list[Callable[[str], None]]] = {}
        self._lock = threading.Lock()

    def after_fork_in_child(self) -> None:
        """A lock of its own: the parent's may have been held."""
        self._lock = threading.Lock()

    def add(self, channel: str, hear: Callable[[str], None]) -> None:
        """Call ``hear(payload)`` for what is told on the channel from now on."""
        with self._lock:
            self._hearers.setdefault(channel, []).append(hear)

    def tell(self, channel: str, payload: str) -> None:
        """Call everyone who listens to the channel. One that fails keeps nothing from the others."""
        with self._lock:
            hearers = list(self._hearers.get(channel, ()))
        for hear in hearers:
            try:
                hear(payload)
            except Exception:
                _log.exception("a subscriber of %s failed", channel)

    def after_commit(self, calls: Sequence[Callable[[], None]], notices: Sequence[tuple[str, str]]) -> None:
        """Run what waited for a commit, then tell ``notices`` (channel, payload).

        It is kept, whatever one of them says to it.
        """
        for call in calls:
            try:
                call()
            except Exception:
                _log.exception("what waited for a commit failed")
        for channel, payload in notices:
            self.tell(channel, payload)

    def channels(self) -> list[str]:
        with self._lock:
            return list(self._hearers)
