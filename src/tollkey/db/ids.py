"""Identifiers and other random text. Randomness and time are arguments: tests pass a seeded source and a clock."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_EVEN = 256 - 256 % len(ALPHABET)  # bytes from here on are thrown away: each character stays equally likely
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_THROWN = bytes(range(_EVEN, 256))
_ERA = 1_420_070_400  # 2015-01-01, UTC epoch seconds; five characters count the 29 years after it
_DIGITS = 5


class Ids:
    """Makes identifiers from a source of random bytes.

    random_bytes: returns that many; the system's own source unless a test passes its own.
    now: returns UTC epoch seconds.
    """

    def __init__(self, random_bytes: Callable[[int], bytes] = os.urandom, now: Callable[[], float] = time.time) -> None:
        self._random_bytes, self._now = random_bytes, now
        self._second, self._place = -1, ""

    @classmethod
    def seeded(cls, seed: int) -> Ids:
        """The same identifiers in every run, for tests and simulations."""
        return cls(random.Random(seed).randbytes, lambda: _ERA)

    def text(self, length: int) -> str:
        """``length`` characters of 0-9A-Za-z, each equally likely."""
        count = length + (length >> 3) + 4
        found = letters(self._random_bytes(count))[:length]
        return found if len(found) == length else found + self.text(length - len(found))

    def new(self, prefix: str) -> str:
        """An object id in the style of the wire: ``cus_`` and 14 characters for short prefixes, 24 for the others.

        As the real ones do, it begins with the time, so that the newest ids stand side by side in an index: a table of
        millions then costs what an empty one does. What follows is random: 9 characters, or 18. The long form begins
        with ``1`` or ``3``, so that no id can be taken for a test token's name.
        """
        if prefix in _SHORT:
            return f"{prefix}_{self.placed(9)}"
        return f"{prefix}_{_LEAD.get(prefix, '1')}{self.placed(18)}"

    def placed(self, length: int) -> str:
        """The time, as five characters, and ``length`` random ones: what is made one after the other stands side by
        side in an index.
        """
        second = int(self._now())
        if second != self._second:
            self._second, self._place = second, _place(second)
        return self._place + self.text(length)

    def number(self, below: int) -> int:
        """An int from 0 to below - 1."""
        return int.from_bytes(self._random_bytes(8 + (below.bit_length() + 7) // 8), "big") % below


def letters(random_bytes: bytes) -> str:
    """Random bytes as characters of 0-9A-Za-z, each equally likely; one byte in 32 is left out for that."""
    return random_bytes.translate(_LETTERS, _THROWN).decode()


def _place(second: int) -> str:
    """A second (UTC epoch) as five characters that sort as time does."""
    rest, found = (second - _ERA) % len(ALPHABET) ** _DIGITS, ""
    for _ in range(_DIGITS):
        rest, index = divmod(rest, len(ALPHABET))
        found = ALPHABET[index] + found
    return found


_SHORT = frozenset({"cus", "prod", "req", "sub_sched_short", "si", "coupon", "mtr"})
_LEAD = {"ch": "3", "pi": "3", "py": "3", "re": "3", "txn": "3"}
