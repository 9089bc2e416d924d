"""What each event of the change stream does to the cache."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import cast

from tollkey.keys.remote.cache import AnswerCache
from tollkey.keys.remote.events import Event, StreamBroken
from tollkey.keys.remote.freshness import Freshness


class ChangeFeed:
    """Applies the events of ``GET /v1/keys/changes``. cache: is corrected. freshness: is told of each tick."""

    def __init__(self, cache: AnswerCache, freshness: Freshness) -> None:
        self.position: str | None = None
        self._anew = True
        self._cache, self._freshness = cache, freshness

    def opened(self, asked: float) -> None:
        """A stream was opened, which goes on after ``position``. asked: when, in seconds of a monotonic clock.

        Without a position nothing is known about what happened before its first tick.
        """
        self._freshness.opened(asked)
        self._anew = self.position is None

    def take(self, event: Event, now: float) -> None:
        """Apply an event. now: seconds of a monotonic clock. Raises StreamBroken for one that is not understood."""
        if event.name == "change":
            data = _object(event.data)
            key_id, version = data.get("id"), data.get("version")
            if not isinstance(key_id, str) or type(version) is not int:
                raise StreamBroken("a change lacks the id or the version of its key")
            self._cache.changed(key_id, version, now)
        elif event.name == "reset":
            self._cache.reset(now)
        elif event.name == "tick":
            at = _seconds(_object(event.data).get("at"))
            if self._anew:
                self._anew = False
                self._cache.reset(now)
            self._freshness.heard(at, now)
        else:
            return  # a later server may say more
        if event.id:
            self.position = event.id

    def lost(self) -> None:
        """The server said something that is not understood: use nothing from memory, and begin anew."""
        self.position = None
        self._freshness.lease.expire()


def _object(data: str) -> dict[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise StreamBroken("an event of the stream is not JSON") from None
    if not isinstance(found, dict):
        raise StreamBroken("an event of the stream is not a JSON object")
    return found


def _seconds(value: object) -> float:
    if type(value) in (int, float):
        with suppress(OverflowError):
            seconds = float(cast("float", value))
            if math.isfinite(seconds):
                return seconds
    raise StreamBroken("a tick lacks the time of the server")
