"""``KeyService``: API keys for an application of your own, in one object."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from tollkey.db import Database, SQLite, forking, migrate, open_database
from tollkey.db.ids import Ids
from tollkey.keys import audit, fingerprints
from tollkey.keys.accounts import AccountKeys
from tollkey.keys.attempts import Attempts
from tollkey.keys.authority import Authority
from tollkey.keys.changing import KeyChanges
from tollkey.keys.config import Config, load
from tollkey.keys.demands import Demand, demand_of
from tollkey.keys.flushing import Flusher
from tollkey.keys.foreign import ForeignKeys
from tollkey.keys.header import decode_key
from tollkey.keys.key import Checked, Denied, Key, LimitState, Reason
from tollkey.keys.keyring import Keyring
from tollkey.keys.lease_renewal import LeaseRenewer
from tollkey.keys.limiting import AccountPlans, KeyLimits, Limiter, PlanChanges, SharedLimiter
from tollkey.keys.limits import Limits
from tollkey.keys.observing import LeastPrivilege
from tollkey.keys.once import first_use, take_once, take_once_at_once
from tollkey.keys.permissions import Permission, PermissionCatalogue
from tollkey.keys.results import in_this_request, limited, of_other_account, refused, take_use
from tollkey.keys.rotating import KeyRotation
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.store import Usage
from tollkey.keys.threads import in_thread
from tollkey.keys.token import BRAND, Brand, mask_unknown
from tollkey.keys.tokens import Tokens
from tollkey.keys.usage import ACCEPTED, UsageCounter, UsageReports
from tollkey.keys.usage.section import Section as UsageSection
from tollkey.keys.verifier import Verifier


class KeyService(KeyChanges, KeyRotation, PlanChanges, UsageReports, LeastPrivilege, Tokens, forking.ForkAware):
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
        self.attempts = attempts or Attempts()
        self.config = config or Config()
        migrate(database, MIGRATIONS)
        database.write(lambda tx: audit.guard(tx, authority.keyring, int(clock())), lock="migrate")
        verifier.attach(database)
        self.plans = AccountPlans(database)
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
        clock: Callable[[], float] = time.time,
    ) -> KeyService:
        """Open the database and the keyring, and create what is missing.

        database: the path of an SQLite file, or ``postgresql://…``.
        permissions: the permissions that restricted keys of this application can have.
        config: prefixes, permissions, routes, plans and limits, as a value or as the path of a ``tollkey.toml``; then
            ``permissions``, ``implied`` and ``brand`` are not given.
        keyring: the path of the keyring file, or a ``Keyring``. By default the file is next to the SQLite file, with
            the suffix ``.keyring``. It is created for a new database. Back it up apart from the database: without it no
            key verifies.
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
        opened = open_database(database, origin=f"keys-{os.getpid()}-{Ids().text(12)}")
        try:
            migrate(opened, MIGRATIONS)
            material = fingerprints.load_keyring(opened, fingerprints.source_of(keyring))
            authority = Authority(material, catalogue, brand=declared.brand)
            allow_imported = allow_imported or declared.imported_keys
            foreign = ForeignKeys(material, time.monotonic) if allow_imported else None
            verifier = Verifier(
                material,
                catalogue,
                brand=declared.brand,
                allow_imported=allow_imported,
                foreign=foreign,
                capacity=cached_keys,
                usage=UsageCounter.of_section(declared.section(UsageSection)),
            )
            return cls(
                opened, authority, verifier, clock=clock, flush_seconds=flush_seconds, attempts=attempts,
                config=declared, limits=limits, limiter=limiter,
            )  # fmt: skip
        except BaseException:
            opened.close()
            raise

    # -- verifying

    def verify(
        self,
        text: str | bytes | None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        account: str | None = None,
    ) -> Key | Denied:
        """Verify an API key.

        text: the key as the caller sent it. None or empty is refused as ``missing``; bytes are decoded as Latin-1.
        ip: the caller's address; a key with an allow-list is refused without it.
        endpoint: what the key is used for, stored as its last use.
        account: accept only keys of this account; all others are refused as ``unknown``.
        Returns the ``Key``, whose truth value is True, or ``Denied``, whose truth value is False. It never raises for
        anything a caller can send. It uses the cache, or reads the database.
        """
        answer = self._look_up(text, ip, account)
        used_up = take_use(self.database, answer) if isinstance(answer, Key) else None
        return self._record(answer if used_up is None else used_up, ip, endpoint)

    def verify_cached(
        self, text: str | bytes | None, ip: str | None = None, endpoint: str | None = None, account: str | None = None
    ) -> Key | Denied | None:
        """Verify from the cache, without blocking; None if the database must be read: call ``verify`` then."""
        answer = self._look_up_cached(text, ip, account)
        return None if answer is None else self._record(answer, ip, endpoint)

    def _look_up(self, text: str | bytes | None, ip: str | None, account: str | None) -> Key | Denied:
        """Verify a key, from the cache or the database, without counting it."""
        forking.detect_fork()
        readable, now = decode_key(text), int(self._clock())
        if isinstance(readable, Denied):
            return readable
        self._lease_renewer.keep_fresh()
        answer = self.verifier.verify_cached(readable, now, ip)
        # Keys of other accounts are read from the database even if cached: they take as long as unknown ones.
        if answer is None or of_other_account(answer, account):
            answer = in_this_request(self.verifier.read(self.database, readable, now, ip), now)
        if of_other_account(answer, account):
            return Denied(Reason.unknown, mask_unknown(readable))
        return answer

    def _look_up_cached(self, text: str | bytes | None, ip: str | None, account: str | None) -> Key | Denied | None:
        """Verify a key from the cache without counting it; None if the database must be read."""
        forking.detect_fork()
        readable, now = decode_key(text), int(self._clock())
        if isinstance(readable, Denied):
            return readable
        answer = self.verifier.verify_cached(readable, now, ip)
        return None if answer is not None and of_other_account(answer, account) else answer

    def _record(
        self,
        answer: Key | Denied,
        ip: str | None,
        endpoint: str | None,
        route: str | None = None,
        outcome: str = ACCEPTED,
        cost: int = 1,
        needed: str | None = None,
    ) -> Key | Denied:
        """Count an answer. outcome: for a key, ``accepted`` or why the request is refused nevertheless."""
        now = int(self._clock())
        if isinstance(answer, Denied):
            self.attempts.count_denied(answer, ip, now)
            if answer.key is not None:
                self.verifier.usage.count(answer.key, now, route, answer.reason.value, cost, needed)
        elif first_use(answer.id):
            self.verifier.record_use(
                answer, now, ip, endpoint, route=route, outcome=outcome, cost=cost, permission=needed
            )
        self._flusher.start()
        return answer

    # -- checking: key, permission and limits

    def check(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Verify an API key, then its permission, then its limits.

        text, ip, endpoint, account: see ``verify``.
        permission: the grant that the request needs, for example ``report_read`` or ``project:42:write``; None for that
            of the declared route.
        route: method and path, ``GET /reports/1``, which are compared with the declared routes; or a name for limits of
            routes. With declared routes, a request that matches none is refused as ``forbidden``.
        cost: how much the request takes from the limits; None for that of the route, or 1. 0 only looks at them.
        publishable: whether a publishable key will do. It is public; a declared route must allow it too.
        Returns ``Checked``, whose truth value is whether the request is accepted. In one request (see a gate) a key
        pays the highest cost once. Raises UnknownPermission if nothing declares the permission, ValueError for a
        negative cost.
        """
        demand = self._demand(permission, route, cost, publishable)
        checked = self._authorize(self._look_up(text, ip, account), demand)
        if isinstance(checked, Key):
            checked = limited(checked, self._take(checked, demand))
        return self._recorded(checked, ip, endpoint, demand)

    async def acheck(
        self,
        text: str | bytes | None,
        permission: str | None = None,
        *,
        ip: str | None = None,
        endpoint: str | None = None,
        route: str | None = None,
        cost: int | None = None,
        account: str | None = None,
        publishable: bool = True,
    ) -> Checked:
        """Do what ``check`` does without blocking the event loop: from the cache, or else in a thread.

        It runs under asyncio and trio. Arguments, result and errors are those of ``check``.
        """
        demand = self._demand(permission, route, cost, publishable)
        answer = self._look_up_cached(text, ip, account)
        if answer is None:
            answer = await in_thread(partial(self._look_up, text, ip, account))
        checked = self._authorize(answer, demand)
        if isinstance(checked, Key):
            taken = self._take_at_once(checked, demand)
            if taken is None:
                taken = await in_thread(partial(self._take, checked, demand))
            checked = limited(checked, taken)
        return self._recorded(checked, ip, endpoint, demand)

    def _demand(self, permission: str | None, route: str | None, cost: int | None, publishable: bool) -> Demand:
        """Return what a request demands. Raises UnknownPermission, ValueError."""
        demand = demand_of(self.config, permission, route, cost, publishable)
        if demand.permission is None:
            return demand
        return demand._replace(permission=self.authority.catalogue.canonical(demand.permission))

    def _authorize(self, answer: Key | Denied, demand: Demand) -> Key | Checked:
        """Return the key if it may do what a request demands, or why the request is refused."""
        if isinstance(answer, Denied):
            return refused(answer)
        if not demand.declared or (answer.kind == "publishable" and not demand.publishable):
            return Checked(None, Reason.forbidden, masked=answer.masked, known=answer)
        if demand.permission is not None and not answer.allows(demand.permission):
            return Checked(None, Reason.forbidden, demand.permission, masked=answer.masked, known=answer)
        return answer

    def _take(self, key: Key, demand: Demand) -> tuple[LimitState, ...] | Denied:
        """Take what a request costs from the limits, and from the uses of a key that counts them. It may block."""
        limits, now = self._limits, self._clock()
        taken = () if limits is None else take_once(limits, key, demand.route, demand.cost, now)
        if isinstance(taken, Denied):
            return taken
        used_up = take_use(self.database, key) if demand.cost else None
        return taken if used_up is None else used_up

    def _take_at_once(self, key: Key, demand: Demand) -> tuple[LimitState, ...] | Denied | None:
        """Do what ``_take`` does without blocking; None if that is needed."""
        if key.max_uses is not None:
            return None
        if self._limits is None:
            return ()
        return take_once_at_once(self._limits, key, demand.route, demand.cost, self._clock())

    def _recorded(self, checked: Checked, ip: str | None, endpoint: str | None, demand: Demand) -> Checked:
        """Count a result and return it. A key without the permission was used, and has a last use."""
        if checked.key is not None:
            self._record(checked.key, ip, endpoint, demand.name, ACCEPTED, demand.cost, demand.permission)
        elif checked.reason is Reason.forbidden and checked.known is not None:
            self._record(checked.known, ip, endpoint, demand.name, Reason.forbidden.value, 0, demand.permission)
        elif checked.reason is not None:
            refused = Denied(checked.reason, checked.masked, checked.known)
            self._record(refused, ip, endpoint, demand.name, cost=0, needed=demand.permission)
        return checked

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

    def close(self) -> None:
        """Flush and close the database. May be called again."""
        if self._flusher.stop():
            self.database.close()

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
