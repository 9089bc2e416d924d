"""Buckets: what is counted together, and how much of it may be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from tollkey.keys.config import Period

_CLOCK_SECONDS = 1e-6  # how exact the difference of two times is


class Window(NamedTuple):
    """A calendar hour, day or month in UTC. since, until: its begin and its end, UTC epoch seconds."""

    since: int
    until: int


def window_of(period: Period, now: float) -> Window:
    """Return the hour, day or month in UTC that a time lies in. now: UTC epoch seconds."""
    if period == "month":
        first = datetime.fromtimestamp(int(now), UTC).replace(day=1, hour=0, minute=0, second=0)
        after = (first + timedelta(days=32)).replace(day=1)
        return Window(int(first.timestamp()), int(after.timestamp()))
    seconds = 3600 if period == "hour" else 86400
    since = int(now) // seconds * seconds
    return Window(since, since + seconds)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket, or a count in a calendar period.

    id: the same for everything that is counted together, also in other processes. policy: the name of the limit.
    capacity: how much can be used at once, or in a period. rate: how much of it returns in a second; 0 with a period.
    period: None for a token bucket. slack: how much may be missing, because differences of times are not exact.
    """

    id: str
    policy: str
    capacity: int
    rate: float = 0.0
    period: Period | None = None
    slack: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "slack", _CLOCK_SECONDS * max(1.0, self.rate))


class Level(NamedTuple):
    """Where a bucket stands after a request.

    remaining: how much is left, 0 or more. reset: seconds until it is full. window: seconds that filling it takes.
    retry_after: seconds until the cost that was asked can be taken; 0 if it was there, None if it never can be.
    """

    bucket: Bucket
    remaining: int
    reset: float
    window: float
    retry_after: float | None = 0.0


class Taken(NamedTuple):
    """The result of taking from buckets. accepted: whether it was taken. levels: of all of them, in their order."""

    accepted: bool
    levels: tuple[Level, ...]


class Limiter(Protocol):
    """Counts what is taken from buckets. ``MemoryLimiter`` counts in one process, ``SharedLimiter`` in all processes of
    one database; implement it to count elsewhere, for example in Redis.
    """

    def take_at_once(self, buckets: Sequence[Bucket], cost: int, now: float) -> Taken | None:
        """Do what ``take`` does without blocking, or return None if that would block: it is called on event loops."""

    def take(self, buckets: Sequence[Bucket], cost: int, now: float) -> Taken:
        """Take ``cost`` from all buckets, or from none if one of them has too little. It may block.

        buckets: one or more. cost: 0 or more; 0 is always accepted. now: UTC epoch seconds.
        If it raises, the request is refused as ``unavailable``.
        """
