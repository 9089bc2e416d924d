"""The verifier: checks a presented key, from a cache in memory or from the database. This is the hot path.

The cache is keyed by digest, never by text, and bounded. Only valid keys are cached: an unknown text is looked up each
time, so that a new key works at once. A revoked key is never accepted from the cache for longer than the lease:

- each change announces the key's new version; entries read before it are not cached any more
- nothing is ever written from the cache to the database
- the cache is used only while the lease is fresh, which means that announcements arrive; otherwise each key is read
  from the database, and if that fails, the key is refused as ``unavailable``

Requests write nothing: uses are counted in memory and flushed in the background.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

from tollkey.db import Database, StorageError, Tx, forking
from tollkey.keys import store
from tollkey.keys.addresses import Addresses
from tollkey.keys.cache import CachedKey, KeyCache, cached
from tollkey.keys.foreign import Busy, ForeignKeys, forget, plausible
from tollkey.keys.header import without_keys
from tollkey.keys.key import Denied, Key, Reason
from tollkey.keys.keyring import Keyring
from tollkey.keys.lease import Lease
from tollkey.keys.limits import ip_allowed
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.token import BRAND, Brand, mask_unknown, parse
from tollkey.keys.usage import ACCEPTED, UsageCounter
from tollkey.keys.writing import CHANNEL

FLUSH_MOST = 100  # keys in one flush, about 1 ms: on SQLite it runs on the event loop, and other writes wait for it
#: What ``record_use`` is told: key, time, address, endpoint, route, outcome, cost, permission.
NotedUse = tuple[Key, float, str | None, str | None, str | None, str, int, str | None]
MOST_NOTED = 64  # uses; counting them takes 0.1 ms of the request that finds so many
_ALL = "*"  # announcement that earlier announcements may have been missed
_log = logging.getLogger(__name__)


class _Use:
    __slots__ = ("endpoint", "ip", "key", "uses", "when")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.when = 0
        self.ip: str | None = None
        self.endpoint: str | None = None
        self.uses = 0


class Verifier(forking.ForkAware):
    """Verifies API keys. Thread-safe.

    keyring: its digest keys. catalogue: expands permissions. lease: 1 second by default. brand: the prefixes of keys.
    capacity: maximum number of cached keys. allow_imported: also look up keys without our checksum.
    monotonic: returns seconds of a monotonic clock. usage: counts requests by key, route and outcome.
    foreign: also finds keys that were imported as hashes, and keys of other forms than our brand's.
    """

    def __init__(
        self,
        keyring: Keyring,
        catalogue: PermissionCatalogue,
        lease: Lease | None = None,
        *,
        brand: Brand = BRAND,
        capacity: int = 100_000,
        allow_imported: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        usage: UsageCounter | None = None,
        foreign: ForeignKeys | None = None,
    ) -> None:
        self.lease = lease or Lease()
        self.usage = usage or UsageCounter()
        self.addresses = Addresses()
        self._keyring = keyring
        self._catalogue = catalogue
        self._brand = brand
        self._cache = KeyCache(capacity, catalogue)
        self._allow_imported = allow_imported
        self._foreign = foreign
        self._monotonic = monotonic
        self._hasher = hashlib.blake2b(key=keyring.digest_keys[keyring.digest_current], digest_size=32)
        self._noted: deque[NotedUse] = deque()  # uses that are not counted yet
        self._reset()
        forking.register(self)

    def _reset(self) -> None:
        self._uses: dict[str, _Use] = {}
        self._counting = threading.Lock()
        self._digest_moves: dict[str, bytes] = {}

    def after_fork_in_child(self) -> None:
        """Start with an empty cache and no counted uses: the parent writes those."""
        self.lease.expire()
        self._cache.reset()
        self._noted.clear()
        self._reset()

    # -- verifying

    def verify_cached(self, text: str, now: int, ip: str | None = None) -> Key | Denied | None:
        """Verify from the cache; None if the database must be read with ``load``.

        A text that is not a well-formed key is refused without the database.
        now: UTC epoch seconds. ip: the caller's address; a key with an allow-list is refused without it.
        """
        hasher = self._hasher.copy()
        hasher.update(text.encode("utf-8", "surrogatepass"))
        digest = hasher.digest()
        entry = self._cache.whole.get(digest) or self._cache.compact(digest, text)
        if entry is None:
            return None if self._may_exist(text) else Denied(Reason.unknown, mask_unknown(text))
        if not self.lease.fresh(self._monotonic()):
            return None
        if entry.unconditional:
            return entry.key
        return self._check(entry, now, ip)

    def heard(self) -> bool:
        """Return whether announcements of changes are known to arrive: whether what is in memory may be used."""
        return self.lease.fresh(self._monotonic())

    def load(self, tx: Tx, text: str, now: int, ip: str | None = None, epoch: int | None = None) -> Key | Denied:
        """Verify from the database, and cache a valid key.

        now, ip: see ``verify_cached``. epoch: the value of ``self.epoch`` before ``tx`` began, if that was before this
        call. Raises StorageError.
        """
        epoch = self._cache.epoch if epoch is None else epoch
        if not self._may_exist(text):
            return Denied(Reason.unknown, mask_unknown(text))
        digests = [digest for _, digest in self._keyring.digests(text)]
        if self._foreign is not None:
            digests += self._foreign.digests(tx, text)
        key, stored, _ = store.by_digest(tx, digests, self._catalogue)
        entry = cached(key, text)
        if stored is None or not any([hmac.compare_digest(stored, digest) for digest in digests]):
            self._cache.store(digests[0], entry, -1, text)  # caches nothing, for constant time
            return Denied(Reason.unknown, mask_unknown(text))
        return self._accept(entry, text, stored, digests[0], now, ip, epoch)

    def _may_exist(self, text: str) -> bool:
        """Whether a text is a well-formed key, or may be one of another system."""
        if parse(text, self._brand, self._allow_imported) is not None:
            return True
        return self._foreign is not None and plausible(text)

    def _accept(
        self,
        entry: CachedKey,
        text: str,
        stored: bytes | None,
        current: bytes,
        now: int,
        ip: str | None,
        epoch: int,
    ) -> Key | Denied:
        """Cache and check a key that was found. stored, current: its digest in the database, and that of its text."""
        key = entry.key
        if stored != current:
            self._digest_moves[key.id] = current
        if not key.ended(now) and key.max_uses is None:  # each use of a key that counts them asks the database
            self._cache.store(current, entry, epoch, text)
        return key if entry.unconditional else self._check(entry, now, ip)

    def verify(self, database: Database, text: str, now: int, ip: str | None = None) -> Key | Denied:
        """Verify from the cache or the database; blocking. The key is refused as ``unavailable`` if the database fails.

        now, ip: see ``verify_cached``.
        """
        answer = self.verify_cached(text, now, ip)
        return self.read(database, text, now, ip) if answer is None else answer

    def read(self, database: Database, text: str, now: int, ip: str | None = None) -> Key | Denied:
        """Verify from the database, ignoring the cache; blocking. ``unavailable`` if the database fails."""
        epoch = self._cache.epoch
        try:
            answer = database.read(lambda tx: self.load(tx, text, now, ip, epoch))
            if self._foreign is not None and isinstance(answer, Denied) and answer.reason is Reason.unknown:
                match = self._foreign.match(database, text)
                found = None if match is None else database.read(lambda tx: self._by_id(tx, match.key_id))
                if match is not None and found is not None:
                    entry, digest = cached(found, text), self._keyring.digest(text)
                    return self._accept(entry, text, None if match.whole else digest, digest, now, ip, epoch)
            return answer
        except Busy:
            return Denied(Reason.unavailable, mask_unknown(text))
        except StorageError as error:
            _log.error("a key could not be read: %s", type(error).__name__)
            return Denied(Reason.unavailable)

    def verify_again(self, tx: Tx, key: Key, now: int, ip: str | None = None) -> Key | Denied:
        """Return the verdict on a key that was verified before, from the database. now, ip: see ``verify_cached``.

        Raises StorageError.
        """
        found = self._by_id(tx, key.id)
        if found is None:
            return Denied(Reason.revoked, key.masked, key)
        if found.max_uses is not None:  # its last use may be this one
            found = replace(found, uses_left=None)
        return self._check(cached(found), now, ip)

    def _by_id(self, tx: Tx, key_id: str) -> Key | None:
        return store.by_id_anywhere(tx, key_id, self._catalogue)

    def _check(self, entry: CachedKey, now: int, ip: str | None) -> Key | Denied:
        """Check what limits a key that exists."""
        key = entry.key
        if key.revoked_at is not None:
            return Denied(Reason.revoked, key.masked, key)
        if key.ended(now):
            return Denied(Reason.expired, key.masked, key)
        if key.disabled_at is not None:
            return Denied(Reason.disabled, key.masked, key)
        if not ip_allowed(entry.networks, ip):
            return Denied(Reason.ip_not_allowed, key.masked, key, ip)
        return key

    # -- the cache

    @property
    def epoch(self) -> int:
        """How often the whole cache was dropped."""
        return self._cache.epoch

    def evict(self, key_id: str, version: int | None = None) -> None:
        """Drop a changed key from the cache. version: its new version; None if unknown, which drops all keys."""
        self._cache.evict(key_id, version)

    def clear(self) -> None:
        """Empty the cache, when announcements may have been missed."""
        self._cache.clear()

    def on_announcement(self, payload: str) -> None:
        """Handle an announcement: ``<key id> <version>``, or ``*`` to empty the cache."""
        key_id, _, version = payload.partition(" ")
        if key_id == _ALL:
            self.clear()
        else:
            self.evict(key_id, int(version) if version.isdigit() else None)

    def attach(self, database: Database) -> None:
        """Subscribe to the announcements of a database. The code that polls or listens must renew the lease."""
        database.subscribe(CHANNEL, self.on_announcement)

    # -- last used

    def record_use(
        self,
        key: Key,
        now: int,
        ip: str | None = None,
        endpoint: str | None = None,
        *,
        route: str | None = None,
        outcome: str = ACCEPTED,
        cost: int = 1,
        permission: str | None = None,
    ) -> None:
        """Count a use of a key in memory.

        now: UTC epoch seconds. ip: the caller's address. endpoint: for example ``GET /v1/customers``.
        route: the declared route, for example ``GET /v1/customers/{id}``. outcome: ``accepted``, or why the request
        was refused. cost: what it took from a limit. permission: what it needed, see ``UsageCounter.count``.
        """
        noted = self._noted
        noted.append((key, now, ip, endpoint, route, outcome, cost, permission))
        if len(noted) >= MOST_NOTED:
            self.count_noted()

    def count_noted(self) -> None:
        """Count the uses that were noted so far: many at once take less time than each by itself."""
        noted, usage, addresses = self._noted, self.usage, self.addresses
        with self._counting:
            uses = self._uses
            while noted:
                key, at, ip, endpoint, route, outcome, cost, permission = noted.popleft()
                use = uses.get(key.id)
                if use is None:
                    use = uses.setdefault(key.id, _Use(key))
                use.when = now = int(at)
                use.ip = ip
                use.endpoint = endpoint
                use.uses += 1
                usage.count(key, now, route, outcome, cost, permission)
                if ip is not None:
                    addresses.note(key.id, ip, now)

    def with_unwritten(self, key_id: str, stored: store.Usage | None) -> store.Usage | None:
        """Return the stored usage of a key, or None, together with its uses that ``flush`` has not written."""
        self.count_noted()
        use = self._uses.get(key_id)
        if use is None or use.uses <= 0:
            return stored
        latest = _usage(use, use.uses + (0 if stored is None else stored.uses))
        if stored is not None and stored.last_used_at > use.when:
            return replace(stored, uses=latest.uses)
        return latest

    @property
    def unwritten(self) -> bool:
        """Whether there are uses, addresses, or digests to replace, that ``flush`` has not written."""
        self.count_noted()
        return bool(self._uses or self._digest_moves or self.addresses.unwritten)

    def flush(self, tx: Tx, most: int = FLUSH_MOST) -> int:
        """Write the counted uses, and replace digests made with retired digest keys, or by other systems.

        Call it every second from one thread. Counts stay in memory until the transaction commits, or may have.
        Returns the number of keys written; if it is ``most``, there may be more. Raises StorageError.
        """
        self.count_noted()
        used = list(islice(self._uses.values(), most))
        written = {use.key.id: use.uses for use in used}
        store.add_usages(tx, [(use.key, _usage(use, written[use.key.id])) for use in used])
        moved = dict(islice(self._digest_moves.items(), most))
        for key_id, digest in sorted(moved.items()):
            store.move_digest(tx, key_id, digest, self._keyring.digest_current)
        if self._foreign is not None:
            forget(tx, moved)
        self.addresses.flush(tx, most)
        tx.on_commit(lambda: self._flushed(written, moved), if_unknown=True)
        return len(written)

    def _flushed(self, written: dict[str, int], moved: dict[str, bytes]) -> None:
        with self._counting:
            for key_id, count in written.items():
                use = self._uses.get(key_id)
                if use is not None:
                    use.uses -= count
                    if use.uses <= 0:
                        del self._uses[key_id]
        for key_id in moved:
            self._digest_moves.pop(key_id, None)


def _usage(use: _Use, count: int) -> store.Usage:
    ip, endpoint = (None if value is None else without_keys(value) for value in (use.ip, use.endpoint))
    return store.Usage(use.key.id, use.when, ip, endpoint, count)
