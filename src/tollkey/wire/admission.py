"""Bounds what requests wait for: how many at once, how long, and how old the verdict on their key may be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tollkey.db import Tx
from tollkey.keys import Denied, Key, Reason
from tollkey.wire import refusals

T = TypeVar("T")

#: Seconds after which a key is verified again before data leaves: with the lease of one second, none leaves more than
#: about a second after a revocation was acknowledged.
AGE_SECONDS = 0.1


class Admission:
    """Lets a bounded number of requests use the storage at once, each for a bounded time. Used on one event loop.

    most: requests that wait, without reads that do not. seconds: of one request, without the arrival of its body.
    running: how many there are, with the writes that go on after their requests were answered.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self.running = 0

    @property
    def free(self) -> bool:
        """Whether one more may run."""
        return self.running < self._most

    async def run(self, work: Callable[[], Awaitable[T]], *, writes: bool = False) -> T:
        """Return what ``work`` returns.

        writes: whether it may have changed something when its time is over. It is then cancelled, and counted until it
            has ended, since a write that has begun goes on (``Edge.write``).
        Raises ApiError 503, at once when ``most`` requests are running, and when the time is over; and what ``work``
        raises.
        """
        if not self.free:
            raise refusals.overloaded()
        self.running += 1
        if writes:
            return await self._run_apart(work)
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await work()
        except TimeoutError:
            if not limit.expired():
                raise
            raise refusals.took_too_long(self._seconds, writes=False) from None
        finally:
            self.running -= 1

    async def _run_apart(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run ``work`` in a task of its own, so that the answer need not wait for its end."""
        task = asyncio.ensure_future(work())
        task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._seconds) as limit:
                return await asyncio.shield(task)
        except TimeoutError:
            if not limit.expired():
                raise
            task.cancel()
            raise refusals.took_too_long(self._seconds, writes=True) from None
        except asyncio.CancelledError:
            task.cancel()
            raise

    def _ended(self, task: asyncio.Future[T]) -> None:
        self.running -= 1


class Recheck:
    """Verifies a key again once the last verdict on it is too old, since its request may have waited.

    verify: returns the verdict from a transaction; None when the key is gone. monotonic: returns seconds of a monotonic
    clock.
    """

    def __init__(
        self, verify: Callable[[Tx], Key | Denied | None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._verify, self._monotonic = verify, monotonic
        self._at = monotonic()

    @property
    def due(self) -> bool:
        """Whether the last verdict is too old."""
        return self._monotonic() - self._at > AGE_SECONDS

    def __call__(self, tx: Tx) -> None:
        """Verify again, if that is due. Raises the ApiError for a key that is not valid any more; StorageError."""
        if not self.due:
            return
        now = self._monotonic()
        verdict = self._verify(tx)
        if not isinstance(verdict, Key):
            raise refusals.denied(verdict or Denied(Reason.revoked, ""))
        self._at = now
