"""Random identifiers. Randomness and time are arguments, so that tests can pass a seeded source and a clock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from tollkey.db.forking import ForkAware, detect_fork, register

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_EVEN = 256 - 256 % len(ALPHABET)  # higher bytes are skipped, so that all characters are equally likely
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_SKIPPED = bytes(range(_EVEN, 256))
_ERA = 1_420_070_400  # 2015-01-01, UTC epoch seconds; five characters count the 29 years after it
_DIGITS = 5
_PARTS = [first + second for first in ALPHABET for second in ALPHABET]  # of a second
_POOL_BYTES = 2_048


class RandomPool(ForkAware):
    """Random bytes of the operating system, drawn in one piece for many uses: a request needs some ten texts.

    Each byte is given out once. A child process discards what its parent has drawn. For one thread at a time; another
    one draws for itself.
    """

    def __init__(self, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._draw = draw
        self._lock = threading.Lock()
        self._drawn, self._at = b"", 0
        register(self)

    def __call__(self, count: int) -> bytes:
        """Return that many random bytes."""
        detect_fork()
        if count > _POOL_BYTES or not self._lock.acquire(blocking=False):
            return self._draw(count)
        try:
            at = self._at
            if at + count > len(self._drawn):
                self._drawn, at = self._draw(_POOL_BYTES), 0
            self._at = at + count
            return self._drawn[at : at + count]
        finally:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Discard what the parent has drawn, and the lock, which a thread of the parent may hold."""
        self._drawn, self._at, self._lock = b"", 0, threading.Lock()


class QuickBytes(ForkAware):
    """Random bytes without a system call for each, for ids that are no secret. A forked child has its own."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        register(self)

    def after_fork_in_child(self) -> None:
        """Begin another sequence, unlike that of the parent process."""
        import random  # here, so that ``import tollkey.keys`` stays fast

        self._random = random.Random(int.from_bytes(os.urandom(32), "big"))

    def __call__(self, count: int) -> bytes:
        """Return so many random bytes."""
        detect_fork()
        return self._random.randbytes(count)


class Ids:
    """Generates identifiers.

    random_bytes: called with a number, returns that many random bytes.
    now: returns UTC epoch seconds.
    """

    def __init__(self, random_bytes: Callable[[int], bytes] = os.urandom, now: Callable[[], float] = time.time) -> None:
        self._random_bytes, self._now = random_bytes, now
        self._second, self._time_prefix = -1, ""

    @classmethod
    def seeded(cls, seed: int) -> Ids:
        """Return a generator that yields the same identifiers in every run, for tests and simulations."""
        import random  # here, so that ``import tollkey.keys`` stays fast

        return cls(random.Random(seed).randbytes, lambda: _ERA)

    def text(self, length: int) -> str:
        """Return ``length`` random characters of 0-9A-Za-z, each equally likely."""
        count = length + (length >> 3) + 4
        found = alphanumeric(self._random_bytes(count))[:length]
        return found if len(found) == length else found + self.text(length - len(found))

    def new(self, prefix: str) -> str:
        """Return a new object id in Stripe's form: the prefix, ``_``, and 14 characters (``cus_``, …) or 24.

        prefix: without the underscore, for example ``cus``.
        Like Stripe's ids it starts with the time, so that new ids are adjacent in an index and inserts stay fast in
        large tables. The rest is random: 7 or 16 characters. The long form starts with ``1`` or ``3``, so that an id is
        never the name of a test token.
        """
        if prefix in _SHORT:
            return f"{prefix}_{self.time_ordered(7)}"
        return f"{prefix}_{_LEAD.get(prefix, '1')}{self.time_ordered(16)}"

    def time_ordered(self, length: int) -> str:
        """Return seven characters that encode the time, to a quarter of a millisecond, and ``length`` random ones:
        later texts sort after earlier ones.
        """
        now = self._now()
        second = int(now)
        if second != self._second:
            self._second, self._time_prefix = second, _time_prefix(second)
        return f"{self._time_prefix}{_PARTS[int((now - second) * len(_PARTS))]}{self.text(length)}"

    def number(self, below: int) -> int:
        """Return a random int from 0 to ``below`` - 1."""
        return int.from_bytes(self._random_bytes(8 + (below.bit_length() + 7) // 8), "big") % below


def alphanumeric(random_bytes: bytes) -> str:
    """Convert random bytes to characters of 0-9A-Za-z, each equally likely. About one byte in 32 is skipped."""
    return random_bytes.translate(_LETTERS, _SKIPPED).decode()


def _time_prefix(second: int) -> str:
    """Encode a UTC epoch second as five characters that sort in time order."""
    rest, found = (second - _ERA) % len(ALPHABET) ** _DIGITS, ""
    for _ in range(_DIGITS):
        rest, index = divmod(rest, len(ALPHABET))
        found = ALPHABET[index] + found
    return found


_SHORT = frozenset({"cus", "prod", "req", "sub_sched_short", "si", "coupon", "mtr"})
_LEAD = {"ch": "3", "pi": "3", "py": "3", "re": "3", "txn": "3"}
