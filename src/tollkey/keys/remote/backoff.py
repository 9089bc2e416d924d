"""How long to wait before the next attempt to reach the server."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Waits that double up to a maximum, each shortened at random so that many clients do not come back at once.

    first, most: the shortest and the longest wait, in seconds. chance: returns a number from 0 to 1.
    """

    def __init__(self, first: float = 0.1, most: float = 10.0, chance: Callable[[], float] = random.random) -> None:
        self._first, self._most, self._chance = first, most, chance
        self._wait = first

    def next(self) -> float:
        """Return the next wait in seconds: between half of it and all of it."""
        wait, self._wait = self._wait, min(self._most, 2 * self._wait)
        return wait * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        """Begin again with the shortest wait, after a success."""
        self._wait = self._first
