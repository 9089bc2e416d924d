"""``tollkey keys serve``: the keys as a service over HTTP."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import fail, quiet_connection_logs, refused
from tollkey.cli.http_server import http_server
from tollkey.cli.keys_dashboard import RunningDashboard, product_of, running
from tollkey.cli.keys_pages import WithPages
from tollkey.cli.keys_server import (
    ACTING,
    COMMAND,
    OF_THE_DASHBOARD,
    PORT,
    Options,
    grace_days,
    key_server,
    open_service,
)
from tollkey.cli.keys_settings import AsJson, Database, Host, KeyringFile, Port, declared_in, keyring_of, settings_of
from tollkey.cli.redacted_log import log_to
from tollkey.cli.serve import SWITCH_SECONDS, listen, loop_factory, shown_host
from tollkey.dashboard import ForKeys, Link
from tollkey.db import StorageError
from tollkey.keys import KeyService
from tollkey.keys.errors import KeyringError
from tollkey.keys.http import KeyServer


def serve(
    *,
    config: Annotated[
        Path | None, typer.Option(help="What is declared: prefixes, permissions, routes, plans. See check-config.")
    ] = None,
    database: Database = None,
    keyring: KeyringFile = None,
    host: Host = None,
    port: Port = None,
    forward_auth_key: Annotated[
        bool,
        typer.Option(
            "--forward-auth-key",
            help="Proxies must send a service key in X-Tollkey-Service; without, whoever reaches the port may ask.",
        ),
    ] = False,
    key_header: Annotated[
        str, typer.Option(help="Header in which clients of a proxy send their key.")
    ] = "authorization",
    admin_key_file: Annotated[
        Path | None, typer.Option(help="New file for the first service key, instead of printing it.")
    ] = None,
    rotation_grace_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=7,
            help="Roll keys on their schedule; the old ones stay valid for so many days. 0: your own program does it."
            " [TOLLKEY_ROTATION_GRACE_DAYS, or 0]",
        ),
    ] = None,
    dashboard: Annotated[
        bool,
        typer.Option(
            "--dashboard",
            help="Also serve the Dashboard, at all other paths. TOLLKEY_TRUST_PROXY, TOLLKEY_REQUIRE_HTTPS: for it.",
        ),
    ] = False,
    json_: AsJson = False,
) -> None:
    """Serve keys over HTTP: verification, introspection, changes, use, signed tokens, and pages for customers.

    Also sends the notices that the configuration declares, by webhooks and e-mail.

    The first start creates a service key that may do everything, and shows it once. It belongs to the account
    "tollkey"; give each of your services a key of its own with fewer permissions.
    """
    log_to(sys.stderr)
    declared = declared_in(config)
    try:
        acting = ACTING | OF_THE_DASHBOARD if dashboard else ACTING
        settings = settings_of(COMMAND, acting, database=database, host=host, port=port, usual_port=PORT)
        log_to(sys.stderr, settings.log_format, settings.log_file)
    except (OSError, ValueError) as problem:
        raise refused(problem) from None
    options = Options(
        settings=settings,
        config=declared,
        forward_auth_key=forward_auth_key,
        key_header=key_header,
        rotation_grace_days=grace_days(rotation_grace_days, settings),
        dashboard=dashboard,
    )
    with quiet_connection_logs():
        listener, keys = _opened(options, keyring)
    try:
        sys.setswitchinterval(SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            url = f"http://{shown_host(settings.host)}:{listener.getsockname()[1]}"
            app = key_server(keys, options, url)
            pages = _pages(keys, options, url)
            runner.run(_run(app, pages, listener, options, url, admin_key_file, json_))
    except (OSError, ValueError, StorageError) as problem:
        raise refused(problem) from None
    finally:
        listener.close()
        keys.close()


def _opened(options: Options, keyring: Path | None) -> tuple[socket.socket, KeyService]:
    """Return a listening socket and the keys. Raises typer.Exit."""
    listener: socket.socket | None = None
    settings = options.settings
    try:
        if not settings.database:
            raise fail("name the database: --database keys.db, or --database postgresql://…", 2)
        material = keyring_of(keyring, settings)
        listener = listen(settings.host, settings.port)
        return listener, open_service(settings, options.config, material)
    except (OSError, ValueError, StorageError, KeyringError, typer.Exit) as problem:
        if listener is not None:
            listener.close()
        raise problem if isinstance(problem, typer.Exit) else refused(problem) from None


def _pages(keys: KeyService, options: Options, url: str) -> ForKeys | None:
    """Return the Dashboard, or None. It has connections of its own, as in a process of its own. Raises StorageError."""
    if not options.dashboard:
        return None
    own = open_service(options.settings, options.config, keys.authority.keyring, 0)
    try:
        return product_of(own, options.settings, options.settings.base_url or url)
    except BaseException:
        own.close()
        raise


async def _run(
    app: KeyServer, product: ForKeys | None, listener: socket.socket, options: Options, url: str,
    admin_key_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    if product is None:
        await _serve(app, None, listener, options, url, admin_key_file, as_json)
        return
    async with running(product, options.settings) as pages:
        await _serve(app, pages, listener, options, url, admin_key_file, as_json)


async def _serve(
    app: KeyServer, pages: RunningDashboard | None, listener: socket.socket, options: Options, url: str,
    admin_key_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    await app.start()
    try:
        admin_key = _admin_key(app, admin_key_file)
        served = app if pages is None else WithPages(app, pages.app)
        http = http_server(served, options.settings, app.stop_accepting)  # streams end at once
        gc.collect()
        gc.freeze()  # exclude loaded modules from garbage collection
        gc.set_threshold(20_000, 20, 20)
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        while not http.started and not serving.done():
            await asyncio.sleep(0.005)
        if not serving.done():
            show = partial(_announce, url, admin_key, admin_key_file, as_json, pages is not None)
            if pages is None:
                show(None)
            else:
                await pages.announce(show)
        await serving
    finally:
        listener.close()
        await app.stop()


def _admin_key(app: KeyServer, file: Path | None) -> str | None:
    """Create the first service key if there is none, write it to a file if one is named, and return its text.

    Raises OSError for a file that exists.
    """
    callers = app.server.callers
    if file is None or callers.has_admin_key():
        return callers.first_admin_key()
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        text = callers.first_admin_key()
        opened.write(f"{text or ''}\n")
    return text


def _announce(
    url: str, admin_key: str | None, file: Path | None, as_json: bool, dashboard: bool, link: Link | None
) -> None:
    shown = admin_key if file is None else None
    if as_json:
        owner = {"owner_link": link and link.url} if dashboard else {}
        print(json.dumps({"url": url, "admin_key": shown, **owner}), flush=True)
        return
    print(f"Tollkey serves keys at {url}")
    if shown is not None:
        print(f"\nThe first service key, which may do everything. It is shown once:\n{shown}\n")
    elif admin_key is not None:
        print(f"\nThe first service key, which may do everything, is in {file}.\n")
    if link is not None:
        print(f"Open this one-time link to become the owner of the Dashboard:\n{link.url}\n")
    key = shown or "YOUR_SERVICE_KEY"
    print(f'curl {url}/v1/keys/verify -H "Authorization: Bearer {key}" --json \'{{"key": "a key to verify"}}\'')
    sys.stdout.flush()
