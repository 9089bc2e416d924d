"""Group commit on one SQLite file: the edge (``edge.py``) of an embedded database.

Reads run on the event loop (about 10 µs each) as long as they are brief; one that is not is given up there and runs in
a thread.
Writes are committed in groups: those waiting run one
after the other on the loop, each in its own savepoint of one transaction. Then the next group runs,
while a thread waits until the disk has the log; answers leave after that. So a read may show what is
on its way to the disk, but nobody is told that it was kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from typing import Any, NamedTuple, TypeVar

from tollkey.db.engine import StorageError, TooLong, Tx, Unknown
from tollkey.db.sqlite import SQLite
from tollkey.db.sqlite_tx import SQLiteTx
from tollkey.db.turns import Costs, LongReads, Shares

T = TypeVar("T")

BATCH_SECONDS = 0.010  # of the loop's time for one group; reads wait no longer than this and one more work
POLL_SECONDS = 0.2
LOG_WORKS = 400  # works, after which SQLite's log is moved into the file: some 3 MB of it
LOG_BYTES = 32 * 1024 * 1024  # or when it has become this long
_TIDY_SECONDS = 600.0

_log = logging.getLogger(__name__)


class Waiting(NamedTuple):
    """A work whose turn has not come, and whom its outcome is for."""

    work: Callable[[Tx], Any]
    answer: asyncio.Future[Any]


class _Done(NamedTuple):
    answer: asyncio.Future[Any]
    tx: SQLiteTx
    result: Any


class SQLiteEdge:
    """Group commit on one SQLite file. Made and used on one event loop."""

    def __init__(self, database: SQLite, on_alive: Callable[[float], None] | None = None) -> None:
        self._database = database
        self._on_alive = on_alive
        self._queue: deque[Waiting] = deque()
        self._heavy: deque[Waiting] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._refusing = ""  # why writes are refused
        self._committed: list[_Group] = []
        self._syncing: asyncio.Task[None] | None = None
        self._mover = _LogMover(database)
        # One waits for the disk, one for another process's lock, one moves the log.
        self._long = LongReads()
        self._costs, self._shares = Costs(), Shares(1)
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="tollkey-storage")

    async def read(
        self, work: Callable[[Tx], T], single: bool = False, *, long: bool = False, caller: str = "", kind: str = ""
    ) -> T:
        costly = False
        if caller and not long:
            costly, long = self._costs.expected(caller, kind)
        try:
            if costly and not long:
                async with self._shares.of(caller):
                    await asyncio.sleep(0)  # one in each round of the loop: others go between
                    return self._read_here(work, single, caller, kind)
            if not long:
                return self._read_here(work, single, caller, kind)
        except TooLong:
            pass
        return await self._long.run(partial(self._database.read, work), caller)

    def _read_here(self, work: Callable[[Tx], T], single: bool, caller: str, kind: str) -> T:
        """On the loop. Raises TooLong."""
        if not caller:
            return self._database.read(work, single, brief=True)
        began = time.thread_time()
        try:
            result = self._database.read(work, single, brief=True)
        except TooLong:
            self._costs.note(caller, kind, inf)
            raise
        self._costs.note(caller, kind, time.thread_time() - began)
        return result

    def read_now(self, work: Callable[[Tx], T]) -> T | None:
        return self._database.read(work, single=True)

    async def write(self, work: Callable[[Tx], T], lock: str | None = None, *, heavy: bool = False) -> T:
        if self._refusing:
            raise StorageError(self._refusing)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        (self._heavy if heavy else self._queue).append(Waiting(work, answer))
        if self._pump is None or self._pump.done():
            self._pump = loop.create_task(self._commit_groups())
        return await answer

    async def start(self) -> None:
        self._database.keep_log()
        self._poll()
        self._polling = asyncio.get_running_loop().create_task(self._keep_polling())

    async def stop(self) -> None:
        self._refusing = "storage is stopping"
        if self._polling is not None:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling
        while tasks := [
            task for task in (self._pump, self._syncing, self._mover.moving) if task is not None and not task.done()
        ]:
            await asyncio.wait(tasks)
        await asyncio.get_running_loop().run_in_executor(None, self._long.stop)
        self._threads.shutdown()
        self._database.close()

    # -- groups

    async def _commit_groups(self) -> None:
        """As long as works are waiting: a group on the loop, its COMMIT.

        Its answers leave when the disk has it, beside the next group.
        """
        loop = asyncio.get_running_loop()
        heavy = False
        while self._queue or self._heavy:
            # A heavy work goes alone and in a thread, and lets what waits go before the next one.
            heavy = bool(self._heavy) and not (heavy and self._queue)
            queue = deque([self._heavy.popleft()]) if heavy else self._queue
            if self._mover.rests:
                await loop.run_in_executor(self._threads, self._mover.move_rest)
            group = _Group(self._database)
            try:
                if not heavy and group.begin_now():
                    group.run(queue)
                    self._database.commit()
                else:  # another thread or process is writing: wait for it off the loop
                    await loop.run_in_executor(self._threads, group.run_waiting, queue)
            except Exception as error:
                group.fail(error, queue)
            else:
                self._committed.append(group)
                if self._syncing is None or self._syncing.done():
                    self._syncing = loop.create_task(self._sync_groups())
            finally:
                group.end()
            await asyncio.sleep(0)  # reads, and answers, go between

    async def _sync_groups(self) -> None:
        """As long as there are committed groups: wait for the disk, and answer all that it has then."""
        loop = asyncio.get_running_loop()
        while self._committed:
            groups, self._committed = self._committed, []
            try:
                await loop.run_in_executor(self._threads, self._database.sync)
            except Exception as error:
                # Nobody knows what the disk has; see ``SQLite.sync``. Neither do the groups that were committed
                # meanwhile.
                if not self._refusing:
                    _log.critical(str(error))
                self._refusing = str(error)
                for group in groups:
                    group.lose(error)
            else:
                for group in groups:
                    group.answer()
                if self._mover.is_long(sum(group.size for group in groups)):
                    self._mover.moving = loop.create_task(self._move_log())

    async def _move_log(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._mover.move)
        self._mover.rests = True  # what was written meanwhile moves while nobody writes: then the log begins anew

    # -- other processes

    def _poll(self) -> None:
        try:
            began = time.monotonic()
            self._database.poll()
            if self._on_alive is not None:
                self._on_alive(began)
        except Exception as error:  # not alive this time; a subscriber's fault must not end the polling
            _log.warning("polling for announcements failed: %s", error)

    async def _keep_polling(self) -> None:
        tidied_at = time.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._poll()
            if time.monotonic() - tidied_at > _TIDY_SECONDS:
                tidied_at = time.monotonic()
                await asyncio.get_running_loop().run_in_executor(self._threads, self._tidy)

    def _tidy(self) -> None:
        try:
            self._database.tidy()
        except Exception as error:
            _log.warning("tidying announcements failed: %s", error)


class _LogMover:
    """When SQLite's log is moved into the file: the bulk beside the writes, the rest between two groups."""

    def __init__(self, database: SQLite) -> None:
        self._database = database
        self._works = 0
        self._longest = LOG_BYTES
        self.moving: asyncio.Task[None] | None = None
        self.rests = False

    def is_long(self, further: int) -> bool:
        """Whether it is time, and nobody is at it. further: how many works have been added to it."""
        self._works += further
        if self.rests or (self.moving is not None and not self.moving.done()):
            return False
        if self._works < LOG_WORKS and self._database.log_bytes() < self._longest:
            return False
        self._works = 0
        return True

    def move(self) -> None:
        self._checkpoint(whole=False)

    def move_rest(self) -> None:
        """While no group is written: then the log begins anew, unless a reader somewhere still needs it."""
        self.rests = False
        anew = self._checkpoint(whole=True)
        self._longest = LOG_BYTES if anew else self._database.log_bytes() + LOG_BYTES

    def _checkpoint(self, whole: bool) -> bool:
        try:
            return self._database.checkpoint(whole)
        except Exception as error:
            _log.warning("the log was not moved into the file: %s", error)
            return False


class _Group:
    """Some works, one transaction. Holds the database's write lock from ``begin_now`` to ``end``."""

    def __init__(self, database: SQLite) -> None:
        self._database = database
        self._held = False
        self._begun = False
        self._done: list[_Done] = []
        self._failed: list[tuple[asyncio.Future[Any], BaseException]] = []

    @property
    def size(self) -> int:
        """How many works it has kept."""
        return len(self._done)

    def begin_now(self) -> bool:
        """Open the transaction unless that means waiting; on the loop."""
        self._held = self._database.write_lock.acquire(blocking=False)
        if not self._held:
            return False
        tx = self._database.part()
        tx.execute("PRAGMA busy_timeout = 0")
        try:
            self._database.begin()
        except StorageError:
            self._database.write_lock.release()
            self._held = False
        tx.execute("PRAGMA busy_timeout = 10000")
        return self._held

    def run_waiting(self, queue: deque[Waiting]) -> None:
        """The whole group in the commit thread: wait for the lock and the file, run, commit."""
        with self._database.write_lock:
            self._database.begin()
            try:
                self.run(queue)
                self._database.commit()
            except BaseException:
                self._database.rollback()
                raise

    def run(self, queue: deque[Waiting]) -> None:
        self._begun = True
        until = time.monotonic() + BATCH_SECONDS
        while queue:
            work, answer = queue.popleft()
            if answer.done():  # its caller has gone
                continue
            self._run_one(work, answer)
            if time.monotonic() >= until:
                return

    def _run_one(self, work: Callable[[Tx], Any], answer: asyncio.Future[Any]) -> None:
        tx = self._database.part()
        try:
            with tx.savepoint():
                result = work(tx)
        except sqlite3.Error as error:
            # Not from a statement of the work, which would be a StorageError: the savepoint itself is gone,
            # so SQLite has undone the whole transaction (a full disk, an I/O error).
            self._failed.append((answer, StorageError(str(error))))
            raise StorageError(f"the transaction was lost: {error}") from error
        except Exception as error:
            self._failed.append((answer, error))
        else:
            self._done.append(_Done(answer, tx, result))

    def answer(self) -> None:
        """The group is on disk: tell who waits for that, then its callers. On the loop."""
        self._database.tell([done.tx for done in self._done])
        for done in self._done:
            if not done.answer.done():
                done.answer.set_result(done.result)
        self._refuse()

    def lose(self, error: Exception) -> None:
        """It is committed, and the disk has failed since."""
        for done in self._done:
            if not done.answer.done():
                done.answer.set_exception(error if isinstance(error, StorageError) else Unknown(str(error)))
        self._refuse()

    def fail(self, error: Exception, queue: deque[Waiting]) -> None:
        """Nothing of the group was kept. When it could not even begin, whoever waits is refused now."""
        if self._held:
            with contextlib.suppress(Exception):
                self._database.rollback()
        for done in self._done:
            if not done.answer.done():
                lost = StorageError(f"the group's commit failed: {error}")
                lost.__cause__ = error
                done.answer.set_exception(lost)
        while queue and not self._begun:
            self._failed.append((queue.popleft().answer, error))
        self._refuse()

    def _refuse(self) -> None:
        for answer, error in self._failed:
            if not answer.done():
                answer.set_exception(error)

    def end(self) -> None:
        if self._held:
            self._held = False
            self._database.write_lock.release()
