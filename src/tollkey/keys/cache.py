"""The verifier's cache of keys, keyed by digest, never by text.

It has two parts. The keys in use most recently are kept whole, so that verifying them takes one look-up. All others are
kept in compact form (``packing``) and are made whole when they are presented again. When the cache is full, the keys
that were not presented for the longest time are dropped.

A change of a key is announced with its new version. Whole keys are dropped at once; a compact one is found to be old
when it is presented.
"""

from __future__ import annotations

import threading
from itertools import islice
from typing import NamedTuple

from tollkey.keys.key import SERVICE_ACCOUNT, Key
from tollkey.keys.limits import Network, networks_of
from tollkey.keys.packing import pack, unpack
from tollkey.keys.permissions import PermissionCatalogue

_FEWEST_WHOLE = 1_000
_FEWEST_CHANGES = 1_000
_LONGEST_USUAL = 500  # characters of a key


class CachedKey(NamedTuple):
    """A key with what verifying it needs.

    unconditional: it is not paused, and has no expiry, allow-list or number of uses to check.
    networks: its allow-list, parsed.
    usual: it is unconditional, of a host's account and not public, and its text is printable ASCII without
        spaces, of a bounded length: what ``ShortCheck`` accepts.
    """

    key: Key
    unconditional: bool
    networks: tuple[Network, ...]
    usual: bool = False


def cached(key: Key, text: str = "") -> CachedKey:
    """Return a key as the cache keeps it. text: of the key; it is not kept."""
    ends = (key.expires_at, key.revoked_at, key.disabled_at, key.max_uses) != (None, None, None, None)
    unconditional = not (ends or key.ip_allowlist)
    plain = text.isascii() and text.isprintable() and " " not in text and 0 < len(text) <= _LONGEST_USUAL
    usual = unconditional and plain and key.kind != "publishable" and key.account != SERVICE_ACCOUNT
    return CachedKey(key, unconditional, networks_of(key.ip_allowlist), usual)


class KeyCache:
    """Keys by digest. Thread-safe.

    capacity: maximum number of keys, about 450 bytes each. catalogue: expands permissions.
    whole: the keys in use most recently; read it without the lock.
    """

    def __init__(self, capacity: int, catalogue: PermissionCatalogue) -> None:
        self._capacity, self._catalogue = capacity, catalogue
        self._most_whole = min(max(_FEWEST_WHOLE, capacity // 32), capacity)
        self._most_changes = max(_FEWEST_CHANGES, capacity // 8)
        self.epoch = 0
        self.reset()

    def reset(self) -> None:
        """Start empty, with a new lock, after a fork."""
        self.epoch += 1
        self.whole: dict[bytes, CachedKey] = {}
        self._digests: dict[str, bytes] = {}  # of the whole keys, by id
        self._packed: dict[bytes, bytes] = {}  # of all keys, in the order of their last use
        self._versions: dict[str, int] = {}  # the versions of changed keys; older ones are not used
        self._lock = threading.Lock()

    def compact(self, digest: bytes, text: str) -> CachedKey | None:
        """Return a key that is not whole, and keep it whole from now on; None if it is not cached.

        digest: of the text. text: the key as presented.
        """
        packed = self._packed.get(digest)
        if packed is None:
            return None
        entry = cached(unpack(packed, text, self._catalogue), text)
        with self._lock:
            if self._packed.get(digest) is not packed:
                return None
            del self._packed[digest]
            if entry.key.version < self._versions.get(entry.key.id, 0):
                return None
            self._packed[digest] = packed
            self._keep_whole(digest, entry)
        return entry

    def store(self, digest: bytes, entry: CachedKey, epoch: int, text: str) -> None:
        """Keep a key that was read from the database.

        digest: of its text. text: of the key; it is not kept.
        epoch: the value of ``epoch`` before it was read; nothing is kept if it has changed since.
        """
        packed, key = pack(entry.key, text), entry.key
        with self._lock:
            if epoch != self.epoch or key.version < self._versions.get(key.id, 0) or self._capacity < 1:
                return  # it was read before a change that was announced meanwhile
            self._packed.pop(digest, None)
            if len(self._packed) >= self._capacity:
                self._drop_oldest()
            self._packed[digest] = packed
            self._keep_whole(digest, entry)

    def _keep_whole(self, digest: bytes, entry: CachedKey) -> None:
        if len(self.whole) >= self._most_whole and digest not in self.whole:
            for old in list(islice(self.whole, max(1, self._most_whole // 4))):
                self._digests.pop(self.whole.pop(old).key.id, None)
        self.whole[digest] = entry
        self._digests[entry.key.id] = digest

    def _drop_oldest(self) -> None:
        """Drop some keys at once, since finding the oldest ones takes a pass over those dropped before."""
        for digest in list(islice(self._packed, max(1, self._capacity // 64))):
            del self._packed[digest]
            old = self.whole.pop(digest, None)
            if old is not None:
                self._digests.pop(old.key.id, None)

    def evict(self, key_id: str, version: int | None = None) -> None:
        """Drop a changed key.

        version: its new version; older ones are not used any more. None if it is not known: drops all keys.
        """
        with self._lock:
            digest = self._digests.pop(key_id, None)
            if digest is not None:
                self.whole.pop(digest, None)
                self._packed.pop(digest, None)
            if version is None or len(self._versions) >= self._most_changes:
                self._clear()
            elif version > 1:  # a new key has no older version
                self._versions[key_id] = max(version, self._versions.get(key_id, 0))

    def clear(self) -> None:
        """Drop all keys, also those that are being read at this time."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self.epoch += 1
        self.whole.clear()
        for part in (self._digests, self._packed, self._versions):
            part.clear()

    def __len__(self) -> int:
        return len(self._packed)
