"""Counts in the memory of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from tollkey.db import forking
from tollkey.keys.config import Period
from tollkey.keys.limiting.buckets import Bucket, Level, Taken, Window, window_of

_TIDY_FROM = 1024
_SLACK = 1e-6  # seconds: how exact the difference of two times is


class State:
    """What is known of one bucket.

    level, at: what a token bucket holds, and since when. since, used: the period, and what was taken in it.
    pending: what was taken from this process since the last exchange. seen: what all processes together had taken then.
    touched: the time of the last request.
    """

    __slots__ = ("at", "bucket", "level", "pending", "seen", "since", "touched", "used")

    def __init__(self, bucket: Bucket, now: float, since: int) -> None:
        self.bucket = bucket
        self.level, self.at = float(bucket.capacity), now
        self.since, self.used = since, 0
        self.pending, self.seen = 0, 0
        self.touched = now

    def refill(self, now: float) -> None:
        """Add what has returned to a token bucket."""
        bucket = self.bucket
        if now > self.at:
            self.level += (now - self.at) * bucket.rate
            self.at = now
        self.level = min(self.level, float(bucket.capacity))


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
            return self._taken([self._current(bucket, now) for bucket in buckets], cost, now)

    def _current(self, bucket: Bucket, now: float) -> State:
        """Return the state of a bucket at this time."""
        since = 0 if bucket.period is None else self._window(bucket.period, now).since
        state = self._states.get(bucket.id)
        if state is None:
            if len(self._states) >= self._tidy_at:
                self._tidy(now)
            state = self._states[bucket.id] = State(bucket, now, since)
            return state
        state.bucket, state.touched = bucket, now  # as declared now: another plan may have another rate
        if bucket.period is None:
            state.refill(now)
        elif state.since != since:
            self._begin(state, since)
        return state

    def _begin(self, state: State, since: int) -> None:
        """Begin a new period."""
        state.since, state.used, state.pending, state.seen = since, 0, 0, 0

    def _window(self, period: Period, now: float) -> Window:
        window = self._windows.get(period)
        if window is None or not window.since <= now < window.until:
            window = self._windows[period] = window_of(period, now)
        return window

    def _taken(self, states: Sequence[State], cost: int, now: float) -> Taken:
        accepted = cost == 0 or all(_lacks(state, cost) <= _slack(state) for state in states)
        if accepted and cost:
            for state in states:
                if state.bucket.period is None:
                    state.level -= cost
                else:
                    state.used += cost
                state.pending += cost
                self._note(state)
        return Taken(accepted, tuple([self._level(state, 0 if accepted else cost, now) for state in states]))

    def _note(self, state: State) -> None:
        """Note that something was taken, for what exchanges it."""

    def _level(self, state: State, cost: int, now: float) -> Level:
        """Return where a bucket stands. cost: what was refused; 0 if it was accepted."""
        bucket, lacks = state.bucket, _lacks(state, cost)
        if bucket.period is None:
            reset, wait = max(0.0, (bucket.capacity - state.level) / bucket.rate), lacks / bucket.rate
            remaining, window = int(state.level + _slack(state)), bucket.capacity / bucket.rate
        else:
            since, until = self._window(bucket.period, now)
            reset = wait = until - now
            window = float(until - since)
            remaining = bucket.capacity - state.used
        short = cost > 0 and lacks > _slack(state)
        retry_after = None if cost > bucket.capacity else wait if short else 0.0
        return Level(bucket, max(0, remaining), reset, window, retry_after)

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


def _slack(state: State) -> float:
    return _SLACK * max(1.0, state.bucket.rate)


def tightest(levels: Iterable[Level]) -> list[Level]:
    """Return levels with the one first of which the least is left; of two with the same, the one that fills later."""
    return sorted(levels, key=lambda level: (level.remaining, -level.reset))
