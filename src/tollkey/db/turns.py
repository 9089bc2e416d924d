"""Reads that take long: a few threads of their own, and one at a time for each caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from tollkey.db.engine import Busy

T = TypeVar("T")

THREADS = 2
MOST_WAITING = 10  # long reads of one caller, with the one that runs


class Shares:
    """How many reads of one caller may run at once, where nobody knows beforehand how long one takes. Used on one loop."""

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


class LongReads:
    """Where long reads run, so that neither the event loop nor another caller's long read waits for them. Used on one loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tollkey-reading")
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}

    async def run(self, work: Callable[[], T], caller: str) -> T:
        """Run ``work`` in a thread when it is this caller's turn. Raises Busy when too many of the caller's wait already."""
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
