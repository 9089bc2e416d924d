"""The platform that an account belongs to: both share one write lock, and its webhook endpoints receive the events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tollkey.db import Scope, Tx
from tollkey.db.ahead import Question
from tollkey.db.edge import Edge

T = TypeVar("T")
_MOST_REMEMBERED = 100_000  # accounts without a platform, about 200 bytes each


class _Left(Exception):
    """The account has left its platform while a write waited for the lock of both."""


class Owners:
    """Finds the platform of an account, and caches accounts without one: that never changes.

    platform_of: returns the platform that an account belongs to, or None.
    """

    def __init__(self, platform_of: Callable[[Tx, Scope], str | None]) -> None:
        self._platform_of = platform_of
        self._alone: set[Scope] = set()

    def of(self, tx: Tx, scope: Scope) -> str:
        """Return the platform that the account belongs to, or the account itself."""
        if scope in self._alone:
            return scope.account
        found = self._platform_of(tx, scope)
        if found is None:
            if len(self._alone) >= _MOST_REMEMBERED:
                self._alone.clear()
            self._alone.add(scope)
        return found or scope.account

    async def write(self, edge: Edge, scope: Scope, callback: Callable[[Tx], T], ahead: Sequence[Question] = ()) -> T:
        """Run ``callback`` in a transaction under the lock that serialises writes of the account.

        It is the same for keys of the account and of its platform. An account that leaves its platform while this waits
        has a lock of its own from then on, under which ``callback`` is run then: never beside others of the account.
        ahead: see ``Edge.write``.
        """
        while True:
            lock = await self.lock(edge, scope)

            def still_locked(tx: Tx, lock: str = lock) -> T:
                if lock != self._name(tx, scope):
                    raise _Left
                return callback(tx)

            try:
                return await edge.write(still_locked, lock=lock, ahead=ahead)
            except _Left:
                pass

    async def lock(self, edge: Edge, scope: Scope) -> str:
        """Return the name of the lock that serialises writes of the account at this moment."""
        if scope in self._alone:
            return scope.name
        return await edge.read(lambda tx: self._name(tx, scope))

    def _name(self, tx: Tx, scope: Scope) -> str:
        return Scope(self.of(tx, scope), scope.livemode).name
