"""Remembers what the server answered about valid keys, by a keyed digest of their text, never by the text.

It stores only what the change stream will correct: an answer is dropped when its key changes, and one that was on its
way while the key changed is not stored. It does not know whether the stream is heard; ``freshness.py`` does.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from tollkey.keys.key import Checked, Key

STALE_SECONDS = 1.0  # a node of the server may answer from its own memory for this long (``Lease.bound_seconds``)
_KEEP_SECONDS = 60.0  # how long the version of a changed key is remembered; longer than any request lasts


class Entry(NamedTuple):
    """An answer about a valid key.

    checked: the answer. until: when it must not be used any more, in seconds of a monotonic clock.
    """

    key: Key
    checked: Checked
    until: float


class Ticket(NamedTuple):
    """Taken before the server is asked, so that the answer can be compared with the changes heard meanwhile.

    epoch: how often everything was dropped. began: in seconds of a monotonic clock.
    """

    epoch: int
    began: float


class AnswerCache:
    """The answers used most recently. Thread-safe.

    capacity: maximum number of answers; 0 stores none. random_bytes: returns as many random bytes as asked for; the
    key of the digests is made of them, so that the digests of two processes have nothing in common.
    """

    def __init__(self, capacity: int, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._capacity = capacity
        self._hasher = hashlib.blake2b(key=random_bytes(32), digest_size=16)
        self._epoch = 0
        self._quiet_until = float("-inf")
        self.forget()

    def forget(self) -> None:
        """Drop everything, with a new lock: for a child process after a fork."""
        self._epoch += 1
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._digests: dict[str, set[bytes]] = {}
        self._versions: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def digest(self, text: str, route: str | None) -> bytes:
        """Return what an answer is stored under. route: the route that was asked about, if any."""
        hasher = self._hasher.copy()
        hasher.update(text.encode("utf-8", "surrogatepass"))
        if route is not None:
            hasher.update(b"\0" + route.encode("utf-8", "surrogatepass"))
        return hasher.digest()

    def get(self, digest: bytes, now: float) -> Entry | None:
        """Return the answer that may still be used. now: seconds of a monotonic clock."""
        entry = self._entries.get(digest)
        if entry is None or now >= entry.until:
            return None
        try:
            self._entries.move_to_end(digest)
        except KeyError:  # dropped by another thread since
            return None
        return entry

    def begin(self, now: float) -> Ticket:
        """Return a ticket for an answer that is about to be asked for. now: seconds of a monotonic clock."""
        return Ticket(self._epoch, now)

    def store(self, digest: bytes, entry: Entry, ticket: Ticket) -> bool:
        """Store an answer, unless its key may have changed since the state that it tells of. Return whether it did."""
        key = entry.key
        with self._lock:
            if ticket.epoch != self._epoch or ticket.began < self._quiet_until or self._capacity <= 0:
                return False
            newest, heard = self._versions.get(key.id, (0, float("-inf")))
            if key.version < newest or (key.version == newest and ticket.began < heard + STALE_SECONDS):
                return False
            self._remove(digest)
            if len(self._entries) >= self._capacity:
                self._remove(next(iter(self._entries)))
            self._entries[digest] = entry
            self._digests.setdefault(key.id, set()).add(digest)
            return True

    def _remove(self, digest: bytes) -> None:
        entry = self._entries.pop(digest, None)
        if entry is None:
            return
        digests = self._digests[entry.key.id]
        digests.discard(digest)
        if not digests:
            del self._digests[entry.key.id]

    def changed(self, key_id: str, version: int, now: float) -> None:
        """Drop the answers about a key, and store no older version of it. now: seconds of a monotonic clock.

        Its account's plan may have changed, which is no new version: until ``now`` + 1 second a node of the server may
        answer with the plan before, so that nothing that is asked for before then is stored.
        """
        with self._lock:
            for digest in self._digests.pop(key_id, ()):
                self._entries.pop(digest, None)
            known, _ = self._versions.pop(key_id, (0, 0.0))
            self._versions[key_id] = (max(version, known), now)
            while (oldest := next(iter(self._versions.items())))[1][1] < now - _KEEP_SECONDS:
                del self._versions[oldest[0]]
            if len(self._versions) > max(self._capacity, 1_000):  # too many to remember: store nothing for a while
                self._drop(now + _KEEP_SECONDS)

    def reset(self, now: float) -> None:
        """Drop everything, because changes may have been missed up to ``now`` (seconds of a monotonic clock).

        Nothing that was asked for before ``now`` + 1 second is stored: until then a node of the server may still answer
        from its own memory what it was before those changes.
        """
        with self._lock:
            self._drop(now + STALE_SECONDS)

    def _drop(self, quiet_until: float) -> None:
        self._epoch += 1
        self._quiet_until = max(self._quiet_until, quiet_until)
        self._entries.clear()
        self._digests.clear()
        self._versions.clear()
