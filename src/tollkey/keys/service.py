"""``KeyService``: API keys for an application of your own, in one object."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tollkey.db import Database, Ids, SQLite, forking, migrate, open_database
from tollkey.db.bounds import Bounds
from tollkey.keys import audit, fingerprints
from tollkey.keys.accounts import AccountKeys
from tollkey.keys.attempts import Attempts
from tollkey.keys.authority import Authority
from tollkey.keys.changing import KeyChanges
from tollkey.keys.checking import KeyChecking
from tollkey.keys.config import Config, load
from tollkey.keys.flushing import Flusher
from tollkey.keys.foreign import ForeignKeys
from tollkey.keys.key import Key
from tollkey.keys.keyring import Keyring
from tollkey.keys.keyring_use import KeyringUse
from tollkey.keys.lease import Lease
from tollkey.keys.lease_renewal import LeaseRenewer
from tollkey.keys.limiting import AccountPlans, KeyLimits, Limiter, PlanChanges, SharedLimiter
from tollkey.keys.limits import Limits
from tollkey.keys.observing import LeastPrivilege
from tollkey.keys.permissions import Permission, PermissionCatalogue
from tollkey.keys.rotating import KeyRotation
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.store import Usage
from tollkey.keys.token import BRAND, Brand
from tollkey.keys.tokens import Tokens
from tollkey.keys.usage import UsageCounter, UsageReports
from tollkey.keys.usage.section import Section as UsageSection
from tollkey.keys.verifier import Verifier


class KeyService(
    KeyChecking, KeyChanges, KeyRotation, PlanChanges, UsageReports, LeastPrivilege, Tokens, forking.ForkAware
):
    """Creates and verifies API keys. Use one object for each process and ``close`` it at the end.

    Every key belongs to an ``account``, the host's name for its customer, and to a mode. It is thread-safe and may be
    created before a fork: a child process opens its own connections and has its own cache. Create it with ``open``; the
    constructor is for hosts that create the parts themselves:

    database: open, shared with nothing that closes it. authority: creates and changes keys. verifier: verifies them.
    clock: returns UTC epoch seconds. flush_seconds: how often uses and refused attempts are written; 0: never.
    attempts: counts refused attempts. config: routes and plans. limits, limiter: see ``open``. Raises StorageError.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        verifier: Verifier,
        *,
        clock: Callable[[], float] = time.time,
        flush_seconds: float = 1.0,
        attempts: Attempts | None = None,
        config: Config | None = None,
        limits: Limits | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        super().__init__(database, authority, clock)
        self.verifier = verifier
        self._keyring_uses: list[KeyringUse] = []
        self.attempts = attempts or Attempts()
        self.config = config or Config()
        migrate(database, MIGRATIONS)
        database.write(lambda tx: audit.guard(tx, authority.keyring, int(clock())), lock="migrate")
        verifier.attach(database)
        self.plans = AccountPlans(database, verifier.heard)
        shared = SharedLimiter(database) if limits is None and limiter is None and self.config.limited else None
        counting = limiter if shared is None else shared
        self._limits = limits if counting is None else KeyLimits(self.config, counting, self.plans)
        self._flusher = Flusher(database, verifier, self.attempts, flush_seconds, limiter=shared, clock=clock)
        self._lease_renewer = LeaseRenewer(database, verifier.lease)
        if isinstance(database, SQLite):
            database.close_connections()  # so that none is open when a preloaded application forks
        forking.register(self)

    def after_fork_in_child(self) -> None:
        """Start without a flusher thread; the first use starts one."""
        self._flusher.reset()

    @classmethod
    def open(
        cls,
        database: str,
        permissions: Iterable[Permission] = (),
        *,
        config: Config | str | Path | None = None,
        keyring: str | Keyring | None = None,
        implied: Mapping[str, tuple[str, ...]] | None = None,
        brand: Brand | None = None,
        allow_imported: bool = False,
        limiter: Limiter | None = None,
        limits: Limits | None = None,
        flush_seconds: float = 1.0,
        attempts: Attempts | None = None,
        cached_keys: int = 100_000,
        lease_seconds: float = 1.0,
        pool_size: int = 8,
        bounds: Bounds | None = None,
        direct_database: str = "",
        clock: Callable[[], float] = time.time,
    ) -> KeyService:
        """Open the database and the keyring, and create what is missing.

        database: the path of an SQLite file, or ``postgresql://…``.
        permissions: the permissions that restricted keys of this application can have.
        config: prefixes, permissions, routes, plans and limits, as a value or as the path of a ``tollkey.toml``; then
            ``permissions``, ``implied`` and ``brand`` are not given.
        keyring: the path of the keyring file, or a ``Keyring``. By default the file is next to the SQLite file, with
            the suffix ``.keyring``. It is created for a new database. Back it up separately from the database: without
            it no key verifies.
        implied: name of a permission to the grants it implies. brand: the prefixes of keys.
        allow_imported: also verify keys that were imported (``Authority.import_key``, ``import_hash``): without our
            checksum, of other forms, or known by a hash only.
        limiter: counts for the plans and limits of ``config``; by default all processes of this database together.
        limits: limits of your own in place of those of ``config``. Limits are taken by ``check`` and by gates, once for
            each request with an accepted key and permission.
        flush_seconds: how often uses and refused attempts are written; 0: only by ``flush`` and ``close``.
        attempts: counts refused attempts, by hour by default; ``Attempts(0)`` disables it.
        cached_keys: maximum number of keys in the memory of this process, about 400 bytes each; the ones that were not
            used for the longest time are read from the database again.
        lease_seconds: how long what is in memory (keys, plans) may be used after changes made elsewhere could last be
            heard of. pool_size: maximum number of PostgreSQL connections of this process. bounds: how long work on
            PostgreSQL may wait (``tollkey.db.bounds``); None for the defaults.
        direct_database: the URL of PostgreSQL itself, where ``database`` is that of a pooler such as PgBouncer.
        clock: returns UTC epoch seconds.
        Raises ValueError for a URL that is not valid, PostgreSQL without ``keyring``, or what is declared twice;
        ConfigError, KeyringError, StorageError.
        """
        declared = _declared(config, permissions, implied, brand)
        sqlite_path = database.removeprefix("sqlite:///")
        if keyring is None:
            if "://" in sqlite_path:
                raise ValueError("PostgreSQL needs the path of the keyring file: keyring=…")
            keyring = f"{sqlite_path}.keyring"
        catalogue = PermissionCatalogue(declared.permissions, declared.implied, ())
        name = f"keys-{os.getpid()}-{Ids().text(12)}"
        opened = open_database(database, name, pool_size, bounds=bounds, direct=direct_database)
        uses: list[KeyringUse] = []
        try:
            migrate(opened, MIGRATIONS)
            material, uses = fingerprints.load_used(opened, fingerprints.source_of(keyring))
            authority = Authority(material, catalogue, brand=declared.brand)
            allow_imported = allow_imported or declared.imported_keys
            foreign = ForeignKeys(material, time.monotonic) if allow_imported else None
            verifier = Verifier(
                material,
                catalogue,
                Lease(lease_seconds),
                brand=declared.brand,
                allow_imported=allow_imported,
                foreign=foreign,
                capacity=cached_keys,
                usage=UsageCounter.of_section(declared.section(UsageSection)),
            )
            service = cls(
                opened, authority, verifier, clock=clock, flush_seconds=flush_seconds, attempts=attempts,
                config=declared, limits=limits, limiter=limiter,
            )  # fmt: skip
            service._keyring_uses = uses
            return service
        except BaseException:
            for use in uses:
                use.close()
            opened.close()
            raise

    def usage(self, key: Key) -> Usage | None:
        """Return when, from where and for what a key was last used; None if never. Raises StorageError.

        Uses in this process count at once, those in other processes as of their last flush, a second ago at most.
        """
        return self.verifier.with_unwritten(key.id, super().usage(key))

    def account(self, account: str, livemode: bool = True) -> AccountKeys:
        """Return a view of the keys of one account in one mode, whose methods need no account.

        account: your name for the customer. livemode: the mode.
        """
        return AccountKeys(self, account, livemode)

    # -- in the background

    def hear(self) -> None:
        """Receive the announcements that other processes have made so far.

        ``verify`` does so once a second at most. A server that tells others of changes calls it several times a second.
        """
        forking.detect_fork()
        self._lease_renewer.renew()

    def flush(self) -> int:
        """Write last uses and refused attempts to the database; a thread does so every ``flush_seconds``.

        Returns the number of used keys written. Raises StorageError.
        """
        return self._flusher.flush()

    def claim_keyring(self) -> None:
        """Keep other processes from using the database, to change its keyring. On PostgreSQL it does nothing.

        Raises KeyringError, which names the processes that use it.
        """
        for use in self._keyring_uses:
            use.claim()

    def close(self) -> None:
        """Flush and close the database. May be called again."""
        if self._flusher.stop():
            self.database.close()
            for use in self._keyring_uses:
                use.close()

    def __enter__(self) -> KeyService:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _declared(
    config: Config | str | Path | None,
    permissions: Iterable[Permission],
    implied: Mapping[str, tuple[str, ...]] | None,
    brand: Brand | None,
) -> Config:
    """Return the configuration of a service. Raises ConfigError, and ValueError for what is declared twice."""
    if config is None:
        return Config(permissions=tuple(permissions), implied=implied or {}, brand=brand or BRAND)
    if tuple(permissions) or implied is not None or brand is not None:
        raise ValueError("permissions, implied and brand are declared by config: give only that")
    return config if isinstance(config, Config) else load(config)
