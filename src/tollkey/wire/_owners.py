"""To which platform an account belongs: whose writes take turns with its own, and whose endpoints hear of its
events.
"""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Edge, Scope, Tx

_MOST_REMEMBERED = 100_000  # accounts that stand for themselves, some 200 bytes each


class Owners:
    """Looks up owners, and remembers who has none: such an account never comes to belong to a platform.

    platform_of: the platform that an account belongs to, or None.
    """

    def __init__(self, platform_of: Callable[[Tx, Scope], str | None]) -> None:
        self._platform_of = platform_of
        self._alone: set[Scope] = set()

    def of(self, tx: Tx, scope: Scope) -> str:
        """The platform that the account belongs to, or the account itself."""
        if scope in self._alone:
            return scope.account
        found = self._platform_of(tx, scope)
        if found is None:
            if len(self._alone) >= _MOST_REMEMBERED:
                self._alone.clear()
            self._alone.add(scope)
        return found or scope.account

    async def lock(self, edge: Edge, scope: Scope) -> str:
        """What a write for the account waits for: it is the same for whoever acts for it, its platform or a key of its
        own.
        """
        owner = scope.account if scope in self._alone else await edge.read(lambda tx: self.of(tx, scope))
        return f"{owner}:{int(scope.livemode)}"
