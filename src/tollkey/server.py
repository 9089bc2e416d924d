"""The server: a core with its ASGI application and background tasks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from tollkey import USER_AGENT, dashboard, outbox, upstream
from tollkey.core import Core, is_account
from tollkey.db.edge import Edge, edge_for
from tollkey.health import Health, unready
from tollkey.keys.usage import SLOTS_AT_ONCE
from tollkey.keys.verifier import FLUSH_MOST
from tollkey.outbox.connections import Poster, usual
from tollkey.payments.methods import claims
from tollkey.payments.processors import notices as told
from tollkey.payments.processors import serving, vault
from tollkey.payments.usage import sessions
from tollkey.platform import background
from tollkey.platform.cli_socket import CliSocket, no_socket
from tollkey.platform.connections import platform_of
from tollkey.platform.request_log_buffer import Buffer
from tollkey.platform.webhook_endpoints import lookup, targets
from tollkey.settings import Settings
from tollkey.stripejs import StripeJs
from tollkey.upstream.events import PATH as EVENTS
from tollkey.wire.app import WireApp
from tollkey.wire.guesses import GuessLimiter
from tollkey.wire.owners import Owners
from tollkey.wire.policy import Policy
from tollkey.wire.rates import RequestRate
from tollkey.wire.resource import Catalogue
from tollkey.wire.reveals import Reveals
from tollkey.wire.service import Service

if TYPE_CHECKING:
    from tollkey.keys.notices import Notices
    from tollkey.payments.processors.sending import Sender
    from tollkey.payments.processors.vault import Vault

log = logging.getLogger("tollkey")

_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})
_TICK_SECONDS = 0.5  # between two looks for jobs that are due
_FLUSH_SECONDS = 0.5  # between two writes of buffered data
_INDEX_SECONDS = 1.0  # between two looks for request logs to index
_COUNTS_SECONDS = 0.5  # how long counted requests are written before last uses come again
_LOG_PAUSE_SECONDS = 0.002  # after a long request was redacted
_ROTATION_SECONDS = 60.0  # between two looks for keys to roll
_NOTICES_SECONDS = 5.0  # between two looks for what notices are about
_CATCH_UP_SECONDS = 60.0  # between two looks for events of upstream accounts that did not arrive
_VAULT_SECONDS = 1.0  # between two looks for numbers of cards that nobody needs any more
_NOTICED_SECONDS = 30.0  # between two looks for what processors tell by themselves
_EXPIRED_SECONDS = 600.0  # between two deletions of expired data


@dataclass
class Server:
    """A server: the ASGI application (``app``) and its background tasks."""

    core: Core
    edge: Edge
    service: Service
    app: Any
    deliverer: outbox.Deliverer
    http: Poster
    log: Buffer
    rate: RequestRate
    gateway: upstream.Gateway
    events: upstream.Events
    sender: Sender
    vault: Vault | None = None
    notices: Notices | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _sending: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def route_of(self, method: str, path: str) -> str:
        """Return the declared path of a request's endpoint, ``/v1`` for an unknown one there, else an empty text."""
        hit = self.service.router.find(method, path)
        return hit[0].endpoint.path if hit is not None else "/v1" if path.startswith("/v1/") else ""

    async def start(self) -> None:
        """Start the background tasks: use of keys, request logs, jobs, rotation of keys, expired data, webhooks."""
        await self.edge.start()
        tasks = (
            self._flush(),
            self._index_logs(),
            self._run_jobs(),
            self._rotate_keys(),
            self._delete_expired(),
            self._catch_up(),
            self._ask_processors(),
            self._read_notices(),
            self._tidy_vault(),
        )
        self._tasks = [asyncio.create_task(task) for task in tasks]
        self._sending = [asyncio.create_task(self.deliverer.run(self._stopping))]
        if self.notices is not None:
            self._sending.append(asyncio.create_task(self._send_notices(self.notices)))

    def drain(self) -> None:
        """Start no more background work and send no more webhooks, as the server is about to stop."""
        self._stopping.set()

    async def stop(self) -> None:
        """Stop the background tasks, write what is buffered in memory, close the database."""
        self._stopping.set()
        if self.notices is not None:
            self.notices.stop()
        for task in self._tasks:
            task.cancel()
        for task in (*self._tasks, *self._sending):  # what is being sent is recorded before the database is closed
            with suppress(asyncio.CancelledError):
                await task
        try:
            await self.sender.stop()
            await self.gateway.stop()
            await self._write_buffers()
            if self.vault is not None:
                await self.vault.stop()
        except Exception:  # the disk may have failed; the rest is closed all the same
            log.exception("buffered data was not written")
        await self.http.aclose()
        await self.edge.stop()
        self.core.close()

    async def _every(self, seconds: float, callback: Callable[[], Any]) -> None:
        while not self._stopping.is_set():
            await asyncio.sleep(seconds)
            try:
                await callback()
            except Exception:
                log.exception("a background task failed and will be retried")

    async def _write_buffers(self) -> None:
        await background.each_of(
            self._write_uses, self._write_counts, self._exchange_rates, self._write_attempts, self._write_logs,
            self.gateway.flush,
        )  # fmt: skip

    async def _write_uses(self) -> None:
        if self.core.verifier.unwritten:
            while await self.edge.write(self.core.verifier.flush) == FLUSH_MOST:
                pass  # one transaction per batch, so that requests are handled in between
        addresses, most = self.core.verifier.addresses, FLUSH_MOST
        while addresses.unwritten and await self.edge.write(lambda tx: addresses.flush(tx, most)) == most:
            pass

    async def _write_counts(self) -> None:
        usage, ends = self.core.verifier.usage, time.monotonic() + _COUNTS_SECONDS
        while usage.unwritten and await self.edge.write(usage.flush) == SLOTS_AT_ONCE:
            if time.monotonic() > ends and not self._stopping.is_set():
                break  # what is left waits for the next time, so that last uses do not wait for it

    async def _exchange_rates(self) -> None:
        if self.rate.unwritten:
            while await self.edge.write(self.rate.exchange):
                pass

    async def _write_attempts(self) -> None:
        if self.core.attempts.unwritten:
            await self.edge.write(self.core.attempts.flush)

    async def _write_logs(self) -> None:
        while self.log.waiting:
            await asyncio.to_thread(self.log.write, self.log.take(), self.core.logs)

    async def _flush(self) -> None:
        await self._every(_FLUSH_SECONDS, self._write_buffers)

    async def _index_logs(self) -> None:
        core, log = self.core, self.log
        await self._every(_INDEX_SECONDS, lambda: background.index_logs(core.logs, core.now, lambda: log.busy))

    async def _run_jobs(self) -> None:
        async def run_all() -> None:
            # Some jobs schedule a next step that is due at once, such as a test clock that advances.
            while await run_due(self.core, self.edge) and not self._stopping.is_set():
                await asyncio.sleep(0)  # let requests be handled in between

        await self._every(_TICK_SECONDS, run_all)

    async def _rotate_keys(self) -> None:
        core = self.core
        days = core.settings.rotation_grace_days
        await self._every(
            _ROTATION_SECONDS, lambda: background.rotate_keys(self.edge, core.authority, int(core.now()), days)
        )

    async def _send_notices(self, notices: Notices) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _NOTICES_SECONDS)
                return
            await asyncio.to_thread(notices.try_step)

    async def _catch_up(self) -> None:
        await self._every(_CATCH_UP_SECONDS, self.events.catch_up)

    async def _ask_processors(self) -> None:
        await self._every(_TICK_SECONDS, self.sender.tick)

    async def _read_notices(self) -> None:
        await self._every(_NOTICED_SECONDS, self.sender.read_notices)

    async def _tidy_vault(self) -> None:
        if self.vault is not None:
            await self._every(_VAULT_SECONDS, self.vault.tidy)

    async def _delete_expired(self) -> None:
        core, settings = self.core, self.core.settings
        kept = background.Kept(settings.log_days, settings.event_days, settings.delivery_days)

        async def delete() -> None:
            await background.each_of(
                lambda: background.delete_expired(self.edge, core.logs, int(core.now()), kept),
                lambda: self.gateway.tidy(settings.log_days),
                lambda: told.tidy(self.edge, int(core.now()), settings.attempt_days),
                self._sweep_vault,
            )

        await self._every(_EXPIRED_SECONDS, delete)

    async def _sweep_vault(self) -> None:
        if self.vault is not None:
            await self.vault.sweep(self.core.setup.tables, is_account)


def method_label(method: str) -> str:
    """Return a method as metrics and traces name it: what HTTP does not define is ``_OTHER`` (OpenTelemetry)."""
    return method if method in _METHODS else "_OTHER"


async def run_due(core: Core, edge: Edge) -> int:
    """Run the jobs that are due. Returns how many this node claimed."""
    return await background.run_due_jobs(core.setup, edge, int(core.now()))


def build(core: Core, http: Poster | None = None) -> Server:
    """Create the server for a core. Must be called in the event loop that will run it.

    http: sends webhooks; None for the usual one.
    Raises ValueError, OSError for notices that cannot be sent as configured; VaultRefused, KeyringError; StorageError.
    """
    settings = core.settings
    edge = edge_for(core.database, on_alive=core.verifier.lease.renew)
    rate = RequestRate(settings.test_rate_limit, settings.live_rate_limit, core.database, core.now)
    guess_limiter = core.setup.services.guess_limiter = (
        GuessLimiter(settings.guess_limit) if settings.guess_limit else None
    )
    http = http or usual()
    upstreams = upstream.Upstreams(core.database, core.authority.keyring, core.verifier.heard)
    operations = cache(lambda: upstream.Operations(core.catalogue))  # two megabytes that most servers do not need
    gateway = upstream.Gateway(
        edge, operations, Reveals(core.catalogue), upstreams, http, core.setup.ids, core.now, core.setup.base_url
    )
    kept = vault.of_server(core.database, edge, core.authority.keyring, core.setup.ids, core.now, settings)
    sender = serving.sender_of(
        edge, Owners(platform_of), core.call, core.authority.keyring, core.now, settings.request_seconds, kept
    )
    policy = Policy(
        connected=lambda tx, scope, account: core.setup.tables.of["account"].get(tx, scope, account) is not None,
        platform_of=platform_of,
        require_https=settings.require_https,
        dashboard_url=core.setup.base_url,
        limit=rate,
        guess_limiter=guess_limiter,
        default_version=settings.default_version,
        most_requests=settings.most_requests,
        request_seconds=settings.request_seconds,
        later_versions=frozenset(settings.later_versions.split()),
        refused=core.attempts.count_denied,
        elsewhere=gateway,
        outside=sender,
        apart=kept,
        special_keys={
            "ek": lambda tx, text, now: claims.verify(core.setup.tables, core.authority, tx, text, now),
            "token": lambda tx, text, now: sessions.verify(core.authority, tx, text, now),
        },
    )
    log_buffer = Buffer(pause=lambda: time.sleep(_LOG_PAUSE_SECONDS))
    service = Service(core.setup, edge, core.verifier, policy, core.now, log_buffer)
    deliverer = outbox.Deliverer(
        edge, http, core.now, lambda tx, scope, id: lookup(core.setup.tables, core.authority.keyring, tx, scope, id),
        headers={"User-Agent": USER_AGENT}, ids=core.setup.ids, limits=_limits(settings),
    )  # fmt: skip
    core.setup.services.wake = deliverer.wake
    wire = WireApp(service, settings.trust_proxy)
    cli = CliSocket(
        edge, core.setup.tables, core.authority, core.now, core.call,
        trust_proxy=settings.trust_proxy, require_https=settings.require_https, guess_limiter=guess_limiter,
    )  # fmt: skip
    pages = dashboard.Dashboard(
        dashboard.ForPayments(core.setup), edge, core.authority, core.now,
        trust_proxy=settings.trust_proxy, base_url=settings.base_url, listens=settings.host,
        require_https=settings.require_https,
    )  # fmt: skip
    notices = _notices(core, settings.notices_file) if settings.notices_file else None
    stopping = asyncio.Event()
    health = Health(lambda: "the server is stopping" if stopping.is_set() else unready(core.database))
    events = upstream.Events(
        edge, core.authority.keyring, http,
        lambda tx, scope, type, connected: [
            (home, target) for home, target, _ in targets(core.call(tx, scope), type, connected)
        ],
        deliverer.wake, core.now,
    )  # fmt: skip
    app = ServerApp(wire, pages, cli, _api_paths(core.catalogue), health, events)
    return Server(
        core,
        edge,
        service,
        app,
        deliverer,
        http,
        log_buffer,
        rate,
        gateway,
        events,
        sender,
        kept,
        notices,
        _stopping=stopping,
    )


def _notices(core: Core, file: str) -> Notices:
    """Import what sends notices only here: with httpx it takes 5 MB, and few servers send any."""
    room = import_module("tollkey.keys.notices")
    return cast("Notices", room.Notices.of_section(core, room.section_in(file), clock=core.now))


class ServerApp:
    """The ASGI application of a server: the API, the Dashboard, Stripe.js and the Stripe CLI's WebSocket.

    api: prefixes of the paths that the API handles. health: answers load balancers and orchestrators. events: receives
    those of upstream accounts.
    """

    def __init__(
        self, wire: WireApp, pages: dashboard.Dashboard, cli: CliSocket, api: tuple[str, ...], health: Health,
        events: upstream.Events,
    ) -> None:  # fmt: skip
        self._wire, self._pages, self._cli, self._api, self._health = wire, pages, cli, api, health
        self._events = events
        self._stripe_js = StripeJs()
        self.at_once, self.soon = wire.at_once, wire.soon

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await (self._cli if scope["path"] == self._cli.path else no_socket)(scope, receive, send)
        elif scope["path"] in self._health.paths:
            await self._health(scope, receive, send)
        elif scope["path"] in self._stripe_js.paths:
            await self._stripe_js(scope, receive, send)
        elif scope["path"].startswith(EVENTS):
            await self._events(scope, receive, send)
        elif scope["path"].startswith(self._api) or any(name == b"authorization" for name, _ in scope["headers"]):
            await self._wire(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def _limits(settings: Settings) -> outbox.Limits:
    """Return the limits of the deliverer: after its attempts in flight, buffered data must be written in time."""
    usual = outbox.Limits()
    return replace(usual, stop_seconds=min(usual.stop_seconds, settings.stop_seconds / 2))


def _api_paths(catalogue: Catalogue) -> tuple[str, ...]:
    """Prefixes of the paths that the API handles: its own and those of hosted pages (``wire.hosted``)."""
    public = (endpoint.path for resource in catalogue.resources for endpoint in resource.endpoints if endpoint.public)
    return ("/v1/", "/v2/", *dict.fromkeys(path.partition("{")[0] for path in public))
