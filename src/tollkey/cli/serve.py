"""``tollkey serve``: start a server."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tollkey.cli.common import fail, quiet_connection_logs, refused
from tollkey.cli.http_server import http_server
from tollkey.cli.redacted_log import log_to
from tollkey.cli.running import published
from tollkey.cli.workers import Worker, end_with_parent, run_workers
from tollkey.core import (
    Core,
    ensure_first_account,
    open_core,
    owner_link,
    set_aside_damaged_logs,
    sole_server,
    test_pair,
)
from tollkey.dashboard import Link
from tollkey.db import StorageError
from tollkey.keys.errors import KeyringError
from tollkey.metrics import Metrics
from tollkey.server import Server, build
from tollkey.settings import Settings, load_settings
from tollkey.traces import Traces, provider_of_environment
from tollkey.wire.versions import LATEST, newer_than_built

#: Seconds before a waiting thread requests the GIL. The event loop releases and retakes the GIL at every system call,
#: and each time the wait starts again: with Python's default of 5 ms the database thread starved for 330 to 680 ms
#: next to a hostile client, with 0.5 ms for 33 to 70 ms, with 0.1 ms for 14 to 23 ms (bench/hostile.py).
SWITCH_SECONDS = 0.0001


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 chooses a free port. [8420]")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data folder: database and keyring. [tollkey-data]")] = None,
    database: Annotated[str | None, typer.Option(help="PostgreSQL database, postgresql://… [SQLite]")] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file of settings by their names, such as `port = 8420`; the environment wins."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that serve the port together, on PostgreSQL. [1]")
    ] = None,
    tls_hosts: Annotated[
        str | None,
        typer.Option(help="Hosts, separated by commas, to speak TLS as, with a certificate of `tollkey ca`. [none]"),
    ] = None,
    worker: Annotated[str | None, typer.Option(hidden=True)] = None,
    log_format: Annotated[str | None, typer.Option(help="Form of the log: text or json. [text]")] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print only one line of JSON when the server is ready.")
    ] = False,
) -> None:
    """Start the server. The first start creates an account with test keys."""
    log_to(sys.stderr)
    given = {
        "host": host,
        "port": port,
        "data": data,
        "database": database,
        "log_format": log_format,
        "tls_hosts": tls_hosts,
    }
    told = None if worker is None else Worker.read(worker)
    if told is None and (count := _worker_count(config, {**given, "workers": workers})) > 1:
        raise typer.Exit(_run_workers(count, config, given))
    if told is not None and told.number:
        json_ = True  # the first one tells of the server
    with ExitStack() as held:
        with quiet_connection_logs():
            core, listener, settings = _opened(held, config, given, told)
        merchant = ensure_first_account(core)
        publishable, secret = test_pair(core, merchant.id)
        facts = {
            "url": f"{settings.scheme}://{shown_host(settings.host)}:{settings.port}",
            "account": merchant.id,
            "publishable_key": publishable,
            "secret_key": secret,
        }
        link = None if json_ else owner_link(core, merchant.id, _public_url(core, facts))
        sys.setswitchinterval(SWITCH_SECONDS)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_run(core, listener, facts, link, json_, told))


def _worker_count(config: Path | None, given: dict[str, Any]) -> int:
    """How many processes are asked for. Raises typer.Exit for settings that are wrong, and for several on SQLite."""
    try:
        settings = load_settings(os.environ, config, **given)
    except ValueError as problem:
        raise refused(problem) from None
    if settings.workers > 1 and not settings.in_postgres:
        raise fail("several workers need PostgreSQL: one server at a time owns an SQLite database")
    return settings.workers


def _run_workers(count: int, config: Path | None, given: dict[str, Any]) -> int:
    settings = load_settings(os.environ, config, **given)
    log_to(sys.stderr, settings.log_format, settings.log_file)
    try:
        return run_workers(count, lambda: listen(settings.host, settings.port, shared=True))
    except OSError as problem:
        raise refused(problem) from None


def _opened(
    held: ExitStack, config: Path | None, given: dict[str, Any], worker: Worker | None = None
) -> tuple[Core, socket.socket, Settings]:
    """The core, a listening socket, and the settings with the actual port. Raises typer.Exit.

    held: receives the lock on the SQLite files. config: a file with settings. given: the options, by their settings.
    worker: what the parent of several processes says; each has a port for metrics of its own, counted up.
    """
    listener: socket.socket | None = None
    try:
        settings = load_settings(os.environ, config, **given)
        log_to(sys.stderr, settings.log_format, settings.log_file)
        os.environ.pop("TOLLKEY_KEYRING", None)  # not inherited by child processes
        held.enter_context(
            sole_server(settings)
        )  # first, because "another server is running" is the better error than "port in use"
        aside = set_aside_damaged_logs(settings)
        if aside is not None:
            typer.echo(f"tollkey: the request logs were damaged: they are in {aside} now, new ones begin", err=True)
        if worker is not None:
            metrics = settings.metrics_port and settings.metrics_port + worker.number
            settings = replace(settings, port=worker.port, metrics_port=metrics)
        listener = listen(settings.host, settings.port, shared=worker is not None)
        settings = replace(settings, port=listener.getsockname()[1])
        return open_core(settings), listener, settings
    except (OSError, ValueError, StorageError, KeyringError) as problem:
        if listener is not None:
            listener.close()
        raise refused(problem) from None


def _public_url(core: Core, facts: dict[str, str]) -> str:
    """The configured public URL, or the URL that this server listens on."""
    return core.settings.base_url or facts["url"]


def loop_factory() -> Any:
    """The event loop of servers: uvloop, where there is one."""
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop


def listen(host: str, port: int, shared: bool = False) -> socket.socket:
    """A socket bound to an address. shared: by several processes. Raises OSError, naming address and port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {problem.strerror}") from None
    return listener


def shown_host(host: str) -> str:
    """An address as it stands in the URL of a server that listens on it."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host


async def _run(
    core: Core,
    listener: socket.socket,
    facts: dict[str, str],
    link: Link | None,
    as_json: bool,
    worker: Worker | None = None,
) -> None:
    try:
        tls = _certificate(core.settings)
        server = build(core)
    except (
        OSError,
        ValueError,
        StorageError,
        KeyringError,
    ) as problem:  # for example a secret of notices that cannot be read
        listener.close()
        core.close()
        raise refused(problem) from None
    await server.start()
    gc.collect()
    gc.freeze()  # exclude loaded modules from garbage collection
    gc.set_threshold(20_000, 20, 20)
    app, end_metrics = _measured(server)
    app, end_traces = _traced(server, app)
    http = http_server(app, core.settings, server.drain, tls)
    if worker is not None:
        end_with_parent(worker.parent)
    serving = asyncio.create_task(http.serve(sockets=[listener]))
    while not http.started and not serving.done():
        await asyncio.sleep(0.005)
    if serving.done():
        await serving
    else:
        with published(Path(core.settings.data), _public_url(core, facts)):
            _announce(facts, link, as_json, core.settings.default_version)
            if link is not None:
                await server.edge.write(link.revoke_earlier)
            await serving
    end_metrics()
    await server.stop()
    await asyncio.to_thread(end_traces)


def _certificate(settings: Settings) -> Path | None:
    """Return the file with the server's certificate and key; None without TLS. Raises OSError, ValueError."""
    if not settings.tls_hosts:
        return None
    certificates = import_module("tollkey.cli.certificates")  # with X.509 it takes 3 MB, and few servers need it
    hosts = certificates.hosts_of(settings.tls_hosts)
    return cast(Path, certificates.server_certificate(Path(settings.data), hosts)) if hosts else None


def _measured(server: Server) -> tuple[Any, Callable[[], None]]:
    """Return the application, measured where metrics are asked for, and what ends their listener. Raises typer.Exit."""
    settings = server.core.settings
    if not settings.metrics_port:
        return server.app, lambda: None
    try:
        measured = Metrics(server)
    except ModuleNotFoundError:
        raise fail("TOLLKEY_METRICS_PORT needs `pip install 'tollkey[metrics]'`") from None
    try:
        return measured, measured.listen(settings.metrics_host, settings.metrics_port)
    except OSError as problem:
        where = f"{settings.metrics_host}:{settings.metrics_port}"
        raise fail(f"cannot listen on {where} for metrics: {problem.strerror}") from None


def _traced(server: Server, app: Any) -> tuple[Any, Callable[[], None]]:
    """Return the application, traced where traces are asked for, and what sends the last ones. Raises typer.Exit."""
    if not server.core.settings.traces:
        return app, lambda: None
    try:
        traced = Traces(app, server.route_of, provider_of_environment())
    except ModuleNotFoundError:
        raise fail("TOLLKEY_TRACES needs `pip install 'tollkey[otel]'`") from None
    except ValueError as problem:
        raise fail(f"TOLLKEY_TRACES: {problem}") from None
    return traced, traced.end


def _announce(facts: dict[str, str], link: Link | None, as_json: bool, default_version: str) -> None:
    if as_json:
        print(json.dumps(facts), flush=True)
        return
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    url, key = facts["url"], facts["secret_key"]
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    text = Text.from_markup(
        f"[bold]Tollkey[/bold] is running at [bold]{url}[/bold]\n\n"
        f"account      {facts['account']}\npublishable  {facts['publishable_key']}\nsecret       {key}\n\n"
        "These are test keys. Reveal live keys in the Dashboard or with `tollkey keys reveal`."
    )
    text.overflow = "fold"  # a truncated key is useless
    console.print(Panel.fit(text, title="ready", border_style="green"))
    print(
        f"\nAPI version {LATEST}; requests that name no version have {default_version}. Requests for later versions,"
        f" up to {newer_than_built()[-1]}, are answered with {LATEST} and a warning."
    )
    if link is not None:
        print(f"\nOpen this one-time link to become the owner of the Dashboard:\n{link.url}")
    print(f"\ncurl {url}/v1/customers -u {key}: -d email=jenny@example.com\n")
    print(
        f'import stripe\nstripe.api_key = "{key}"\nstripe.api_base = "{url}"\n'
        'customer = stripe.Customer.create(email="jenny@example.com")\nprint(customer.id, customer.email)\n'
    )
    sys.stdout.flush()
