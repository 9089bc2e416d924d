"""Limits how many wrong keys one address may try."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from tollkey.keys.limits import network_of


class Brake:
    """Counts wrong keys by client address in a leaky bucket. Its callers never let it accept a wrong key.

    monotonic: returns seconds of a monotonic clock. a_minute: wrong keys a minute from one address, and at once; 0 for
    no limit. most: addresses remembered; the one that tried nothing for the longest time is dropped for a new one.
    """

    def __init__(self, monotonic: Callable[[], float], a_minute: int = 60, *, most: int = 10_000) -> None:
        self._monotonic, self._burst, self._rate, self._most = monotonic, float(a_minute), a_minute / 60, most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def blocked(self, ip: str | None) -> bool:
        """Return whether this address has used up its guesses. ip: IPv6 addresses are counted by network."""
        return self._burst > 0 and self._level(network_of(ip)) < 1.0

    def count(self, ip: str | None, guesses: int = 1) -> None:
        """Count wrong keys of an address. However many there are, it is blocked for a minute after the last at most."""
        network = network_of(ip)
        lowest = 1.0 - self._burst
        self._levels[network] = (max(lowest, self._level(network) - guesses), self._monotonic())
        self._levels.move_to_end(network)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)

    def _level(self, network: str) -> float:
        level, since = self._levels.get(network, (self._burst, 0.0))
        return min(self._burst, level + (self._monotonic() - since) * self._rate)
