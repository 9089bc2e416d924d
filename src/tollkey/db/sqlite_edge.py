"""The edge on SQLite, with group commit.

Reads run on the event loop (about 10 µs each). A read that exceeds the limits is aborted there and run again in a
thread.

Writes are committed in groups: the queued callbacks run one after another on the loop, each in its own savepoint of one
transaction. While a thread waits for the fsync of the WAL, the next group runs; it takes in callbacks until that fsync
is done, since it could not be durable earlier, and writes each page once for all of them. Callers get their results
after the fsync. So a read may show changes that are not durable yet, but no write is confirmed before it is.

When the commit of a group is refused, for example for a row of one of its callbacks that was held back, all of them run
again, each in a transaction of its own, so that only the one at fault fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from typing import Any, NamedTuple, TypeVar, cast

from tollkey.db.engine import OutcomeUnknown, ReadTooLong, StorageError, Tx
from tollkey.db.queued import Outcome, QueuedWrite
from tollkey.db.read_limits import ConcurrencyLimits, LongReads, ReadCosts, Turn
from tollkey.db.remembered import Remembered
from tollkey.db.sqlite import SQLite
from tollkey.db.sqlite_tx import SQLiteTx
from tollkey.db.sqlite_wal import Checkpointer

T = TypeVar("T")

BATCH_SECONDS = 0.010  # time on the loop without a pause; a read waits at most this long and for one more callback
GROUP_SECONDS = 0.050  # age at which a group is committed although callbacks are waiting
PATIENCE = 6  # iterations of the loop in which an empty queue may fill again
PATIENCE_SECONDS = 0.004  # they may take together: long reads of others make each iteration long
POLL_SECONDS = 0.2
_TIDY_SECONDS = 600.0

_log = logging.getLogger(__name__)


class _Done(NamedTuple):
    future: Outcome
    tx: SQLiteTx
    result: Any


class SQLiteEdge:
    """The edge on one SQLite file. Created and used on one event loop. on_alive: see ``edge_for``."""

    reads_at_once, ask = True, None

    def __init__(self, database: SQLite, on_alive: Callable[[float], None] | None = None) -> None:
        self._database, self._on_alive = database, on_alive
        self._queue: deque[QueuedWrite] = deque()
        self._heavy: deque[QueuedWrite] = deque()
        self._alone: deque[QueuedWrite] = deque()  # of groups that were refused: each runs in a group of its own
        self._loop: asyncio.AbstractEventLoop | None = None  # asking for it costs a system call before Python 3.12
        self._committer: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._write_failure, self._last_size = "", 0  # why writes are refused; callbacks in the last group
        self._committed: list[_Group] = []
        self._syncing: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()  # set when a callback is queued and when an fsync is done
        self._checkpointer = Checkpointer(database)
        # One thread for fsync, one for waiting for another process's lock, one for checkpoints.
        self._long, self._remembered = LongReads(), Remembered()
        self._costs, self._limits, self._turn = ReadCosts(), ConcurrencyLimits(1), Turn()
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="tollkey-storage")

    async def read(
        self, callback: Callable[[Tx], T], single: bool = False, *, long: bool = False, caller: str = "", kind: str = ""
    ) -> T:
        costly, long = self._costs.expected(caller, kind) if caller and not long else (False, long)
        try:
            if not long and (costly or self._turn.is_over(caller)):
                async with self._limits.slot(caller):
                    await self._turn.next(caller)  # at most one in each iteration of the loop
                    return self._read_here(callback, single, caller, kind)
            if not long:
                return self._read_here(callback, single, caller, kind)
        except ReadTooLong:
            pass
        return await self._long.run(partial(self._database.read, callback), caller)

    def _read_here(self, callback: Callable[[Tx], T], single: bool, caller: str, kind: str) -> T:
        """Run a read on the loop and record its cost. Raises ReadTooLong."""
        if not caller:
            return self._database.read(callback, single, brief=True)
        clock = self._costs.clock(caller, kind)
        began = clock()
        try:
            result = self._database.read(callback, single, brief=True)
        except ReadTooLong:
            self._costs.record(caller, kind, inf)
            raise
        finally:
            took = clock() - began
            self._turn.spend(caller, took)
        self._costs.record(caller, kind, took, clock)
        return result

    def read_now(self, callback: Callable[[Tx], bytes | None], key: Hashable) -> bytes | None:
        changes = self._database.changes  # before reading, so that what is committed meanwhile is not missed
        found = self._remembered.get(key, changes)
        if found is None:
            found = self._database.read(callback, single=True)
            if found is not None:
                self._remembered.keep(key, found, changes)
        return found

    def waits(self, caller: str, kind: str) -> bool:
        return self._turn.is_over(caller) or self._costs.expected(caller, kind)[0]

    def read_at_once(self, callback: Callable[[Tx], T], *, caller: str, kind: str) -> T | None:
        try:
            return self._read_here(callback, False, caller, kind)
        except ReadTooLong:
            return None

    async def write(
        self, callback: Callable[[Tx], T], lock: str | None = None, *, heavy: bool = False, ahead: object = ()
    ) -> T:
        if self._write_failure:
            raise StorageError(self._write_failure)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        future = Outcome(loop=self._loop)
        (self._heavy if heavy else self._queue).append(QueuedWrite(callback, future))
        self._changed.set()
        self._start_committer()
        return cast(T, await future)

    async def start(self) -> None:
        self._database.set_auto_checkpoint(0)
        self._poll()
        self._polling = asyncio.get_running_loop().create_task(self._keep_polling())

    async def stop(self) -> None:
        self._write_failure = "storage is stopping"
        if self._polling is not None:
            self._polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._polling
        while tasks := [
            task
            for task in (self._committer, self._syncing, self._checkpointer.task)
            if task is not None and not task.done()
        ]:
            await asyncio.wait(tasks)
        await asyncio.get_running_loop().run_in_executor(None, self._long.stop)
        self._threads.shutdown()
        self._database.close()

    # -- groups

    def _start_committer(self) -> None:
        if self._committer is None or self._committer.done():
            self._committer = asyncio.get_running_loop().create_task(self._commit_groups())

    @property
    def _heavy_is_next(self) -> bool:
        """Whether a heavy callback may run: what is written beside a checkpoint is left to the restart, which blocks
        writers.
        """
        return bool(self._heavy) and not self._checkpointer.running

    async def _commit_groups(self) -> None:
        """Run and commit groups on the loop until the queues are empty; ``_sync_groups`` makes them durable.

        Heavy callbacks wait while a checkpoint runs; it starts this again.
        """
        loop = asyncio.get_running_loop()
        heavy = False
        while self._alone or self._queue or self._heavy_is_next:
            # A heavy callback runs alone in a thread; queued light ones run before the next heavy one.
            alone = bool(self._alone)
            heavy = not alone and self._heavy_is_next and not (heavy and self._queue)
            queue = self._alone if alone else self._heavy if heavy else self._queue
            if self._checkpointer.restart_due:
                await loop.run_in_executor(self._threads, self._checkpointer.run_restart)
            group = _Group(self._database, queue, single=alone or heavy)
            try:
                if not heavy and group.try_begin():
                    await self._fill(group)
                    self._database.commit()
                else:  # another thread or process is writing: wait for it in a thread
                    await loop.run_in_executor(self._threads, group.run_blocking)
            except Exception as error:
                self._alone.extend(group.fail(error))
            else:
                self._committed.append(group)
                if self._syncing is None or self._syncing.done():
                    self._syncing = loop.create_task(self._sync_groups())
            finally:
                group.end()
            await asyncio.sleep(0)  # let reads and responses run

    async def _fill(self, group: _Group) -> None:
        """Run queued callbacks in a group: those that are there, and those that come while it would wait anyway.

        That is until the fsync under way is done, and for a few iterations of the loop after it, in which the callers
        of the group before are answered and ask again. No iteration is waited for when callbacks come one at a time.
        """
        loop = asyncio.get_running_loop()
        until, patience, patient_until = loop.time() + GROUP_SECONDS, PATIENCE, inf
        group.run()
        while not group.single and loop.time() < until:
            if self._queue:
                await asyncio.sleep(0)  # let reads run
            elif self._syncing is not None and not self._syncing.done():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), until - loop.time())
            elif patience and group.size < self._last_size and loop.time() < patient_until:
                patience, patient_until = patience - 1, min(patient_until, loop.time() + PATIENCE_SECONDS)
                await asyncio.sleep(0)
            else:
                break
            group.run()
        self._last_size = group.size

    async def _sync_groups(self) -> None:
        """Fsync the committed groups and resolve their futures, until there are none."""
        loop = asyncio.get_running_loop()
        while self._committed:
            groups, self._committed = self._committed, []
            try:
                await loop.run_in_executor(self._threads, self._database.sync)
            except Exception as error:
                # Whether they are durable is unknown (see ``SQLite.sync``), also for groups committed meanwhile.
                if not self._write_failure:
                    _log.critical(str(error))
                self._write_failure = str(error)
                for group in groups:
                    group.fail_unknown(error)
            else:
                for group in groups:
                    group.resolve()
                self._changed.set()
                if self._checkpointer.is_long(sum(group.size for group in groups)):
                    self._checkpointer.task = loop.create_task(self._run_checkpoint())

    async def _run_checkpoint(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._checkpointer.run_passive)
        self._checkpointer.running = False
        self._checkpointer.restart_due = True  # a second checkpoint between two groups restarts the WAL
        if self._heavy:
            self._start_committer()

    # -- other processes

    def _poll(self) -> None:
        try:
            began = time.monotonic()
            self._database.poll()
            if self._on_alive is not None:
                self._on_alive(began)
        except Exception as error:  # the lease is not renewed; polling must go on
            if not self._database.closed:  # by a program that stops the edge after it
                _log.warning("polling for announcements failed: %s", error)

    async def _keep_polling(self) -> None:
        tidied_at = time.monotonic()
        while not self._database.closed:
            await asyncio.sleep(POLL_SECONDS)
            self._poll()
            if time.monotonic() - tidied_at > _TIDY_SECONDS:
                tidied_at = time.monotonic()
                await asyncio.get_running_loop().run_in_executor(self._threads, self._delete_old_announcements)

    def _delete_old_announcements(self) -> None:
        try:
            self._database.delete_old_announcements()
        except Exception as error:
            _log.warning("deleting old announcements failed: %s", error)


class _Group:
    """Callbacks in one transaction. Holds the database's write lock from ``try_begin`` to ``end``.

    queue: where they come from. single: take only one of them.
    """

    def __init__(self, database: SQLite, queue: deque[QueuedWrite], *, single: bool) -> None:
        self._database, self._queue, self.single = database, queue, single
        self._held = False
        self._begun = False
        self._ran: list[QueuedWrite] = []
        self._done: list[_Done] = []
        self._failed: list[tuple[Outcome, BaseException]] = []

    @property
    def size(self) -> int:
        """The number of callbacks that succeeded."""
        return len(self._done)

    def try_begin(self) -> bool:
        """Begin the transaction on the loop. Returns False if that would block."""
        self._held = self._database.write_lock.acquire(blocking=False)
        if not self._held:
            return False
        tx = self._database.batch_tx()
        tx.execute("PRAGMA busy_timeout = 0")
        try:
            self._database.begin()
        except StorageError:
            self._database.write_lock.release()
            self._held = False
        tx.execute("PRAGMA busy_timeout = 10000")
        return self._held

    def run_blocking(self) -> None:
        """Run and commit the group in a thread, waiting for the lock and the file."""
        with self._database.write_lock:
            self._database.begin()
            try:
                self.run()
                self._database.commit()
            except BaseException:
                self._database.rollback()
                raise

    def run(self) -> None:
        """Run queued callbacks, up to a time. Raises StorageError when the whole transaction is lost."""
        self._begun = True
        until = time.monotonic() + BATCH_SECONDS
        while self._queue and not (self.single and self._ran):
            write = self._queue.popleft()
            if write.begin():
                self._run_one(write)
                if time.monotonic() >= until:
                    return

    def _run_one(self, write: QueuedWrite) -> None:
        self._ran.append(write)
        tx = self._database.batch_tx()
        try:
            with tx.savepoint():
                result = write.callback(tx)
        except sqlite3.Error as error:
            # A statement of the callback would raise StorageError. This is the savepoint itself: SQLite has rolled
            # back the whole transaction (full disk, I/O error).
            self._failed.append((write.future, StorageError(str(error))))
            raise StorageError(f"the transaction was rolled back: {error}") from error
        except Exception as error:
            self._failed.append((write.future, error))
        else:
            self._done.append(_Done(write.future, tx, result))
        if tx.lost:
            raise StorageError("a row that a callback of the group had left to be written was refused")

    def resolve(self) -> None:
        """The group is durable: run its ``on_commit`` callbacks, then resolve its futures. On the loop."""
        self._database.run_after_commit([done.tx for done in self._done])
        for done in self._done:
            if not done.future.done():
                done.future.set_result(done.result)
        self._raise_failed()

    def fail_unknown(self, error: Exception) -> None:
        """The group was committed but its fsync failed: raise OutcomeUnknown in its callers."""
        for done in self._done:
            if not done.future.done():
                done.future.set_exception(error if isinstance(error, StorageError) else OutcomeUnknown(str(error)))
        self._raise_failed()

    def fail(self, error: Exception) -> list[QueuedWrite]:
        """The group was rolled back: return its callbacks, to be run again one by one, or fail the only one.

        If it could not begin, fail all queued callers.
        """
        if self._held:
            with contextlib.suppress(Exception):
                self._database.rollback()
        if len(self._ran) > 1:
            return self._ran
        for done in self._done:
            self._failed.append((done.future, error if isinstance(error, StorageError) else StorageError(str(error))))
        while self._queue and not self._begun:
            self._failed.append((self._queue.popleft().future, error))
        self._raise_failed()
        return []

    def _raise_failed(self) -> None:
        for future, error in self._failed:
            if not future.done():
                future.set_exception(error)

    def end(self) -> None:
        if self._held:
            self._held = False
            self._database.write_lock.release()
