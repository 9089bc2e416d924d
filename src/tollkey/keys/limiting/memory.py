"""Counts in the memory of this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tollkey.db import forking
from tollkey.keys.config import Period
from tollkey.keys.limiting.buckets import Bucket, Level, Taken, Window, window_of

_TIDY_FROM = 1024
_SET_BACK_SECONDS = 5.0  # a time that lies further back is that of a clock that was set back, not of a thread held up


class State:
    """What is known of one bucket.

    level, at: what a token bucket holds, and since when. since, used: the period, and what was taken in it. other: the
    same of the period that was counted before, for a clock that is set back over the border between them.
    pending: what was taken from this process since the last exchange. seen: what all processes together had taken then.
    touched: the time of the last request.
    """

    __slots__ = ("at", "bucket", "level", "other", "pending", "seen", "since", "touched", "used")

    def __init__(self, bucket: Bucket, now: float, since: int) -> None:
        self.bucket = bucket
        self.level, self.at = float(bucket.capacity), now
        self.since, self.used = since, 0
        self.other: tuple[int, int] | None = None
        self.pending, self.seen = 0, 0
        self.touched = now

    def refill(self, now: float) -> None:
        """Add what has returned to a token bucket. After the clock was set back it fills from the new time on."""
        bucket, level = self.bucket, self.level
        if now > self.at:
            level += (now - self.at) * bucket.rate
            self.at = now
        elif self.at - now > _SET_BACK_SECONDS:
            self.at = now
        self.level = level if level < bucket.capacity else float(bucket.capacity)


class MemoryLimiter(forking.ForkAware):
    """A ``Limiter`` for one process, exact there. Thread-safe; a forked child counts from nothing."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start without counts and with a new lock."""
        self._lock = threading.Lock()
        self._states: dict[str, State] = {}
        self._windows: dict[Period, Window] = {}
        self._tidy_at = _TIDY_FROM

    def take_at_once(self, buckets: Sequence[Bucket], cost: int, now: float) -> Taken | None:
        """See ``Limiter``; it never has to block."""
        return self.take(buckets, cost, now)

    def take(self, buckets: Sequence[Bucket], cost: int, now: float) -> Taken:
        """See ``Limiter``."""
        with self._lock:
            return self._taken([self._find(bucket, now) or self._new(bucket, now) for bucket in buckets], cost, now)

    def _find(self, bucket: Bucket, now: float) -> State | None:
        """Return the state of a bucket at this time, if it is known."""
        state = self._states.get(bucket.id)
        if state is None or (bucket.period is not None and state.since != self._window(bucket.period, now).since):
            return None
        state.bucket, state.touched = bucket, now  # as declared now: another plan may have another rate
        if bucket.period is None:
            state.refill(now)
        return state

    def _new(self, bucket: Bucket, now: float) -> State:
        """Return the state of a bucket that is not known, or of a new period."""
        since = 0 if bucket.period is None else self._window(bucket.period, now).since
        state = self._states.get(bucket.id)
        if state is None:
            if len(self._states) >= self._tidy_at:
                self._tidy(now)
            state = self._states[bucket.id] = State(bucket, now, since)
        else:
            self._begin(state, since)
        state.bucket, state.touched = bucket, now
        return state

    def _begin(self, state: State, since: int) -> None:
        """Begin a new period, or go on with the one before."""
        used = state.other[1] if state.other is not None and state.other[0] == since else 0
        state.other = (state.since, state.used)
        state.since, state.used, state.pending, state.seen = since, used, 0, 0

    def _window(self, period: Period, now: float) -> Window:
        window = self._windows.get(period)
        if window is None or not window.since <= now < window.until:
            window = self._windows[period] = window_of(period, now)
        return window

    def _taken(self, states: Sequence[State], cost: int, now: float) -> Taken:
        for state in states:
            if cost and _lacks(state, cost) > state.bucket.slack:
                return Taken(False, tuple([self._refused(each, cost, now) for each in states]))
        if cost:
            for state in states:
                if state.bucket.period is None:
                    state.level -= cost
                else:
                    state.used += cost
                state.pending += cost
                self._note(state)
        return Taken(True, tuple([self._level(state, now) for state in states]))

    def _note(self, state: State) -> None:
        """Note that something was taken, for what exchanges it."""

    def _level(self, state: State, now: float) -> Level:
        """Return where a bucket stands."""
        bucket = state.bucket
        if bucket.period is None:
            left, capacity = state.level, bucket.capacity
            remaining = int(left + bucket.slack) if left > 0 else 0
            return Level(bucket, remaining, (capacity - left) / bucket.rate, capacity / bucket.rate)
        since, until = self._window(bucket.period, now)
        return Level(bucket, max(0, bucket.capacity - state.used), until - now, float(until - since))

    def _refused(self, state: State, cost: int, now: float) -> Level:
        """Return where a bucket stands, and when the cost can be taken."""
        level, lacks = self._level(state, now), _lacks(state, cost)
        if cost > state.bucket.capacity:
            return level._replace(retry_after=None)
        if lacks <= state.bucket.slack:
            return level
        return level._replace(retry_after=level.reset if state.bucket.period else lacks / state.bucket.rate)

    def _tidy(self, now: float) -> None:
        """Forget what is as good as new: full token buckets, and periods that are over."""
        self._states = {id: state for id, state in self._states.items() if not self._as_new(state, now)}
        self._tidy_at = max(_TIDY_FROM, 2 * len(self._states))

    def _as_new(self, state: State, now: float) -> bool:
        bucket = state.bucket
        if bucket.period is not None:
            return state.since != self._window(bucket.period, now).since
        return state.level + (now - state.at) * bucket.rate >= bucket.capacity


def _lacks(state: State, cost: int) -> float:
    """Return how much is missing for a cost; 0 or less if it is there."""
    bucket = state.bucket
    return cost - state.level if bucket.period is None else float(cost + state.used - bucket.capacity)


def tightest(levels: Sequence[Level]) -> Sequence[Level]:
    """Return levels with the one first of which the least is left; of two with the same, the one that fills later."""
    return levels if len(levels) < 2 else sorted(levels, key=lambda level: (level.remaining, -level.reset))
