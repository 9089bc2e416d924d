"""Slow down guessing: wrong keys, client secrets, page tokens and codes are counted by the address they come from.

Only answers that refuse a request are affected: they are delayed, and no longer say what was wrong. A valid key is
never refused because of what others did from its address, and a wrong one is never accepted.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from tollkey.keys.limits import network_of
from tollkey.wire.errors import ApiError

_WINDOW = 60.0  # seconds in which a full count falls to zero
PAUSE = 1.0  # seconds an answer is delayed after too many wrong attempts
_SET_BACK_SECONDS = 5.0  # a time that lies further back is that of a clock that was set back
_MOST_WAITING = 100  # delayed answers at a time; further ones are sent immediately
_MOST_KNOWN = 10_000  # addresses; the least recent one is dropped for a new one


def too_many_guesses() -> ApiError:
    """Return the 429 for a wrong secret from an address with too many; it does not say which secret was wrong."""
    message = "Too many requests from your address with a wrong API key, secret or code. Wait a minute, then try again."
    return ApiError(429, code="rate_limit", message=message, headers={"Retry-After": "60"}, bare=True)


class GuessLimiter:
    """Counts wrong secrets by client address in a leaky bucket, and delays answers to addresses over the limit.

    most: wrong attempts a minute from one address before its further ones are delayed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._waiting = 0

    def count(self, ip: str | None, now: float) -> bool:
        """Count a wrong attempt and return whether its address is over the limit.

        ip: the client's address; IPv6 addresses are counted by network. now: UTC epoch seconds. After the clock was
        set back the count falls from the new time on.
        """
        subject = network_of(ip)
        level, since = self._levels.pop(subject, (0.0, now))
        level = max(0.0, level - max(0.0, now - since) * self._most / _WINDOW) + 1.0
        if len(self._levels) >= _MOST_KNOWN:
            self._levels.popitem(last=False)
        self._levels[subject] = (
            min(level, self._most + 1.0),
            now if since - now > _SET_BACK_SECONDS else max(now, since),
        )
        return level > self._most

    async def delay(self) -> None:
        """Wait ``PAUSE`` seconds before an answer is sent, unless too many answers are waiting already."""
        if self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(PAUSE)
        finally:
            self._waiting -= 1
