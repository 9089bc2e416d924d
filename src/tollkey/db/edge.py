"""The edge: asynchronous access to the database from an event loop.

Callbacks are plain functions that are given a transaction; only this file and ``sqlite_edge.py`` use ``await``.

SQLite: see ``sqlite_edge.py``. PostgreSQL: callbacks run in a thread pool; writes under the same lock are grouped into
one transaction.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

from tollkey.db.ahead import Question
from tollkey.db.engine import Conflict, Database, LockTimeout, OutcomeUnknown, StorageError, Tx, Unreachable
from tollkey.db.queued import Outcome, QueuedWrite
from tollkey.db.read_limits import ConcurrencyLimits, LongReads
from tollkey.db.sqlite import SQLite
from tollkey.db.sqlite_edge import SQLiteEdge

if TYPE_CHECKING:
    from tollkey.db.postgres import Postgres
    from tollkey.db.postgres_line import Line

T = TypeVar("T")

GROUP_MAX = 32  # callbacks in one transaction on PostgreSQL; a larger group would delay its first callers


class Edge(Protocol):
    """The database as an asynchronous server uses it.

    reads_at_once: whether ``read_now`` and ``read_at_once`` ever read, instead of waiting for another machine.
    ask: asks another machine for one value without a thread; returns False, and does nothing, while that is not
        possible. Its question's parameters are texts and integers. The other argument is called later on the loop, with
        the value (None when there is no row) and True, or with None and False when it could not be read: call ``read``
        then. None where reads are at once.
    """

    reads_at_once: bool

    @property
    def ask(self) -> Callable[[Question, Callable[[bytes | None, bool], None]], bool] | None:
        """See above."""

    async def read(
        self, callback: Callable[[Tx], T], single: bool = False, *, long: bool = False, caller: str = "", kind: str = ""
    ) -> T:
        """Run ``callback`` on a consistent snapshot and return its result.

        callback: is given the transaction; on SQLite it may run twice, if the first run exceeds the limits of the loop.
        single: see ``Database.read``.
        long: run it in the threads for long reads at once.
        caller: long and costly reads of the same caller are serialised; empty: no limit.
        kind: what is read, for example an endpoint's path; the cost of a read predicts the next one of the same caller
            and kind.
        Raises Busy when the caller has too many long reads queued, StorageError, and what ``callback`` raises.
        """

    def read_now(self, callback: Callable[[Tx], bytes | None], key: Hashable) -> bytes | None:
        """Run a callback of one statement without awaiting. Returns None where that would block: call ``read`` then.

        key: what is read; its result is remembered until anything is committed. A commit of another process is noticed
            when its announcements are.
        """

    def waits(self, caller: str, kind: str) -> bool:
        """Return whether a read waits for others, or is expected to take long: call ``read``, not ``read_at_once``.

        caller, kind: see ``read``.
        """

    def read_at_once(self, callback: Callable[[Tx], T], *, caller: str, kind: str) -> T | None:
        """Run ``callback`` on a consistent snapshot without awaiting; None when it takes too long: call ``read`` then.

        caller, kind: see ``read``; ``waits`` said False of them.
        Raises StorageError and what ``callback`` raises.
        """

    async def write(
        self,
        callback: Callable[[Tx], T],
        lock: str | None = None,
        *,
        heavy: bool = False,
        ahead: Sequence[Question] = (),
    ) -> T:
        """Run ``callback`` in a transaction and return its result: durable on return, rolled back on an exception.

        lock: name of an advisory lock; callbacks with the same name are serialised.
        heavy: it writes megabytes, so it runs alone and in a thread instead of blocking the loop.
        ahead: what it will read first, under its lock: PostgreSQL reads it with BEGIN.
        Raises StorageError and what ``callback`` raises. If the awaiting task is cancelled before the callback has
        begun, it does not run; otherwise CancelledError is raised when it has ended.
        """

    async def start(self) -> None:
        """Start receiving announcements of other processes, and calling ``on_alive``."""

    async def stop(self) -> None:
        """Refuse new writes, finish the queued ones, close the database."""


def edge_for(database: Database, on_alive: Callable[[float], None] | None = None) -> Edge:
    """Return the edge for a database.

    on_alive: called several times a second while announcements of other processes arrive, on the loop (SQLite) or on
        another thread (PostgreSQL); it must not block. Its argument is a ``time.monotonic()`` value in seconds: all
        announcements made before it have been received.
    Raises TypeError for another class of database.
    """
    if isinstance(database, SQLite):
        return SQLiteEdge(database, on_alive)
    if database.dialect == "postgres":
        return ThreadEdge(cast("Postgres", database), on_alive)  # the only class with this dialect
    raise TypeError(f"no edge for {type(database).__name__}")


class ThreadEdge:
    """The edge on PostgreSQL: runs callbacks in a thread pool of the size of the connection pool.

    Writes under the same lock would each occupy a thread and a connection only to wait for one another. They are queued
    here instead and run in groups: one transaction and one commit, each callback in its own savepoint.
    """

    reads_at_once = False

    def __init__(self, database: Postgres, on_alive: Callable[[float], None] | None = None) -> None:
        self._database = database
        self._on_alive = on_alive
        self._threads = ThreadPoolExecutor(database.pool_size, thread_name_prefix="tollkey-storage")
        self._long = LongReads()
        # One caller's slow reads leave two threads to the others.
        self._limits = ConcurrencyLimits(max(1, database.pool_size - 2))
        self._queues: dict[str, deque[QueuedWrite]] = {}
        self._committers: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._line: Line | None = None

    async def read(
        self, callback: Callable[[Tx], T], single: bool = False, *, long: bool = False, caller: str = "", kind: str = ""
    ) -> T:
        if long:
            return await self._long.run(partial(self._database.read, callback), caller)
        reading = partial(
            asyncio.get_running_loop().run_in_executor, self._threads, self._database.read, callback, single
        )
        if not caller:
            return await reading()
        async with self._limits.slot(caller):
            return await reading()

    def read_now(self, callback: Callable[[Tx], bytes | None], key: Hashable) -> bytes | None:
        return None  # a round trip would block the loop

    def ask(self, question: Question, found: Callable[[bytes | None, bool], None]) -> bool:
        return self._line is not None and self._database.away is None and self._line.ask(question, found)

    def waits(self, caller: str, kind: str) -> bool:
        return True

    def read_at_once(self, callback: Callable[[Tx], T], *, caller: str, kind: str) -> T | None:
        return None

    async def write(
        self,
        callback: Callable[[Tx], T],
        lock: str | None = None,
        *,
        heavy: bool = False,
        ahead: Sequence[Question] = (),
    ) -> T:
        if self._stopping:
            raise StorageError("storage is stopping")
        loop = asyncio.get_running_loop()
        if lock is None:
            return await self._run(callback)
        future = Outcome(loop=loop)
        queue = self._queues.get(lock)
        if queue is not None:
            queue.append(QueuedWrite(callback, future, ahead))
        else:
            queue = self._queues[lock] = deque([QueuedWrite(callback, future, ahead)])
            committer = loop.create_task(self._commit_groups(lock, queue))
            self._committers.add(committer)
            committer.add_done_callback(self._committers.discard)
        return cast(T, await future)

    async def _run(self, callback: Callable[[Tx], T], lock: str | None = None, ahead: Sequence[Question] = ()) -> T:
        """Run a transaction in a thread. One that has begun is waited for, also when the caller is cancelled."""
        job = self._threads.submit(self._database.write, callback, lock, ahead)
        ended = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            if not job.cancel():
                await asyncio.wait([ended])
            raise

    async def _commit_groups(self, lock: str, queue: deque[QueuedWrite]) -> None:
        """Commit the queued callbacks of this lock in groups, each in a thread, until the queue is empty."""
        while queue:
            group = [queue.popleft() for _ in range(min(len(queue), GROUP_MAX))]
            group = [queued for queued in group if queued.begin()]  # the others' callers were cancelled
            outcomes: list[_Result | Exception] = []
            try:
                await self._run_group(group, lock, outcomes)
            except (LockTimeout, Unreachable) as error:  # who waits behind them would wait as long again
                group += queue
                queue.clear()
                outcomes += [error] * (len(group) - len(outcomes))
            for queued, outcome in zip(group, outcomes, strict=True):
                if queued.future.done():  # the caller was cancelled
                    continue
                if isinstance(outcome, Exception):
                    queued.future.set_exception(outcome)
                else:
                    queued.future.set_result(outcome.value)
        del self._queues[lock]

    async def _run_group(self, group: Sequence[QueuedWrite], lock: str, outcomes: list[_Result | Exception]) -> None:
        """Run callbacks in one transaction; when its commit is refused, each in one of its own.

        So only the one at fault fails. Appends the outcomes in order. Raises LockTimeout, Unreachable for all that have
        none.
        """
        if not group:
            return
        try:
            ahead = [question for queued in group for question in queued.ahead]
            outcomes += await self._run(partial(_run_each, [queued.callback for queued in group]), lock, ahead)
        except (LockTimeout, Unreachable):
            raise
        except Exception as error:
            if len(group) == 1 or isinstance(error, OutcomeUnknown | Conflict):
                outcomes += [error] * len(group)
                return
            for queued in group:
                await self._run_group([queued], lock, outcomes)

    async def start(self) -> None:
        await asyncio.get_running_loop().run_in_executor(
            self._threads, self._database.listen, self._on_alive or _ignore
        )
        self._line = self._database.line()

    async def stop(self) -> None:
        self._stopping = True
        if self._committers:
            await asyncio.wait(self._committers)
        if self._line is not None:
            await self._line.close()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._long.stop)
        await loop.run_in_executor(None, self._threads.shutdown)
        await loop.run_in_executor(None, self._database.close)


class _Result(NamedTuple):
    value: Any


def _run_each(callbacks: Sequence[Callable[[Tx], Any]], tx: Tx) -> list[_Result | Exception]:
    """Run callbacks in one transaction; one that raises rolls back only its own writes."""
    if len(callbacks) == 1:
        return [_Result(callbacks[0](tx))]
    outcomes: list[_Result | Exception] = []
    for callback in callbacks:
        try:
            with tx.savepoint():
                outcomes.append(_Result(callback(tx)))
        except (Conflict, Unreachable):  # the whole transaction was rolled back
            raise
        except Exception as error:
            outcomes.append(error)
        if tx.lost:
            raise StorageError("a row that a callback of the group had left to be written was refused")
    return outcomes


def _ignore(began: float) -> None:
    pass
