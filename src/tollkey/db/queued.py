"""Writes that wait in an edge for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tollkey.db.ahead import Question
from tollkey.db.engine import Tx


class Outcome(asyncio.Future[Any]):
    """The outcome of a queued write.

    begun: the write runs, or has run. Who is cancelled before that leaves nothing behind; who is cancelled later is
        resumed, with CancelledError, when the write has ended, so that no write goes on that nobody counts.
    """

    begun = False

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel the write, unless it has begun; return whether it was cancelled."""
        return False if self.begun else super().cancel(msg)


class QueuedWrite(NamedTuple):
    """A write that has not run yet, and the future that gets its result. ahead: what it will read first."""

    callback: Callable[[Tx], Any]
    future: Outcome
    ahead: Sequence[Question] = ()

    def begin(self) -> bool:
        """Record that the write runs now; return False when its caller was cancelled."""
        if self.future.done():
            return False
        self.future.begun = True
        return True
