"""A bounded memory of what was read since the last commit."""

from __future__ import annotations

from collections.abc import Hashable

MOST_BYTES = 8 * 1024 * 1024
LONGEST = 64 * 1024  # bytes of one result


class Remembered:
    """Results of reads, all of which are dropped as soon as anything was committed.

    most_bytes: of all results; when they are exceeded, all are dropped.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._found: dict[Hashable, bytes] = {}
        self._bytes, self._changes = 0, -1

    def get(self, key: Hashable, changes: int) -> bytes | None:
        """Return what was read under a key; None if that is not known any more. changes: number of commits so far."""
        if changes != self._changes:
            self._found.clear()
            self._bytes, self._changes = 0, changes
        return self._found.get(key)

    def keep(self, key: Hashable, value: bytes, changes: int) -> None:
        """Remember what was read. changes: their number before it was read."""
        if changes != self._changes or len(value) > LONGEST:
            return
        if self._bytes + len(value) > self._most_bytes:
            self._found.clear()
            self._bytes = 0
        self._bytes += len(value)
        self._found[key] = value
