"""Identifiers and other random text. Randomness is an argument: tests pass a seeded source."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


class Ids:
    """Makes identifiers from a source of random bits.

    bits: returns that many random bits as an int; ``secrets.randbits`` unless a test passes its own.
    """

    def __init__(self, bits: Callable[[int], int] = secrets.randbits) -> None:
        self._bits = bits

    @classmethod
    def seeded(cls, seed: int) -> Ids:
        """The same identifiers in every run, for tests and simulations."""
        return cls(random.Random(seed).getrandbits)

    def text(self, length: int) -> str:
        """``length`` characters of 0-9A-Za-z, each equally likely to within 2**-64."""
        number = self._bits(6 * length + 64)
        parts = []
        for _ in range(length >> 1):
            number, index = divmod(number, 3844)
            parts.append(_PAIRS[index])
        if length & 1:
            parts.append(ALPHABET[number % 62])
        return "".join(parts)

    def new(self, prefix: str) -> str:
        """An object id in the style of the wire: ``cus_`` and 14 characters for short prefixes, 24 for the others.

        The long form begins with ``1`` or ``3`` as the real ones do, so that no id can be taken for a test token's name.
        """
        if prefix in _SHORT:
            return f"{prefix}_{self.text(14)}"
        return f"{prefix}_{_LEAD.get(prefix, '1')}{self.text(23)}"

    def number(self, below: int) -> int:
        """An int from 0 to below - 1."""
        return self._bits(64 + below.bit_length()) % below


_SHORT = frozenset({"cus", "prod", "req", "sub_sched_short", "si", "coupon", "mtr"})
_LEAD = {"ch": "3", "pi": "3", "py": "3", "re": "3", "txn": "3"}
