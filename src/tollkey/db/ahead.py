"""Which reads a transaction will probably make, so that they are sent together with its BEGIN.

Some its callers know (``Edge.write``): the record of an idempotency key. Others are habits of a lock.

Most groups of writes of an account read the same few rows first: the account, its webhook endpoints. Each of these
reads would be an exchange with PostgreSQL of its own, under the account's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import NamedTuple

_MOST_LOCKS = 10_000
_MOST_READS = 8  # of one transaction


class Question(NamedTuple):
    """A SELECT of one table. sql: with ``?`` placeholders. params: their values."""

    table: str
    sql: str
    params: tuple[Hashable, ...]


class Habits:
    """What the last transactions under each lock have read through ``Table.cached``. Used by several threads.

    One that fails is forgotten: perhaps because what was expected of it can no longer be read.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[str, tuple[Sequence[Question], Sequence[Question]]] = {}  # asked last; expected next

    def take(self, lock: str) -> Sequence[Question]:
        """Return what the next transaction under this lock will probably ask: what the last two have asked."""
        with self._guard:
            asked, expected = self._known.pop(lock, ((), ()))
            if asked:
                self._known[lock] = asked, ()
        return expected

    def learn(self, lock: str, asked: Sequence[Question]) -> None:
        """Record what a transaction under this lock, which was committed, has asked, in order."""
        asked = asked[:_MOST_READS]
        with self._guard:
            before = self._known.pop(lock, ((), ()))[0]
            if len(self._known) >= _MOST_LOCKS:
                self._known.clear()
            self._known[lock] = asked, [question for question in asked if question in before]
