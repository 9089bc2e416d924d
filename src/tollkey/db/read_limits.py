"""Limits on slow reads: long ones run in a few threads of their own, one at a time for each caller, and all of one
caller's together take a bounded part of an iteration of the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from math import inf
from typing import TypeVar

from tollkey.db.engine import Busy

T = TypeVar("T")

THREADS = 2
COSTLY_SECONDS = 0.0015  # CPU time on the event loop
CHEAP_SECONDS = COSTLY_SECONDS / 2  # no longer worth measuring in CPU time
LONG_SECONDS = 0.008  # CPU time on the event loop, including what the callback computes from the rows
REMEMBERED_SECONDS = 1.0
MAX_RECORDED = 10_000  # pairs of caller and kind
TURN_SECONDS = 0.004  # of one caller in one iteration of the loop; a write of another one needs about eight of them
MAX_QUEUED = 10  # long reads of one caller, including the running one


class ConcurrencyLimits:
    """Limits how many reads of one caller run at once. Used on one event loop.

    limit: reads of one caller.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def slot(self, caller: str) -> AsyncIterator[None]:
        """Wait until fewer than ``limit`` reads of the caller are running, and count as one within the block."""
        semaphore, users = self._slots.get(caller) or (asyncio.Semaphore(self._limit), 0)
        self._slots[caller] = (semaphore, users + 1)
        try:
            async with semaphore:
                yield
        finally:
            semaphore, users = self._slots.pop(caller)
            if users > 1:
                self._slots[caller] = (semaphore, users - 1)


class ReadCosts:
    """Predicts the cost of a read from the last two of the same caller and kind. Used on one event loop.

    The cheaper of the two counts, so that a garbage collection during one of them does not. The time that passes is
    measured first, because the CPU time takes a system call. If it is long, the next reads are measured in CPU time,
    until two of them are cheap.
    now, cpu: return seconds, of a monotonic clock and of the thread's CPU time.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.thread_time) -> None:
        self._now, self._cpu = now, cpu
        # When, the last cost, the one before; None: suspected, not measured.
        self._last: dict[tuple[str, str], tuple[float, float, float] | None] = {}

    def clock(self, caller: str, kind: str) -> Callable[[], float]:
        """Return the clock for the next read, and for ``record`` afterwards. caller, kind: see ``Edge.read``."""
        return self._cpu if (caller, kind) in self._last else self._now

    def record(self, caller: str, kind: str, seconds: float, clock: Callable[[], float] | None = None) -> None:
        """Record the cost of a read.

        caller, kind: see ``Edge.read``. clock: of ``seconds``; None for CPU time. seconds: infinity if the read was
            aborted on the loop.
        """
        if clock is self._now:
            if seconds > COSTLY_SECONDS:
                self._keep(caller, kind, None)
            return
        known = self._last.get((caller, kind))
        before = seconds if known is None else known[1]
        if known is not None and max(seconds, before) <= CHEAP_SECONDS:
            del self._last[caller, kind]
        else:
            self._keep(caller, kind, (self._now(), seconds, seconds if seconds == inf else before))

    def _keep(self, caller: str, kind: str, cost: tuple[float, float, float] | None) -> None:
        if (caller, kind) not in self._last and len(self._last) >= MAX_RECORDED:
            self._last.clear()
        self._last[caller, kind] = cost

    def expected(self, caller: str, kind: str) -> tuple[bool, bool]:
        """Return whether the next read of this caller and kind is expected to be costly, and whether to be long."""
        known = self._last.get((caller, kind))
        if known is None:
            return False, False
        cost = min(known[1], known[2])
        costly = cost > COSTLY_SECONDS and self._now() - known[0] < REMEMBERED_SECONDS
        return costly, costly and cost > LONG_SECONDS


class Turn:
    """The time that each caller's reads have taken in the current iteration of the event loop.

    Without a limit, many connections of one caller with a read each, none of them costly, make every iteration long,
    and a write of somebody else waits for several of them. Used on one event loop.
    """

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    def spend(self, caller: str, seconds: float) -> None:
        """Count a read in this iteration; outside a loop there are none."""
        if not self._spent:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            loop.call_soon(self._spent.clear)
        self._spent[caller] = self._spent.get(caller, 0.0) + seconds

    def is_over(self, caller: str) -> bool:
        """Return whether the caller's next read is left to a later iteration."""
        return self._spent.get(caller, 0.0) >= TURN_SECONDS

    async def next(self, caller: str) -> None:
        """Wait for the next iteration in which the caller has time left."""
        await asyncio.sleep(0)
        while self.is_over(caller):
            await asyncio.sleep(0)


class LongReads:
    """Runs long reads in threads, at most one of each caller at a time. Used on one event loop."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="tollkey-reading")
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    async def run(self, callback: Callable[[], T], caller: str) -> T:
        """Run ``callback`` in a thread, after the earlier long reads of the same caller, and return its result.

        Raises Busy when the caller has ``MAX_QUEUED`` reads queued, and what ``callback`` raises.
        """
        async with self._exclusive(caller):
            return await asyncio.get_running_loop().run_in_executor(self._threads, callback)

    @asynccontextmanager
    async def _exclusive(self, caller: str) -> AsyncIterator[None]:
        lock, waiting = self._locks.get(caller) or (asyncio.Lock(), 0)
        if waiting >= MAX_QUEUED:
            raise Busy("too many long reads")
        self._locks[caller] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(caller)
            if waiting > 1:
                self._locks[caller] = (lock, waiting - 1)

    def stop(self) -> None:
        """Wait for the running reads and stop the threads."""
        self._threads.shutdown()
