"""The hot path: from the text of a key to ``Key | Denied``, out of memory.

Memory is keyed by the digest, never by the text, and bounded. Only valid keys are kept: an
unknown text is looked up each time, so a new key works at once. Three things keep a revoked
key from coming back to life:

- each change announces the key's version; an entry read before it is refused from then on
- nothing is ever written back from memory
- memory is trusted only while the lease is fresh, that is, while announcements are known to
  arrive; else each key is read from the database, and if that fails the answer is
  ``unavailable``, never a stale yes

Nothing is written on the request's path: uses are counted in memory and flushed by others.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from tollkey.db import forking
from tollkey.db.engine import Database, StorageError, Tx
from tollkey.keys import store
from tollkey.keys.authority import CHANNEL
from tollkey.keys.header import without_keys
from tollkey.keys.key import Denied, Key, Reason
from tollkey.keys.keyring import Keyring
from tollkey.keys.limits import Limiter, Network, ip_allowed, networks_of
from tollkey.keys.permissions import Catalogue
from tollkey.keys.token import BRAND, Brand, mask_unknown, parse

FLUSH_MOST = 2_000  # keys in one flush, some 10 ms: on SQLite a server does it on its loop
_EVERYTHING = "*"  # announced when announcements may have been missed
_log = logging.getLogger(__name__)


class Lease:
    """How long memory may be trusted without hearing that announcements still arrive.

    bound_seconds: a revoked key is refused everywhere within this time, under partition too.
    Starts stale: memory is not trusted before the first ``renew``.
    """

    __slots__ = ("_until", "bound_seconds")

    def __init__(self, bound_seconds: float = 1.0) -> None:
        self.bound_seconds = bound_seconds
        self._until = float("-inf")

    def renew(self, now_monotonic: float) -> None:
        """Announcements made up to this moment have been heard. Give the time at which hearing *began*."""
        self._until = max(self._until, now_monotonic + self.bound_seconds)

    def lose(self) -> None:
        """Memory is not trusted before the next ``renew``."""
        self._until = float("-inf")

    def fresh(self, now_monotonic: float) -> bool:
        """Whether memory may be trusted at this moment."""
        return now_monotonic < self._until


class _Entry(NamedTuple):
    key: Key
    plain: bool  # nothing to check but that it is here
    networks: tuple[Network, ...]


class _Use:
    __slots__ = ("endpoint", "ip", "key", "uses", "when")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.when = 0
        self.ip: str | None = None
        self.endpoint: str | None = None
        self.uses = 0


class Verifier(forking.ForkAware):
    """Answers whether a text is a key that may be used now, from here.

    keyring: its digest keys. catalogue: expands permissions. lease: see above.
    capacity: keys in memory at most. allow_imported: look up well-formed texts without our checksum too.
    limiter: asked last, about accepted keys only; if it breaks, the answer is ``unavailable``.
    monotonic: seconds of a clock that does not go back.
    """

    def __init__(
        self,
        keyring: Keyring,
        catalogue: Catalogue,
        lease: Lease | None = None,
        *,
        brand: Brand = BRAND,
        capacity: int = 100_000,
        allow_imported: bool = False,
        limiter: Limiter | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lease = lease or Lease()
        self._keyring = keyring
        self._catalogue = catalogue
        self._brand = brand
        self._capacity = capacity
        self._allow_imported = allow_imported
        self._limiter = limiter
        self._monotonic = monotonic
        self._hasher = hashlib.blake2b(key=keyring.digest_keys[keyring.digest_current], digest_size=32)
        self._epoch = 0
        self._reset()
        forking.register(self)

    def _reset(self) -> None:
        self._memory: dict[bytes, _Entry] = {}
        self._digests: dict[str, bytes] = {}
        self._floors: dict[str, int] = {}
        self._uses: dict[str, _Use] = {}
        self._moves: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def after_fork_in_child(self) -> None:
        """Nothing of the parent's memory is trusted here, and the uses that it has counted it writes itself."""
        self.lease.lose()
        self._epoch += 1
        self._reset()

    # -- asking

    def verify_cached(self, text: str, now: int, ip: str | None = None) -> Key | Denied | None:
        """The answer if it is known without the database; None when ``load`` must be asked.

        now: UTC epoch seconds. ip: the caller's address; a key with an allow-list is refused without it.
        Text that cannot be a key is refused here.
        """
        hasher = self._hasher.copy()
        hasher.update(text.encode("utf-8", "surrogatepass"))
        entry = self._memory.get(hasher.digest())
        if entry is None:
            return (
                None if parse(text, self._brand, self._allow_imported) else Denied(Reason.unknown, mask_unknown(text))
            )
        if not self.lease.fresh(self._monotonic()):
            return None
        if entry.plain:
            return entry.key
        return self._judged(entry, now, ip)

    def load(self, tx: Tx, text: str, now: int, ip: str | None = None, epoch: int | None = None) -> Key | Denied:
        """The answer from the database; remembers a valid key.

        epoch: ``self.epoch`` from before ``tx`` began, if it may be older than this call. Raises StorageError.
        """
        epoch = self._epoch if epoch is None else epoch
        if parse(text, self._brand, self._allow_imported) is None:
            return Denied(Reason.unknown, mask_unknown(text))
        digests = dict(self._keyring.digests(text))
        current = digests[self._keyring.digest_current]
        key, stored, name = store.by_digest(tx, tuple(digests.values()), self._catalogue)
        entry = _entry(key)
        if stored is None or not hmac.compare_digest(stored, digests.get(name, b"")):
            self._remember(current, entry, -1)  # remembers nothing, and takes as long
            return Denied(Reason.unknown, mask_unknown(text))
        if name != self._keyring.digest_current:
            self._moves[key.id] = current
        if not key.ended(now):
            self._remember(current, entry, epoch)
        return entry.key if entry.plain and self._limiter is None else self._judged(entry, now, ip)

    def verify(self, database: Database, text: str, now: int, ip: str | None = None) -> Key | Denied:
        """The answer from memory, else from the database; ``unavailable`` when that fails.

        Sync: it may wait for the disk.
        """
        answer = self.verify_cached(text, now, ip)
        return self.read(database, text, now, ip) if answer is None else answer

    def read(self, database: Database, text: str, now: int, ip: str | None = None) -> Key | Denied:
        """The answer from the database, whatever is in memory; ``unavailable`` when that fails."""
        epoch = self._epoch
        try:
            return database.read(lambda tx: self.load(tx, text, now, ip, epoch))
        except StorageError as error:
            _log.error("a key could not be read: %s", type(error).__name__)
            return Denied(Reason.unavailable)

    def _judged(self, entry: _Entry, now: int, ip: str | None) -> Key | Denied:
        """What is left to check of a key that exists: its end, the caller's address, how often."""
        key = entry.key
        if key.revoked_at is not None:
            return Denied(Reason.revoked, key.masked, key)
        if key.expires_at is not None and now >= key.expires_at:
            return Denied(Reason.expired, key.masked, key)
        if not ip_allowed(entry.networks, ip):
            return Denied(Reason.ip_not_allowed, key.masked, key, ip)
        if self._limiter is not None:
            try:
                if not self._limiter.allow(key.id, self._monotonic()):
                    return Denied(Reason.rate_limited, key.masked, key)
            except Exception:  # whatever breaks in a host's limiter: it must not become a yes
                _log.exception("the rate limiter failed")
                return Denied(Reason.unavailable, key.masked, key)
        return key

    # -- remembering and forgetting

    @property
    def epoch(self) -> int:
        """Counts how often all memory was dropped."""
        return self._epoch

    def _remember(self, digest: bytes, entry: _Entry, epoch: int) -> None:
        key = entry.key
        plain = entry.plain and self._limiter is None
        with self._lock:
            if epoch != self._epoch or key.version < self._floors.get(key.id, 0):
                return  # read before a change that has been announced since
            if len(self._memory) >= self._capacity and digest not in self._memory:
                oldest = next(iter(self._memory))
                self._digests.pop(self._memory.pop(oldest).key.id, None)
            self._memory[digest] = entry if plain == entry.plain else entry._replace(plain=plain)
            self._digests[key.id] = digest

    def evict(self, key_id: str, version: int | None = None) -> None:
        """Let go of a key that has changed.

        version: what it has become; older readings are refused from now on. Without it everything is dropped
            that is being read at this moment, as it cannot be told from the old state.
        """
        with self._lock:
            digest = self._digests.pop(key_id, None)
            if digest is not None:
                self._memory.pop(digest, None)
            if version is None:
                self._epoch += 1
                return
            self._floors[key_id] = max(version, self._floors.pop(key_id, 0))
            if len(self._floors) > self._capacity:
                del self._floors[next(iter(self._floors))]

    def clear(self) -> None:
        """Let go of everything: announcements may have been missed."""
        with self._lock:
            self._epoch += 1
            self._memory.clear()
            self._digests.clear()

    def hear(self, payload: str) -> None:
        """Take an announcement of the channel ``keys``: ``<key id> <version>``, or ``*`` for "forget everything"."""
        key_id, _, version = payload.partition(" ")
        if key_id == _EVERYTHING:
            self.clear()
        else:
            self.evict(key_id, int(version) if version.isdigit() else None)

    def attach(self, database: Database) -> None:
        """Hear every announcement of this database from now on. Who polls or listens renews the lease."""
        database.subscribe(CHANNEL, self.hear)

    # -- last used

    def used(self, key: Key, now: int, ip: str | None = None, endpoint: str | None = None) -> None:
        """Count one use, in memory. endpoint: for example ``GET /v1/customers``."""
        use = self._uses.get(key.id)
        if use is None:
            use = self._uses.setdefault(key.id, _Use(key))
        use.when = now
        use.ip = ip
        use.endpoint = endpoint
        use.uses += 1

    @property
    def unwritten(self) -> bool:
        """Whether there are uses, or digests to move, that ``flush`` has not written."""
        return bool(self._uses or self._moves)

    def flush(self, tx: Tx) -> int:
        """Write what was counted since the last flush, and move digests off retired keys. Returns how many keys were
        written.

        ``FLUSH_MOST`` of them at most: when it returns as many, there may be more.
        Call it in the background, every few seconds, by one thread. What is not committed stays counted for the next
        time.
        """
        used = list(self._uses.values())[:FLUSH_MOST]
        written = {use.key.id: use.uses for use in used}
        store.add_usages(tx, [(use.key, _usage(use, written[use.key.id])) for use in used])
        moved = dict(list(self._moves.items())[:FLUSH_MOST])
        for key_id, digest in sorted(moved.items()):
            store.move_digest(tx, key_id, digest, self._keyring.digest_current)
        tx.on_commit(lambda: self._flushed(written, moved))
        return len(written)

    def _flushed(self, written: dict[str, int], moved: dict[str, bytes]) -> None:
        for key_id, count in written.items():
            use = self._uses.get(key_id)
            if use is not None:
                use.uses -= count
                if use.uses <= 0:
                    del self._uses[key_id]
        for key_id in moved:
            self._moves.pop(key_id, None)


def _usage(use: _Use, count: int) -> store.Usage:
    ip, endpoint = (None if value is None else without_keys(value) for value in (use.ip, use.endpoint))
    return store.Usage(use.key.id, use.when, ip, endpoint, count)


def _entry(key: Key) -> _Entry:
    plain = key.expires_at is None and key.revoked_at is None and not key.ip_allowlist
    return _Entry(key, plain, networks_of(key.ip_allowlist))
