"""A brake on guessing: wrong keys, client secrets, page addresses and codes, counted by the address they come from.

It looks only at answers that are a no already, and can only make them later and less telling: no right key is refused
    for what others did from its address, and no wrong one is let in.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from tollkey.keys import network_of
from tollkey.wire.errors import ApiError

_WINDOW = 60.0  # seconds in which a full count runs off
PAUSE = 1.0  # seconds that an answer waits once there were too many
_MOST_WAITING = 100  # answers; further ones go out at once
_MOST_KNOWN = 10_000  # addresses; the one that was wrong longest ago is forgotten for a new one


def too_many_guesses() -> ApiError:
    """429: the answer to a wrong secret from an address that has tried too many; it does not say what was wrong."""
    message = "Too many requests from your address with a wrong API key, secret or code. Wait a minute, then try again."
    return ApiError(429, code="rate_limit", message=message, headers={"Retry-After": "60"}, bare=True)


class Brake:
    """most: wrong attempts a minute from one address before further ones are slowed; as many again are allowed as time
    passes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._waiting = 0

    def wrong(self, ip: str | None, now: float) -> bool:
        """Count a wrong attempt; whether there were too many. now: seconds."""
        subject = network_of(ip)
        level, since = self._levels.pop(subject, (0.0, now))
        level = max(0.0, level - max(0.0, now - since) * self._most / _WINDOW) + 1.0
        if len(self._levels) >= _MOST_KNOWN:
            self._levels.popitem(last=False)
        self._levels[subject] = (min(level, self._most + 1.0), max(now, since))
        return level > self._most

    async def hold(self) -> None:
        """Let an answer wait a moment, unless many wait already."""
        if self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(PAUSE)
        finally:
            self._waiting -= 1
