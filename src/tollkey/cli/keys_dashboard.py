"""``tollkey keys dashboard``: the Dashboard of a library's own database."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from tollkey import dashboard
from tollkey.cli.common import fail, quiet_connection_logs, refused
from tollkey.cli.http_server import http_server
from tollkey.cli.keys_opening import not_there
from tollkey.cli.keys_server import open_service
from tollkey.cli.keys_settings import AsJson, Database, Host, KeyringFile, Port, declared_in, keyring_of, settings_of
from tollkey.cli.redacted_log import log_to
from tollkey.cli.serve import listen, loop_factory, shown_host
from tollkey.dashboard import Link
from tollkey.db import Ids, StorageError
from tollkey.db.edge import Edge, edge_for
from tollkey.keys import KeyService
from tollkey.keys.errors import KeyringError
from tollkey.settings import BOUNDS, Settings
from tollkey.wire.guesses import GuessLimiter

_PORT = 8422
_ACTING = frozenset(
    {"host", "port", "data", "database", "keyring", "keyring_file", "base_url", "guess_limit", "trust_proxy",
    "require_https", "refusal_seconds", "log_days", "log_format", "log_file", "lease_seconds", "pool_size",
    "direct_database", *BOUNDS}
)  # fmt: skip
_FLUSH_SECONDS = 0.5  # between two writes of counted sign-in attempts
_log = logging.getLogger(__name__)


def serve_dashboard(
    *,
    database: Database = None,
    keyring: KeyringFile = None,
    config: Annotated[Path | None, typer.Option(help="tollkey.toml: the prefixes and permissions of the keys.")] = None,
    host: Host = None,
    port: Port = None,
    base_url: Annotated[
        str | None, typer.Option(help="Public URL of the Dashboard, for links. [TOLLKEY_BASE_URL, or its address]")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Serve the Dashboard of a library's database, which it never creates.

    People see the keys of all accounts there, with the permissions that the configuration declares. Until somebody is
    the owner, each start prints a one-time link that makes you the owner; the owner invites others.
    """
    log_to(sys.stderr)
    declared = declared_in(config)
    listener: socket.socket | None = None
    try:
        settings = settings_of(
            "tollkey keys dashboard", _ACTING, database=database, host=host, port=port, usual_port=_PORT,
            base_url=base_url,
        )  # fmt: skip
        log_to(sys.stderr, settings.log_format, settings.log_file)
        if not settings.database:
            raise fail("name the database: --database keys.db, or --database postgresql://…", 2)
        if not_there(settings.database):
            raise fail(f"there is no database {settings.database}")
        material = keyring_of(keyring, settings)
        listener = listen(settings.host, settings.port)
        url = settings.base_url or f"http://{shown_host(settings.host)}:{listener.getsockname()[1]}"
        with quiet_connection_logs():  # the error says it; later, the server logs what happens to its connections
            opened = open_service(settings, declared, material, 0)
        with opened as keys, asyncio.Runner(loop_factory=loop_factory()) as runner:
            product = product_of(keys, settings, url)
            runner.run(_run(product, settings, listener, json_))
    except (OSError, ValueError, StorageError, KeyringError) as problem:
        raise refused(problem) from None
    finally:
        if listener is not None:
            listener.close()


def product_of(keys: KeyService, settings: Settings, url: str) -> dashboard.ForKeys:
    """Return the Dashboard of a service's database, with its tables. url: of the server. Raises StorageError."""
    limiter = GuessLimiter(settings.guess_limit) if settings.guess_limit else None
    product = dashboard.ForKeys(keys, Ids(), url, limiter)
    product.prepare(int(time.time()))
    return product


class RunningDashboard:
    """A Dashboard that can be served. app: the ASGI application."""

    def __init__(self, product: dashboard.ForKeys, edge: Edge, settings: Settings) -> None:
        self._product, self._edge = product, edge
        self.app = dashboard.Dashboard(
            product, edge, product.keys.authority, time.time,
            trust_proxy=settings.trust_proxy, base_url=settings.base_url, listens=settings.host,
            require_https=settings.require_https,
        )  # fmt: skip

    async def announce(self, show: Callable[[Link | None], None]) -> None:
        """Show a new one-time link for becoming the owner, None if there is one, and revoke earlier links."""
        link = await _owner_link(self._product, self._edge)
        show(link)
        if link is not None:
            await self._edge.write(link.revoke_earlier)


@asynccontextmanager
async def running(product: dashboard.ForKeys, settings: Settings) -> AsyncIterator[RunningDashboard]:
    """Run a Dashboard, within an ``async with`` block. Closes its keys afterwards."""
    edge = edge_for(product.keys.database)
    await edge.start()
    flushing = asyncio.create_task(_flush(product, edge))
    try:
        yield RunningDashboard(product, edge, settings)
    finally:
        flushing.cancel()
        with suppress(asyncio.CancelledError):
            await flushing
        await asyncio.to_thread(product.keys.close)  # writes what is counted
        await edge.stop()


async def _run(product: dashboard.ForKeys, settings: Settings, listener: socket.socket, as_json: bool) -> None:
    async with running(product, settings) as pages:
        http = http_server(pages.app, settings)
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        while not http.started and not serving.done():
            await asyncio.sleep(0.005)
        if not serving.done():
            await pages.announce(lambda link: _announce(product.base_url, link, as_json))
        await serving


async def _flush(product: dashboard.ForKeys, edge: Edge) -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        if product.attempts.unwritten:
            try:
                await edge.write(product.attempts.flush)
            except StorageError as error:  # they stay in memory for the next write
                _log.warning("refused sign-ins could not be written: %s", type(error).__name__)
            except Exception:  # whatever it is, the next times do not end with it
                _log.exception("refused sign-ins could not be written")


async def _owner_link(product: dashboard.ForKeys, edge: Edge) -> Link | None:
    """Return a new one-time link for becoming the owner; None if there is one."""
    keyring, ids, url, now = product.keys.authority.keyring, product.ids, product.base_url, int(time.time())
    return await edge.write(
        lambda tx: dashboard.owner_link(tx, keyring, ids, url, dashboard.for_keys.TEAM, now), lock="owner link"
    )


def _announce(url: str, link: Link | None, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": url, "owner_link": link and link.url}), flush=True)
        return
    print(f"The Dashboard is at {url}")
    if link is not None:
        print(f"\nOpen this one-time link to become its owner:\n{link.url}")
    sys.stdout.flush()
