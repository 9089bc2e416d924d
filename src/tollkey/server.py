"""The one composition root: from settings to a running server. Nothing else builds parts for others."""

from __future__ import annotations

import asyncio
import importlib
import logging
import pkgutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

import tollkey.payments
import tollkey.platform
from tollkey import USER_AGENT, dashboard, keys, ledger, outbox
from tollkey.db import (
    Database,
    Edge,
    Ids,
    Migration,
    Scope,
    SQLite,
    Tx,
    edge_for,
    lock_file,
    migrate,
    open_database,
    sqlite_file,
)
from tollkey.payments.balance import topups
from tollkey.payments.methods import ephemeral_keys, external_accounts
from tollkey.platform import timed
from tollkey.platform._contents import move_in
from tollkey.platform.cli_socket import CliSocket, no_socket
from tollkey.platform.connections import platform_of
from tollkey.platform.events import record_event
from tollkey.platform.merchants import Merchant, create_merchant, first_merchant
from tollkey.platform.request_logs import MIGRATION as REQUEST_LOGS
from tollkey.platform.request_logs import Buffer
from tollkey.platform.webhook_endpoints import lookup
from tollkey.settings import Settings
from tollkey.wire import (
    Brake,
    Call,
    Catalogue,
    MoreEndpoints,
    Policy,
    Resource,
    Service,
    Setup,
    Tables,
    WireApp,
    hosted,
    idempotency,
    join_endpoints,
)
from tollkey.wire import due as due_work
from tollkey.wire.resealing import SealedFields
from tollkey.wire.rewriting import rewrite_old
from tollkey.wire.services import Services

log = logging.getLogger("tollkey")

#: The file of the key material, in the data folder.
KEYRING = "keyring.json"
#: The file of the request logs there, beside an SQLite database.
REQUESTS = "requests.db"
_TICK_SECONDS = 0.5
_FLUSH_SECONDS = 0.5
_LOG_PAUSE_SECONDS = 0.002  # after a long request was redacted
_TIDY_SECONDS = 600.0


def public_modules(*packages: ModuleType) -> Iterator[ModuleType]:
    """The modules of these packages and below, in order of name, without those whose name begins with an underscore."""
    for package in packages:
        for found in sorted(pkgutil.walk_packages(package.__path__, package.__name__ + "."), key=lambda m: m.name):
            if not any(part.startswith("_") for part in found.name.split(".")):
                yield importlib.import_module(found.name)


def gather(*packages: ModuleType) -> tuple[Resource, ...]:
    """Every ``Resource`` that the modules of these packages define, in order of module name, with ``MoreEndpoints``
    joined to it.
    """
    found = [value for module in public_modules(*packages) for value in vars(module).values()]
    once = {id(value): value for value in found if isinstance(value, Resource | MoreEndpoints)}.values()
    resources = tuple(value for value in once if isinstance(value, Resource))
    return join_endpoints(resources, tuple(value for value in once if isinstance(value, MoreEndpoints)))


def gather_migrations(*packages: ModuleType) -> tuple[Migration, ...]:
    """Every ``MIGRATION`` of the modules of these packages."""
    found = (getattr(module, "MIGRATION", None) for module in public_modules(*packages))
    return tuple(dict.fromkeys(migration for migration in found if isinstance(migration, Migration)))


@dataclass
class Core:
    """Storage, keys and resources, without a network: what the command line and the server share.

    logs: where request logs are written; they are read through ``database``, whichever it is.
    attempts: counts refused keys and failed sign-ins.
    """

    settings: Settings
    database: Database
    logs: Database
    catalogue: Catalogue
    authority: keys.Authority
    verifier: keys.Verifier
    attempts: keys.Attempts
    setup: Setup
    now: Callable[[], float]

    def call(self, tx: Tx, scope: Scope, now: int | None = None) -> Call:
        """A call of our own, without a request: background work, the command line, the Dashboard."""
        return Call(self.setup, tx, scope, int(self.now()) if now is None else now, platform=platform_of(tx, scope))

    def close(self) -> None:
        """Let go of the databases."""
        self.database.close()
        self.logs.close()


@contextmanager
def sole_server(settings: Settings) -> Iterator[None]:
    """While it lasts, no other server serves these SQLite files; commands may go on using them. Nodes on PostgreSQL
    share it.

    Raises InUse, which names the other process, and OSError.
    """
    with ExitStack() as held:
        if not settings.in_postgres:
            data, database = Path(settings.data), sqlite_file(settings.database_url)
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            database.parent.mkdir(parents=True, exist_ok=True)
            for file in (database, data / REQUESTS):
                held.enter_context(lock_file(file))
        yield


def open_core(
    settings: Settings,
    now: Callable[[], float] = time.time,
    ids: Ids | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Core:
    """Open the database, bring it up to date and put the parts together.

    Raises StorageError, KeyringError or OSError when something cannot be opened.
    """
    ids = ids or Ids(now=now)
    data = Path(settings.data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = None if settings.in_postgres else SQLite(data / REQUESTS, ids.text(12), durable=False)
    database = None
    try:
        if beside is not None:
            migrate(beside, [REQUEST_LOGS])
        database = open_database(
            settings.database_url, ids.text(12), settings.pool_size, beside.path if beside is not None else None
        )
        return _put_together(settings, database, beside, ids, now, monotonic)
    except BaseException:
        for opened in (database, beside):
            if opened is not None:
                opened.close()
        raise


def _put_together(
    settings: Settings,
    database: Database,
    beside: SQLite | None,
    ids: Ids,
    now: Callable[[], float],
    monotonic: Callable[[], float],
) -> Core:
    data = Path(settings.data)
    catalogue = Catalogue(gather(tollkey.platform, tollkey.payments))
    migrate(
        database,
        [
            *keys.MIGRATIONS, ledger.MIGRATION, outbox.MIGRATION, due_work.MIGRATION, idempotency.MIGRATION,
            hosted.MIGRATION,
            dashboard.MIGRATION,
            *(m for m in gather_migrations(tollkey.platform,
            tollkey.payments) if beside is None or m is not REQUEST_LOGS),
        ],
    )  # fmt: skip
    tables = Tables(catalogue)
    database.write(tables.prepare, lock="migrate")
    permissions = keys.Catalogue(catalogue.permissions())
    move_in(database, data / "files")
    keyring = keys.fingerprints.load_keyring(database, keyring_source(settings))
    for guard in (keys.guard, dashboard.protect_log):
        database.write(partial(guard, keyring=keyring, now=int(now())), lock="migrate")
    rewrite_old(database, tables, keyring)
    authority = keys.Authority(keyring, permissions, ids)
    verifier = keys.Verifier(keyring, permissions, lease=keys.Lease(settings.lease_seconds), monotonic=monotonic)
    verifier.attach(database)
    attempts = keys.Attempts(settings.refusal_seconds, days=settings.log_days)
    services = Services(authority, settings, attempts, external_accounts.external_account)
    base_url = settings.base_url or f"http://{settings.host}:{settings.port}"
    setup = Setup(tables, ids, record_event, services, base_url=base_url)
    return Core(settings, database, beside or database, catalogue, authority, verifier, attempts, setup, now)


def keyring_source(settings: Settings) -> keys.KeyringSource:
    """Where a server's key material comes from: the environment, a file that is named, or the data folder.

    Raises ValueError, KeyringError.
    """
    if settings.keyring and settings.keyring_file:
        raise ValueError("TOLLKEY_KEYRING and TOLLKEY_KEYRING_FILE are both set: only one of them can count")
    if settings.keyring:
        return keys.KeyringSource(
            "in TOLLKEY_KEYRING", given=keys.Keyring.from_text(settings.keyring, "TOLLKEY_KEYRING")
        )
    if settings.keyring_file:
        return keys.KeyringSource(settings.keyring_file, Path(settings.keyring_file))
    return keys.KeyringSource.file(Path(settings.data) / KEYRING)


def sealings(core: Core) -> tuple[keys.SealedStorage, ...]:
    """Everything that holds sealed texts, as the rooms and resources declare it."""
    tables, sealing = core.setup.tables.of, (one for one in core.catalogue.resources if one.sealed)
    fields = (SealedFields(one.object, tables[one.object].table, one.sealed) for one in sealing)
    return (*keys.SEALED, *dashboard.SEALED, *fields)


def ensure_first_account(core: Core) -> Merchant:
    """The account that this server began with; made, with its four keys, at the first start."""

    def work(tx: Tx) -> Merchant:
        found = first_merchant(tx)
        if found is not None:
            return found
        made = create_merchant(
            core.call(tx, Scope("", False)), core.authority, name="Test account", email=None, country="US"
        )
        topups.grant_test_funds(core.call(tx, Scope(made.id, False)), core.settings.test_funds)
        return made

    return core.database.write(work, lock="merchants")


def owner_link(core: Core, account: str, base_url: str | None = None) -> dashboard.Link | None:
    """A new one-time link where a person becomes the owner; None once there is one.

    base_url: instead of the settings' address.
    """
    keyring, ids, now, base = core.authority.keyring, core.setup.ids, int(core.now()), base_url or core.setup.base_url
    return core.database.write(lambda tx: dashboard.owner_link(tx, keyring, ids, base, account, now), lock="merchants")


def test_pair(core: Core, account: str) -> tuple[str, str]:
    """The publishable and the secret default test key of an account, in full: test keys stay revealable.

    An account always has its default keys: one that was deleted is made anew.
    """

    def work(tx: Tx) -> tuple[str, str]:
        now = int(core.now())
        texts = core.authority.default_test_texts(tx, account, now)
        if len(texts) < 2:
            core.authority.create_defaults(tx, account, actor=keys.SYSTEM, now=now)
            texts = core.authority.default_test_texts(tx, account, now)
        return texts["publishable"], texts["secret"]

    return core.database.write(work, lock="merchants")


@dataclass
class Server:
    """A server that can be started in an event loop and stopped again."""

    core: Core
    edge: Edge
    service: Service
    app: Any
    deliverer: outbox.Deliverer
    http: httpx.AsyncClient
    log: Buffer
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Begin the background work: key usage, what is due, webhooks."""
        await self.edge.start()
        self._tasks = [asyncio.create_task(work) for work in (self._flush(), self._do_due(), self._tidy())]
        self._tasks.append(asyncio.create_task(self.deliverer.run(self._stopping)))

    async def stop(self) -> None:
        """Finish what was answered, write what is in memory, close the database."""
        self._stopping.set()
        for task in self._tasks[:-1]:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        try:
            await self._write_memory()
        except Exception:  # the disk has failed, perhaps; what is left of the server is put away all the same
            log.exception("what was in memory was not written")
        await self.http.aclose()
        await self.edge.stop()
        self.core.close()

    async def _every(self, seconds: float, work: Callable[[], Any]) -> None:
        while not self._stopping.is_set():
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception:
                log.exception("background work failed; it is tried again")

    async def _write_memory(self) -> None:
        if self.core.verifier.unwritten:
            while await self.edge.write(self.core.verifier.flush) == keys.FLUSH_MOST:
                pass  # requests go between
        if self.core.attempts.unwritten:
            await self.edge.write(self.core.attempts.flush)
        while self.log.waiting:
            await asyncio.to_thread(self.log.flush, self.core.logs)

    async def _flush(self) -> None:
        await self._every(_FLUSH_SECONDS, self._write_memory)

    async def _do_due(self) -> None:
        async def work() -> None:
            while await run_due(self.core, self.edge) and not self._stopping.is_set():
                await asyncio.sleep(
                    0
                )  # work that comes in pieces (a test clock that advances) goes on at once; requests go between

        await self._every(_TICK_SECONDS, work)

    async def _tidy(self) -> None:
        core = self.core
        await self._every(
            _TIDY_SECONDS, lambda: timed.tidy(self.edge, core.logs, int(core.now()), core.settings.log_days)
        )


async def run_due(core: Core, edge: Edge) -> int:
    """Do what is due on real time, and return how many pieces this node claimed; see ``platform.timed``."""
    return await timed.do_what_is_due(core.setup, edge, int(core.now()))


def build(core: Core, http: httpx.AsyncClient | None = None) -> Server:
    """A server around a core. Must be called within the event loop that will run it.

    http: what webhooks are sent with, for tests that must not look for hosts that are not there.
    """
    settings = core.settings
    edge = edge_for(core.database, on_alive=core.verifier.lease.renew)
    limiter = keys.RateLimiter(settings.rate_limit, settings.rate_limit) if settings.rate_limit else None
    brake = core.setup.services.brake = Brake(settings.guess_limit) if settings.guess_limit else None
    policy = Policy(
        connected=lambda tx, scope, account: core.setup.tables.of["account"].get(tx, scope, account) is not None,
        platform_of=platform_of,
        require_https=settings.require_https,
        dashboard_url=core.setup.base_url,
        limit=(lambda key: limiter.allow(key.id, core.now())) if limiter else None,
        brake=brake,
        later_versions=frozenset(settings.later_versions.split()),
        refused=core.attempts.count_denied,
        special_keys=lambda tx, text, now: ephemeral_keys.verify(core.setup.tables, core.authority, tx, text, now),
    )
    log_buffer = Buffer(pause=lambda: time.sleep(_LOG_PAUSE_SECONDS))
    service = Service(core.setup, edge, core.verifier, policy, core.now, log_buffer)
    http = http or httpx.AsyncClient(follow_redirects=False, timeout=20)
    deliverer = outbox.Deliverer(
        edge, http, core.now, lambda tx, scope, id: lookup(core.setup.tables, core.authority.keyring, tx, scope, id),
        headers={"User-Agent": USER_AGENT}, ids=core.setup.ids,
    )  # fmt: skip
    core.setup.services.wake = deliverer.wake
    wire = WireApp(service, settings.trust_proxy)
    cli = CliSocket(
        edge, core.setup.tables, core.authority, core.now,
        trust_proxy=settings.trust_proxy, require_https=settings.require_https, brake=brake,
    )  # fmt: skip
    pages = dashboard.Dashboard(
        core.setup, edge, core.authority, core.now,
        trust_proxy=settings.trust_proxy, base_url=settings.base_url, listens=settings.host,
        require_https=settings.require_https,
    )  # fmt: skip
    return Server(core, edge, service, Front(wire, pages, cli, _api_paths(core.catalogue)), deliverer, http, log_buffer)


class Front:
    """The ASGI application of a whole server: the wire, the Dashboard, and the Stripe CLI's socket.

    api: how the wire's paths begin.
    """

    def __init__(self, wire: WireApp, pages: dashboard.Dashboard, cli: CliSocket, api: tuple[str, ...]) -> None:
        self._wire, self._pages, self._cli, self._api = wire, pages, cli, api
        self.at_once = wire.at_once

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await (self._cli if scope["path"] == self._cli.path else no_socket)(scope, receive, send)
        elif scope["path"].startswith(self._api) or any(name == b"authorization" for name, _ in scope["headers"]):
            await self._wire(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def _api_paths(catalogue: Catalogue) -> tuple[str, ...]:
    """How the paths begin that the wire answers: the API's, and those of pages for people without an account here
    (``wire.hosted``).
    """
    public = (endpoint.path for resource in catalogue.resources for endpoint in resource.endpoints if endpoint.public)
    return ("/v1/", "/v2/", *dict.fromkeys(path.partition("{")[0] for path in public))
