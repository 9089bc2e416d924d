"""The core of a server: settings, storage, keys and resources, put together without a network.

This module and ``server.py`` are the composition root: nothing else creates these parts for others.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from sqlite3 import SQLITE_CORRUPT, SQLITE_NOTADB
from types import ModuleType

import tollkey.payments
import tollkey.platform
from tollkey import dashboard, ledger, outbox, upstream
from tollkey.db import Database, Ids, Migration, Scope, SQLite, StorageError, Tx, migrate, migrating, open_database
from tollkey.db.file_lock import lock_file
from tollkey.db.ids import RandomPool
from tollkey.db.opening import sqlite_file
from tollkey.db.sqlite_connection import create_shrinking
from tollkey.keys import audit, fingerprints, schema
from tollkey.keys.actors import SYSTEM
from tollkey.keys.attempts import Attempts
from tollkey.keys.authority import Authority
from tollkey.keys.fingerprints import KeyringSource
from tollkey.keys.keyring import Keyring
from tollkey.keys.lease import Lease
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.sealed import SealedStorage
from tollkey.keys.usage import UsageCounter
from tollkey.keys.verifier import Verifier
from tollkey.payments.balance import topups
from tollkey.payments.methods import external_accounts
from tollkey.payments.processors import backends
from tollkey.platform._contents import move_in
from tollkey.platform.connections import platform_of
from tollkey.platform.events import record_event
from tollkey.platform.merchants import Merchant, create_merchant, first_merchant, merchants
from tollkey.platform.request_logs import MIGRATION as REQUEST_LOGS
from tollkey.settings import Settings
from tollkey.upstream import caps
from tollkey.wire import ApiError, Call, Resource, hosted, idempotency, jobs
from tollkey.wire.call import Setup
from tollkey.wire.resealing import SealedFields
from tollkey.wire.resource import Catalogue, MoreEndpoints, join_endpoints
from tollkey.wire.rewriting import rewrite_old
from tollkey.wire.services import Services
from tollkey.wire.tables import Tables
from tollkey.wire.versions import read_version

#: File name of the keyring in the data folder.
KEYRING = "keyring.json"
#: File name of the request logs in the data folder, next to an SQLite database.
REQUESTS = "requests.db"


def public_modules(*packages: ModuleType) -> Iterator[ModuleType]:
    """Import the modules of these packages, recursively and in order of name, except those that begin with "_"."""
    for package in packages:
        yield from map(importlib.import_module, _public_names(package.__name__, tuple(package.__path__)))


@cache
def _public_names(package: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a package's public modules in order; the folders are read once a process."""
    found = sorted(module.name for module in pkgutil.walk_packages(path, package + "."))
    return tuple(name for name in found if not any(part.startswith("_") for part in name.split(".")))


def gather(*packages: ModuleType) -> tuple[Resource, ...]:
    """Every ``Resource`` that modules of these packages define, with the ``MoreEndpoints`` declared for it."""
    found = [value for module in public_modules(*packages) for value in vars(module).values()]
    once = {id(value): value for value in found if isinstance(value, Resource | MoreEndpoints)}.values()
    resources = tuple(value for value in once if isinstance(value, Resource))
    return join_endpoints(resources, tuple(value for value in once if isinstance(value, MoreEndpoints)))


def gather_migrations(*packages: ModuleType) -> tuple[Migration, ...]:
    """Every ``MIGRATION`` that modules of these packages define."""
    found = (getattr(module, "MIGRATION", None) for module in public_modules(*packages))
    return tuple(dict.fromkeys(migration for migration in found if isinstance(migration, Migration)))


@dataclass
class Core:
    """Storage, keys and resources, without a network. Shared by the command line and the server.

    logs: the database that request logs are written to; they are always read through ``database``.
    attempts: counts refused keys and failed sign-ins. now: returns UTC epoch seconds.
    """

    settings: Settings
    database: Database
    logs: Database
    catalogue: Catalogue
    authority: Authority
    verifier: Verifier
    attempts: Attempts
    setup: Setup
    now: Callable[[], float]

    def call(self, tx: Tx, scope: Scope, now: int | None = None) -> Call:
        """Create a call without a request, for jobs and commands. now: UTC epoch seconds; None for the current time."""
        return Call(self.setup, tx, scope, int(self.now()) if now is None else now, platform=platform_of(tx, scope))

    def close(self) -> None:
        """Close the databases."""
        self.database.close()
        self.logs.close()


@contextmanager
def sole_server(settings: Settings) -> Iterator[None]:
    """Lock the SQLite files for one server, within a ``with`` block.

    Commands can still use them. PostgreSQL needs no lock. Raises InUse, which names the other process, and OSError.
    """
    with ExitStack() as held:
        if not settings.in_postgres:
            data, database = Path(settings.data), sqlite_file(settings.database_url)
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            database.parent.mkdir(parents=True, exist_ok=True)
            for file in (database, data / REQUESTS):
                held.enter_context(lock_file(file))
        yield


def set_aside_damaged_logs(settings: Settings) -> Path | None:
    """Rename request logs that SQLite cannot read, and return their new path; None when they are not damaged.

    A server that holds the lock of ``sole_server`` calls it: logs are not worth a server that does not start.
    Raises OSError, StorageError.
    """
    file = Path(settings.data) / REQUESTS
    if settings.in_postgres or not file.exists():
        return None
    try:
        opened = SQLite(file, durable=False)
        try:
            opened.read(lambda tx: tx.execute("SELECT count(*) FROM sqlite_master"))
            migrate(opened, [REQUEST_LOGS])
        finally:
            opened.close()
    except StorageError as error:
        if getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF not in (SQLITE_CORRUPT, SQLITE_NOTADB):
            raise
    else:
        return None
    aside = next(path for number in count(1) if not (path := file.with_name(f"{REQUESTS}.damaged-{number}")).exists())
    for ending in ("-wal", "-shm", ""):
        part = file.with_name(REQUESTS + ending)
        if part.exists():
            part.rename(f"{aside}{ending}")
    return aside


def _check_version(settings: Settings) -> None:
    """Raise ValueError when the default API version was never published."""
    try:
        read_version(settings.default_version, frozenset(settings.later_versions.split()))
    except ApiError as error:
        raise ValueError(f"the setting default_version: {error.message}") from None


def open_core(
    settings: Settings,
    now: Callable[[], float] = time.time,
    ids: Ids | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Core:
    """Open the database, run its migrations and create the core.

    now: returns UTC epoch seconds. ids: generates ids; None for random ones. monotonic: a monotonic clock, in seconds.
    Raises StorageError, KeyringError or OSError when something cannot be opened, ValueError for an unknown version.
    """
    _check_version(settings)
    ids = ids or Ids(RandomPool(), now)
    log_file, database = _open_databases(settings, ids)
    try:
        return _create_core(settings, database, log_file, ids, now, monotonic)
    except BaseException:
        _close(database, log_file)
        raise


def create_tables(settings: Settings, progress: migrating.Progress = lambda line: None) -> None:
    """Create or migrate the tables of a database, however large, without creating anything in them.

    progress: told what is done. Raises what ``open_core`` raises.
    """
    log_file, database = _open_databases(settings, Ids())
    try:
        tables = Tables(Catalogue(gather(tollkey.platform, tollkey.payments)))
        migrating.run(database, _migrations(log_file), list(tables.of.values()), progress)
    finally:
        _close(database, log_file)


def newer_steps(marks: Iterable[tuple[str, int]]) -> list[str]:
    """Return which of the steps that a database has this version does not know: a newer one has migrated it.

    marks: rows of its table of migrations, modules and numbers.
    """
    rewrites = {f"rewrite {one.object}": len(one.rewrites) for one in gather(tollkey.platform, tollkey.payments)}
    known = rewrites | {one.module: len(one.statements) for one in _migrations(None)}
    return sorted(f"{module} {number}" for module, number in marks if number >= known.get(module, 0))


def pending_migration(settings: Settings) -> migrating.Plan:
    """Return what the tables of a database lack. Raises what ``open_core`` raises."""
    log_file, database = _open_databases(settings, Ids())
    try:
        tables = Tables(Catalogue(gather(tollkey.platform, tollkey.payments)))
        return database.read(lambda tx: migrating.find(tx, _migrations(log_file), tables.of.values()))
    finally:
        _close(database, log_file)


def _open_databases(settings: Settings, ids: Ids) -> tuple[SQLite | None, Database]:
    """Open the file of the request logs, None on PostgreSQL, and the database."""
    data = Path(settings.data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not settings.in_postgres:
        create_shrinking(data / REQUESTS)
    log_file = None if settings.in_postgres else SQLite(data / REQUESTS, ids.text(12), durable=False)
    try:
        if log_file is not None:
            migrate(log_file, [REQUEST_LOGS])
        beside = log_file.path if log_file is not None else None
        return log_file, open_database(
            settings.database_url, ids.text(12), settings.pool_size, beside, settings.bounds, settings.direct_database
        )
    except BaseException:
        _close(log_file)
        raise


def _close(*databases: Database | None) -> None:
    for database in databases:
        if database is not None:
            database.close()


def _migrations(log_file: SQLite | None) -> list[Migration]:
    """The migrations of all modules whose tables are not in the file of the request logs."""
    gathered = gather_migrations(tollkey.platform, tollkey.payments)
    return [
        *schema.MIGRATIONS, ledger.MIGRATION, outbox.MIGRATION, jobs.MIGRATION, idempotency.MIGRATION, hosted.MIGRATION,
        dashboard.MIGRATION, *upstream.MIGRATIONS, *(m for m in gathered if log_file is None or m is not REQUEST_LOGS),
    ]  # fmt: skip


def _migrate(settings: Settings, database: Database, log_file: SQLite | None, tables: Tables) -> None:
    """Migrate the tables as far as the setting allows. Raises NeedsMigration."""
    migrations, objects = _migrations(log_file), list(tables.of.values())
    plan = database.read(lambda tx: migrating.find(tx, migrations, objects))
    steps = len(plan.lines())
    if steps and (settings.migrate == "never" or (settings.migrate == "small" and not plan.small)):
        raise migrating.NeedsMigration(
            f"the database needs `tollkey migrate` first ({steps} steps: `tollkey migrate --plan` lists them)"
        )
    if steps:
        migrating.run(database, migrations, objects)


def _create_core(
    settings: Settings,
    database: Database,
    log_file: SQLite | None,
    ids: Ids,
    now: Callable[[], float],
    monotonic: Callable[[], float],
) -> Core:
    data = Path(settings.data)
    catalogue = Catalogue(gather(tollkey.platform, tollkey.payments))
    tables = Tables(catalogue)
    _migrate(settings, database, log_file, tables)
    permissions = PermissionCatalogue((*catalogue.permissions(), *upstream.FURTHER.values()))
    move_in(database, data / "files")
    keyring = fingerprints.load_keyring(database, keyring_source(settings))
    for guard in (audit.guard, dashboard.protect_log):
        database.write(partial(guard, keyring=keyring, now=int(now())), lock="migrate")
    rewrite_old(database, tables, keyring)
    authority = Authority(keyring, permissions, ids, check_metadata=caps.check)
    counter = UsageCounter(raw_days=settings.log_days)
    lease = Lease(settings.lease_seconds)
    verifier = Verifier(keyring, permissions, lease=lease, monotonic=monotonic, usage=counter)
    verifier.attach(database)
    attempts = Attempts(settings.refusal_seconds, days=settings.log_days)
    services = Services(authority, settings, attempts, external_accounts.external_account, external_accounts.set_status)
    base_url = settings.base_url or f"{settings.scheme}://{settings.host}:{settings.port}"
    setup = Setup(tables, ids, record_event, services, base_url=base_url, provided=backends.provided)
    return Core(settings, database, log_file or database, catalogue, authority, verifier, attempts, setup, now)


def configured_keyring(settings: Settings) -> Keyring | str | None:
    """The keyring that the environment holds, or the path of the one that it names; None if it does neither.

    Raises ValueError when two are configured, and KeyringError for an invalid one.
    """
    if settings.keyring and settings.keyring_file:
        raise ValueError("TOLLKEY_KEYRING and TOLLKEY_KEYRING_FILE are both set; set only one of them")
    if settings.keyring:
        return Keyring.from_text(settings.keyring, "TOLLKEY_KEYRING")
    return settings.keyring_file or None


def keyring_source(settings: Settings) -> KeyringSource:
    """The source of the keyring: the environment, a configured file, or the data folder.

    Raises ValueError when two are configured, and KeyringError for an invalid one.
    """
    configured = configured_keyring(settings)
    if isinstance(configured, str):
        return KeyringSource(configured, Path(configured))
    if configured is not None:
        return KeyringSource("in TOLLKEY_KEYRING", given=configured)
    return KeyringSource.file(Path(settings.data) / KEYRING)


def sealings(core: Core) -> tuple[SealedStorage, ...]:
    """Every place that stores sealed values, as packages and resources declare them."""
    tables, sealing = core.setup.tables.of, (one for one in core.catalogue.resources if one.sealed)
    fields = (SealedFields(one.object, tables[one.object].table, one.sealed) for one in sealing)
    return (*schema.SEALED, *dashboard.SEALED, *upstream.SEALED, *backends.SEALED, *fields)


def ensure_first_account(core: Core) -> Merchant:
    """The first account of this server. Created with its four default keys at the first start."""

    def find_or_create(tx: Tx) -> Merchant:
        found = first_merchant(tx)
        if found is not None:
            return found
        merchant = create_merchant(
            core.call(tx, Scope("", False)), core.authority, name="Test account", email=None, country="US"
        )
        topups.grant_test_funds(core.call(tx, Scope(merchant.id, False)), core.settings.test_funds)
        return merchant

    return core.database.write(find_or_create, lock="merchants")


def is_account(tx: Tx, scope: Scope) -> bool:
    """Return whether there is an account: one of this server, or one that is connected to one."""
    return platform_of(tx, scope) is not None or any(one.id == scope.account for one in merchants(tx))


def owner_link(core: Core, account: str, base_url: str | None = None) -> dashboard.Link | None:
    """Create a one-time link for becoming the owner of an account; None when it has one.

    base_url: of the server; None for the configured one.
    """
    keyring, ids, now, base = core.authority.keyring, core.setup.ids, int(core.now()), base_url or core.setup.base_url
    return core.database.write(lambda tx: dashboard.owner_link(tx, keyring, ids, base, account, now), lock="merchants")


def test_pair(core: Core, account: str) -> tuple[str, str]:
    """The publishable and the secret default test key of an account, as text. A deleted one is created again."""

    def find_or_create(tx: Tx) -> tuple[str, str]:
        now = int(core.now())
        texts = core.authority.default_test_texts(tx, account, now)
        if len(texts) < 2:
            core.authority.create_defaults(tx, account, actor=SYSTEM, now=now)
            texts = core.authority.default_test_texts(tx, account, now)
        return texts["publishable"], texts["secret"]

    return core.database.write(find_or_create, lock="merchants")
