"""The platform that an account belongs to: both share one write lock, and its webhook endpoints receive the events."""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Scope, Tx
from tollkey.db.edge import Edge

_MOST_REMEMBERED = 100_000  # accounts without a platform, about 200 bytes each


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

    async def lock(self, edge: Edge, scope: Scope) -> str:
        """Return the name of the lock that serialises writes of the account.

        It is the same for keys of the account and of its platform.
        """
        owner = scope.account if scope in self._alone else await edge.read(lambda tx: self.of(tx, scope))
        return f"{owner}:{int(scope.livemode)}"
