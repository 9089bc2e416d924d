"""Counts of all processes of one database, exchanged in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tollkey.db import Database, Tx
from tollkey.keys.limiting import store
from tollkey.keys.limiting.buckets import Bucket, Taken, window_of
from tollkey.keys.limiting.memory import MemoryLimiter, State
from tollkey.keys.limiting.store import Count

EXCHANGED_AT_ONCE = 500  # buckets in one transaction, about 5 ms
_Place = tuple[str, int]  # id of a bucket, and the begin of its period
_MILLION = 1_000_000
_DELETE_SECONDS = 3600.0
IDLE_SECONDS = 60.0  # after which a bucket is forgotten, and read again at its next request


class SharedLimiter(MemoryLimiter):
    """A ``Limiter`` for all processes of one database. No request writes: each process counts in memory, adds its
    counts to those of the others in the background (``exchange``, every second) and learns theirs.

    With one process it is exact. With N processes, more than a limit is accepted by at most what the other N - 1 accept
    between two exchanges: the rest of the limit each at most. A token bucket pays that back: it goes below zero by as
    much, so that the rate is exact in the long run. A process that is killed loses what it took since its last
    exchange.

    A bucket is read from the database at its first request in a process, and again after a minute without one.

    database: where the counts are; the caller creates its tables (``MIGRATION``) and closes it.
    reads: False to take a bucket as full at its first request, for buckets that fill within a second.
    """

    def __init__(self, database: Database, *, reads: bool = True) -> None:
        self._database, self._reads = database, reads
        super().__init__()

    def after_fork_in_child(self) -> None:
        """Start without counts: the parent writes those that it took."""
        super().after_fork_in_child()
        self._dirty: dict[str, State] = {}
        self._left: dict[_Place, tuple[Bucket, int]] = {}  # of periods that were over before they were exchanged
        self._tidied_at = self._delete_at = 0.0

    # -- taking

    def take_at_once(self, buckets: Sequence[Bucket], cost: int, now: float) -> Taken | None:
        """See ``Limiter``; None if a bucket must be read first."""
        with self._lock:
            states = []
            for bucket in buckets:
                state = self._find(bucket, now)
                if state is None:
                    if self._reads:
                        return None
                    state = self._new(bucket, now)
                states.append(state)
            return self._taken(states, cost, now)

    def take(self, buckets: Sequence[Bucket], cost: int, now: float) -> Taken:
        """See ``Limiter``. Raises StorageError."""
        taken = self.take_at_once(buckets, cost, now)
        if taken is None:
            self._database.read(lambda tx: self.load(tx, buckets, now))
            with self._lock:
                states = [self._find(bucket, now) or self._new(bucket, now) for bucket in buckets]
                taken = self._taken(states, cost, now)
        return taken

    def load(self, tx: Tx, buckets: Sequence[Bucket], now: float) -> None:
        """Read the buckets that are not in memory. now: UTC epoch seconds. Raises StorageError."""
        with self._lock:
            places = {bucket.id: self._since(bucket, now) for bucket in buckets}
            wanted = [(id, since) for id, since in places.items() if not self._has(id, since)]
        if not wanted:
            return
        found = store.stored(tx, wanted)
        with self._lock:
            for bucket in buckets:
                if not self._has(bucket.id, places[bucket.id]):
                    self._add(bucket, places[bucket.id], found.get(bucket.id), now)

    def _find(self, bucket: Bucket, now: float) -> State | None:
        state = self._states.get(bucket.id)
        if state is not None and self._as_new(state, now):
            del self._states[bucket.id]  # a process without requests exchanges nothing: others may have taken since
            return None
        return super()._find(bucket, now)

    def _since(self, bucket: Bucket, now: float) -> int:
        return 0 if bucket.period is None else self._window(bucket.period, now).since

    def _has(self, id: str, since: int) -> bool:
        state = self._states.get(id)
        return state is not None and state.since == since

    def _add(self, bucket: Bucket, since: int, count: Count | None, now: float) -> None:
        earlier = self._states.get(bucket.id)
        if earlier is not None:
            self._begin(earlier, since)  # keeps what was not exchanged
        state = self._states[bucket.id] = State(bucket, now, since)
        if bucket.period is not None:  # what was taken before the clock was set back may not be written yet
            state.used = self._left.get((bucket.id, since), (None, 0))[1]
        if count is None:
            return
        state.seen = count.taken
        if bucket.period is not None:
            state.used += count.taken
        else:
            state.level, state.at = count.level / _MILLION, min(count.at / _MILLION, now)
            state.refill(now)

    def _begin(self, state: State, since: int) -> None:
        if state.pending:
            place = (state.bucket.id, state.since)
            self._left[place] = (state.bucket, state.pending + self._left.get(place, (None, 0))[1])
            self._dirty.pop(state.bucket.id, None)
        super()._begin(state, since)

    def _note(self, state: State) -> None:
        self._dirty[state.bucket.id] = state

    def _as_new(self, state: State, now: float) -> bool:
        return not state.pending and now - state.touched >= IDLE_SECONDS

    # -- in the background

    @property
    def unwritten(self) -> bool:
        """Whether anything was taken that ``exchange`` has not written."""
        return bool(self._dirty or self._left)

    def exchange(self, tx: Tx, now: float) -> bool:
        """Add what was taken here to what others took, and learn that. One thread calls it, every second.

        now: UTC epoch seconds. Counts stay in memory until the transaction commits, or may have. Returns whether
        there may be more, for a transaction of its own. Raises StorageError.
        """
        if now >= self._delete_at:
            more = store.delete_over(tx, int(now))
            self._delete_at = now if more else now + _DELETE_SECONDS
        with self._lock:
            counts = self._counts()
            if now - self._tidied_at >= IDLE_SECONDS:
                self._tidied_at = now
                self._tidy(now)
        if not counts:
            return False
        totals = store.add(tx, tuple(counts.values()))
        tx.on_commit(lambda: self._exchanged(counts, totals), if_unknown=True)
        return len(counts) == EXCHANGED_AT_ONCE

    def _counts(self) -> dict[_Place, Count]:
        """Return what is not written yet, up to ``EXCHANGED_AT_ONCE`` buckets."""
        counts: dict[_Place, Count] = {}
        for (id, since), (bucket, taken) in self._left.items():
            if len(counts) == EXCHANGED_AT_ONCE:
                break
            until = since if bucket.period is None else window_of(bucket.period, since).until
            counts[id, since] = Count(id, since, taken, 0, 0, until)
        for id, state in self._dirty.items():
            if len(counts) == EXCHANGED_AT_ONCE:
                break
            earlier = counts.get((id, state.since))
            taken = state.pending + (0 if earlier is None else earlier.taken)
            counts[id, state.since] = _count(state, taken)
        return counts

    def _exchanged(self, counts: Mapping[_Place, Count], totals: Mapping[_Place, int]) -> None:
        with self._lock:
            for place, count in counts.items():
                written = count.taken
                if place in self._left:
                    bucket, pending = self._left.pop(place)
                    if pending > written:
                        self._left[place] = (bucket, pending - written)
                    written -= min(pending, written)
                state = self._states.get(count.bucket)
                if state is not None and state.since == count.since:
                    self._learn(state, written, totals[place] - count.taken, totals[place])

    def _learn(self, state: State, written: int, before: int, total: int) -> None:
        """Take in what other processes took. before, total: what all had taken without and with what was written."""
        others = max(0, before - state.seen)
        state.seen = total
        state.pending -= written
        if state.pending <= 0:
            self._dirty.pop(state.bucket.id, None)
        if state.bucket.period is None:
            state.level -= others
        else:
            state.used += others


def _count(state: State, taken: int) -> Count:
    bucket = state.bucket
    if bucket.period is not None:
        return Count(bucket.id, state.since, taken, 0, 0, window_of(bucket.period, state.since).until)
    full_at = state.at + max(0.0, bucket.capacity - state.level) / bucket.rate
    return Count(bucket.id, 0, taken, int(state.level * _MILLION), int(state.at * _MILLION), int(full_at) + 1)
