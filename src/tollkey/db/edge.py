"""Where storage runs in an async server. Works are plain functions; only this file and ``sqlite_edge.py`` know about
``await``.

SQLite: see ``sqlite_edge.py``. PostgreSQL: everything runs in a thread pool, works under one lock in groups.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from tollkey.db.engine import Conflict, Database, StorageError, Tx
from tollkey.db.sqlite import SQLite
from tollkey.db.sqlite_edge import SQLiteEdge, Waiting
from tollkey.db.turns import LongReads, Shares

if TYPE_CHECKING:
    from tollkey.db.postgres import Postgres

T = TypeVar("T")

GROUP_MOST = 32  # works in one transaction on PostgreSQL; more would keep the first ones waiting


class Edge(Protocol):
    """Storage as an async server uses it."""

    async def read(
        self, work: Callable[[Tx], T], single: bool = False, *, long: bool = False, caller: str = "", kind: str = ""
    ) -> T:
        """Run ``work`` on a consistent view of what has been committed; it may be run a second time, when it took long.

        single: see ``Database.read``. long: it is known to look at much. caller: whose long and costly reads take
            turns.
        kind: what is read, an endpoint's path; the next of that caller and kind is expected to cost as much.
        Raises Busy when too many long reads of that caller wait.
        """

    def read_now(self, work: Callable[[Tx], T]) -> T | None:
        """Run ``work``, one statement, without waiting; None where that is not possible and ``read`` must be asked."""

    async def write(self, work: Callable[[Tx], T], lock: str | None = None, *, heavy: bool = False) -> T:
        """Run ``work`` in a transaction; durable when this returns, undone when this raises.

        lock: works with the same text run one after the other. heavy: it writes megabytes, and must not hold up the
            loop. A caller that is cancelled while waiting does not learn whether its work was kept.
        """

    async def start(self) -> None:
        """Begin to hear other processes, and to report being alive."""

    async def stop(self) -> None:
        """Refuse new writes, finish those waiting, close the database."""


def edge_for(database: Database, on_alive: Callable[[float], None] | None = None) -> Edge:
    """The edge that fits the database.

    on_alive: called several times a second for as long as announcements of other processes are
        heard, on the loop (SQLite) or on another thread (PostgreSQL); it must be quick. It is given
        ``time.monotonic()`` from before it was looked: what was announced up to then has been heard.
    """
    if isinstance(database, SQLite):
        return SQLiteEdge(database, on_alive)
    if database.dialect == "postgres":
        from tollkey.db.postgres import Postgres  # loaded already, by who made it

        assert isinstance(database, Postgres)
        return ThreadEdge(database, on_alive)
    raise TypeError(f"no edge for {type(database).__name__}")


class ThreadEdge:
    """Runs each work on a thread of a pool as large as the database's own.

    Works under the same lock would only wait for one another there, a thread and a connection each. So they gather
    here and run in groups: one transaction, one commit, each in a savepoint of its own.
    """

    def __init__(self, database: Postgres, on_alive: Callable[[float], None] | None = None) -> None:
        self._database = database
        self._on_alive = on_alive
        self._threads = ThreadPoolExecutor(database.pool_size, thread_name_prefix="tollkey-storage")
        self._long = LongReads()
        self._shares = Shares(max(1, database.pool_size - 2))  # one account's slow lists leave threads to the others
        self._queues: dict[str, deque[Waiting]] = {}
        self._pumps: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def read(
        self, work: Callable[[Tx], T], single: bool = False, *, long: bool = False, caller: str = "", kind: str = ""
    ) -> T:
        if long:
            return await self._long.run(partial(self._database.read, work), caller)
        reading = partial(asyncio.get_running_loop().run_in_executor, self._threads, self._database.read, work, single)
        if not caller:
            return await reading()
        async with self._shares.of(caller):
            return await reading()

    def read_now(self, work: Callable[[Tx], T]) -> T | None:
        return None  # it would hold up the loop for a round trip

    async def write(self, work: Callable[[Tx], T], lock: str | None = None, *, heavy: bool = False) -> T:
        if self._stopping:
            raise StorageError("storage is stopping")
        loop = asyncio.get_running_loop()
        if lock is None:
            return await loop.run_in_executor(self._threads, self._database.write, work, None)
        answer: asyncio.Future[T] = loop.create_future()
        queue = self._queues.get(lock)
        if queue is not None:
            queue.append(Waiting(work, answer))
        else:
            queue = self._queues[lock] = deque([Waiting(work, answer)])
            pump = loop.create_task(self._commit_groups(lock, queue))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)
        return await answer

    async def _commit_groups(self, lock: str, queue: deque[Waiting]) -> None:
        """As long as works wait for this lock: a group in a thread, then its answers."""
        loop = asyncio.get_running_loop()
        while queue:
            group = [queue.popleft() for _ in range(min(len(queue), GROUP_MOST))]
            works = [waiting.work for waiting in group]
            try:
                outcomes = await loop.run_in_executor(self._threads, self._database.write, partial(_each, works), lock)
            except Exception as error:
                outcomes = [error] * len(group)
            for waiting, outcome in zip(group, outcomes, strict=True):
                if waiting.answer.done():  # its caller has gone
                    continue
                if isinstance(outcome, Exception):
                    waiting.answer.set_exception(outcome)
                else:
                    waiting.answer.set_result(outcome.value)
        del self._queues[lock]

    async def start(self) -> None:
        await asyncio.get_running_loop().run_in_executor(
            self._threads, self._database.listen, self._on_alive or _nothing
        )

    async def stop(self) -> None:
        self._stopping = True
        if self._pumps:
            await asyncio.wait(self._pumps)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._long.stop)
        await loop.run_in_executor(None, self._threads.shutdown)
        await loop.run_in_executor(None, self._database.close)


class _Kept(NamedTuple):
    value: Any


def _each(works: Sequence[Callable[[Tx], Any]], tx: Tx) -> list[_Kept | Exception]:
    """Run works in one transaction; one that fails undoes only what it wrote itself."""
    if len(works) == 1:
        return [_Kept(works[0](tx))]
    outcomes: list[_Kept | Exception] = []
    for work in works:
        try:
            with tx.savepoint():
                outcomes.append(_Kept(work(tx)))
        except Conflict:  # the database undid the whole transaction: the group runs again
            raise
        except Exception as error:
            outcomes.append(error)
    return outcomes


def _nothing(began: float) -> None:
    pass
