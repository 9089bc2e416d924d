"""Security codes of cards: in the memory of this process only, for a few minutes, until one was sent.

PCI DSS (requirement 3.3.1) forbids to keep them after authorization, sealed or not; so they are on no disk, and neither
another node nor a process after a restart or a fork has them. A payment is then sent without.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from tollkey.db import forking

SECONDS: Final = 15 * 60
MOST: Final = 10_000


class Code(NamedTuple):
    """A security code. until: when it is forgotten, UTC epoch seconds."""

    text: str
    until: float

    def __repr__(self) -> str:
        return "a security code"


class Codes(forking.ForkAware):
    """Security codes by the reference of their card's number. now: returns UTC epoch seconds."""

    def __init__(self, now: Callable[[], float], most: int = MOST) -> None:
        self._now, self._most = now, most
        self._held: OrderedDict[str, Code] = OrderedDict()
        forking.register(self)

    def __len__(self) -> int:
        return len(self._held)

    def put(self, reference: str, text: str) -> None:
        """Hold a code; beyond the bound the oldest is forgotten."""
        self.put_back(reference, Code(text, self._now() + SECONDS))

    def put_back(self, reference: str, code: Code) -> None:
        """Hold a code that was taken again, for the time that it has left."""
        self.tidy()
        self._held[reference] = code
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def take(self, reference: str) -> Code | None:
        """Return a code once; None when there is none, or it is too old."""
        forking.detect_fork()
        held = self._held.pop(reference, None)
        return held if held is not None and held.until > self._now() else None

    def forget(self, reference: str) -> None:
        """Forget a code."""
        self._held.pop(reference, None)

    def tidy(self) -> None:
        """Forget codes that are too old."""
        forking.detect_fork()
        now = self._now()
        for reference in [one for one, code in self._held.items() if code.until <= now]:
            del self._held[reference]

    def after_fork_in_child(self) -> None:
        """Forget the codes of the parent, which are the parent's to send."""
        self._held.clear()
