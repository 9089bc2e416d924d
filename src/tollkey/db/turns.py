"""Reads that take long: a few threads of their own, and one at a time for each caller."""

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
COSTLY_SECONDS = 0.0015  # of the loop's CPU
LONG_SECONDS = 0.008  # of the loop's CPU, also for a read of few rows of which much is made
REMEMBERED_SECONDS = 1.0
MOST_NOTED = 10_000  # callers and kinds
MOST_WAITING = 10  # long reads of one caller, with the one that runs


class Shares:
    """How many reads of one caller may run at once, where nobody knows beforehand how long one takes.

    Used on one loop.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """Wait until the caller has fewer than ``most`` that run."""
        places, asking = self._taken.get(caller) or (asyncio.Semaphore(self._most), 0)
        self._taken[caller] = (places, asking + 1)
        try:
            async with places:
                yield
        finally:
            places, asking = self._taken.pop(caller)
            if asking > 1:
                self._taken[caller] = (places, asking - 1)


class Costs:
    """Which kinds of reads are costly, and what to do with the next one. Used on one loop.

    The cheaper one of the last two counts: a garbage collection, which happens to fall into one, is not its own cost.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: dict[tuple[str, str], tuple[float, float, float]] = {}  # when, the last, the one before

    def note(self, caller: str, kind: str, seconds: float) -> None:
        """A read of that caller and kind took so much CPU of the loop; infinity when it was given up there."""
        known = self._last.get((caller, kind))
        if known is None and len(self._last) >= MOST_NOTED:
            self._last.clear()
        before = seconds if known is None else known[1]
        self._last[caller, kind] = (self._now(), seconds, seconds if seconds == inf else before)

    def expected(self, caller: str, kind: str) -> tuple[bool, bool]:
        """Whether the next one will be costly, and whether it will be long."""
        known = self._last.get((caller, kind))
        if known is None:
            return False, False
        cost = min(known[1], known[2])
        costly = cost > COSTLY_SECONDS and self._now() - known[0] < REMEMBERED_SECONDS
        return costly, costly and cost > LONG_SECONDS


class LongReads:
    """Where long reads run, so that neither the event loop nor another caller's long read waits for them.

    Used on one loop.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tollkey-reading")
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}

    async def run(self, work: Callable[[], T], caller: str) -> T:
        """Run ``work`` in a thread when it is this caller's turn.

        Raises Busy when too many of the caller's wait already.
        """
        async with self._turn(caller):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @asynccontextmanager
    async def _turn(self, caller: str) -> AsyncIterator[None]:
        lock, waiting = self._turns.get(caller) or (asyncio.Lock(), 0)
        if waiting >= MOST_WAITING:
            raise Busy("too many long reads")
        self._turns[caller] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._turns.pop(caller)
            if waiting > 1:
                self._turns[caller] = (lock, waiting - 1)

    def stop(self) -> None:
        """Wait for those that run."""
        self._threads.shutdown()
