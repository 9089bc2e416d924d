"""The short check: what nearly every request takes, in as few steps as can be.

A request costs little more than the steps that are counted here: each function, object and attribute more is read from
memory again, since the application's code has taken its place in the processor's caches meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import forking
from tollkey.keys.accepted import Accepted
from tollkey.keys.once import first_use
from tollkey.keys.usage import ACCEPTED
from tollkey.keys.verifier import MOST_NOTED, Verifier


class ShortCheck:
    """Accepts a request in the usual case: its key is in memory, has the permission and no condition, and nothing is
    limited. All others are not refused: ``KeyService.check`` decides them.

    verifier: has keys in memory. permission: in its declared form, or None for any key. cost: what a request is counted
    with. prefix: of the header's value, before the text of the key. clock: returns UTC epoch seconds.
    start: starts the thread that writes counted uses.
    """

    __slots__ = (
        "_cache", "_clock", "_cost", "_hasher", "_lease", "_monotonic", "_noted", "_permission", "_prefix", "_start",
        "_verifier",
    )  # fmt: skip

    def __init__(
        self,
        verifier: Verifier,
        permission: str | None,
        cost: int,
        prefix: bytes,
        clock: Callable[[], float],
        start: Callable[[], None],
    ) -> None:
        self._verifier, self._cache, self._lease = verifier, verifier._cache, verifier.lease
        self._noted, self._prefix = verifier._noted, prefix
        self._hasher, self._monotonic = verifier._hasher, verifier._monotonic
        self._permission, self._cost, self._clock, self._start = permission, cost, clock, start

    def accept(self, value: bytes, ip: str | None, endpoint: str, route: str | None = None) -> Accepted | None:
        """Return an accepted request, which is counted as a use of its key; None if this is not the usual case.

        value: of the only header with a key. ip, endpoint, route: see ``KeyService.check``.
        """
        prefix = self._prefix
        text, hasher = value[len(prefix) :], self._hasher.copy()
        hasher.update(text)
        entry = self._cache.whole.get(hasher.digest())
        if entry is None or not entry.usual or self._monotonic() >= self._lease.until or not forking.here[0]:
            return None
        key, permission, cost = entry.key, self._permission, self._cost
        if permission is not None and permission not in key.effective and key.kind != "secret":
            return None
        if not value.startswith(prefix):
            return None
        if first_use(key.id):
            noted = self._noted
            noted.append((key, self._clock(), ip, endpoint, route, ACCEPTED, cost, permission))
            if len(noted) == 1:
                self._start()
            elif len(noted) >= MOST_NOTED:
                self._verifier.count_noted()
        return Accepted(key, (), cost, text.decode("ascii"))
