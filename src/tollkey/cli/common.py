"""Shared by the commands: options, opening the data folder, printing, exit codes."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tollkey.cli.errors import say
from tollkey.cli.running import running_urls
from tollkey.core import Core, open_core
from tollkey.dashboard import Link, activity
from tollkey.db import Database as StoredIn
from tollkey.db import Scope, StorageError, Tx
from tollkey.db.engine import Unreachable
from tollkey.db.opening import sqlite_file
from tollkey.keys import KeyRefused
from tollkey.keys.actors import Actor
from tollkey.keys.errors import KeyringError, SealBroken
from tollkey.keys.header import beginning, one_line
from tollkey.platform.merchants import first_merchant, merchants
from tollkey.settings import Settings, load_settings

Data = Annotated[str | None, typer.Option(help="Data folder: database and keyring. [tollkey-data]")]
Database = Annotated[str | None, typer.Option(help="PostgreSQL database, postgresql://… [SQLite]")]
Account = Annotated[str | None, typer.Option(help="Account id, acct_…. [the first account]")]
Live = Annotated[bool, typer.Option("--live", help="Use live mode. [test mode]")]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        help="Public URL of the server. [TOLLKEY_BASE_URL, or the URL of the server running on this data folder]"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

ACTOR = Actor("cli", "tollkey")


UNREACHABLE = 3  # exit code: the database cannot be reached; retry later


def fail(message: str, code: int = 1) -> typer.Exit:
    """Print an error and return the exception to raise. code: the exit code.

    message: may repeat what a file or an argument says; see ``say``.
    """
    say(message)
    return typer.Exit(code)


def refused(problem: Exception) -> typer.Exit:
    """Print an error and return the exception to raise: exit code 3 when the database cannot be reached, else 1."""
    return fail(str(problem), UNREACHABLE if isinstance(problem, Unreachable) else 1)


@contextmanager
def quiet_connection_logs() -> Iterator[None]:
    """Silence the loggers of database connections: the command itself reports a failed connection once."""
    loggers = [logging.getLogger(name) for name in ("psycopg.pool", "tollkey.db.listening")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def settings_of(data: str | None, database: str | None) -> Iterator[Settings]:
    """The settings of a command that opens no core, within a ``with`` block.

    data, database: options of the command, None for the configured ones. Raises typer.Exit with 1 for errors in the
    block, with 3 when the database cannot be reached.
    """
    with quiet_connection_logs():
        try:
            settings = load_settings(data=data, database=database)
            os.environ.pop("TOLLKEY_KEYRING", None)  # not inherited by child processes
            yield settings
        except (OSError, ValueError, StorageError, KeyringError) as problem:
            raise refused(problem) from None


@contextmanager
def opened(data: str | None, database: str | None, base_url: str | None = None, *, new: bool = False) -> Iterator[Core]:
    """Open the core of a data folder, within a ``with`` block.

    data, database, base_url: options of the command, None for the configured ones. new: whether to create the data
    folder when there is none; otherwise a mistyped name would. Raises typer.Exit with 1 for errors, with 3 when the
    database cannot be reached.
    """
    with quiet_connection_logs():
        try:
            settings = load_settings(data=data, database=database, base_url=base_url)
            os.environ.pop("TOLLKEY_KEYRING", None)  # not inherited by child processes
            if not new and not settings.in_postgres and not sqlite_file(settings.database_url).exists():
                raise fail(
                    f"there is no account yet in {settings.data}: start the server once,"
                    f" or run `tollkey accounts create`"
                )
            core = open_core(settings)
        except (OSError, ValueError, StorageError, KeyringError) as problem:
            raise refused(problem) from None
        try:
            yield core
        except (KeyRefused, StorageError, KeyringError, SealBroken) as problem:
            raise refused(problem) from None
        finally:
            core.close()


def scope_of(core: Core, account: str | None, live: bool) -> Scope:
    """The account and mode that a command is for.

    account: its id, None for the first account. live: whether live mode. Raises typer.Exit for an unknown account.
    """
    if account is None:
        merchant = core.database.read(first_merchant)
        if merchant is None:
            raise fail("there is no account yet: start the server once, or run `tollkey accounts create`")
        account = merchant.id
    elif all(merchant.id != account for merchant in core.database.read(merchants)):
        raise fail(f"no such account: {beginning(account, 40)}")
    return Scope(account, live)


def record(core: Core, tx: Tx, scope: Scope, action: str, about: str = "", **details: object) -> None:
    """Write what a command did to an account into its audit log, in the transaction of the change.

    about: the id of what it concerns.
    """
    mode = "live" if scope.livemode else "test"
    keyring, now = core.authority.keyring, int(core.now())
    activity.record_command(tx, keyring, now, scope.account, action, about=about, mode=mode, **details)


def known_address(core: Core) -> str | None:
    """The configured URL, or that of a running server, without a trailing slash; None if there is neither."""
    if core.settings.base_url:
        return core.settings.base_url.rstrip("/")
    running = running_urls(Path(core.settings.data))
    return running[0].rstrip("/") if running else None


def address_of(core: Core) -> str:
    """The URL for one-time links, without a trailing slash: the configured one, or that of a running server.

    Raises typer.Exit when it is unknown, so that no unusable link replaces a working one.
    """
    known, settings = known_address(core), core.settings
    if known is not None:
        return known
    if settings.port and {"TOLLKEY_PORT", "TOLLKEY_HOST"} & os.environ.keys():
        return core.setup.base_url.rstrip("/")
    raise fail(
        f"no server is running on {settings.data}, so the URL of the link is unknown:"
        f" start the server or pass --base-url"
    )


def show_link(database: StoredIn, link: Link, about: dict[str, str], name: str, as_json: bool) -> None:
    """Print a one-time link and then revoke the earlier ones.

    about: further fields of the JSON output. name: of the link's field there.
    """
    show({**about, name: link.url}, as_json, lambda: [link.url])
    sys.stdout.flush()
    database.write(link.revoke_earlier)


def when(seconds: int | None) -> str:
    """Format a time in UTC. seconds: UTC epoch; None gives "-"."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show(value: Any, as_json: bool, lines: Callable[[], Sequence[str]]) -> None:
    """Print a value as JSON, or ``lines()`` as text."""
    if as_json:
        typer.echo(json.dumps(value, indent=2, sort_keys=True))
    else:
        for line in lines():
            typer.echo(line)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Format rows as a table with aligned columns.

    A cell may be what a caller has sent, such as the path that a key was used for: it cannot command the terminal.
    """
    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in (titles, *rows)) for i in range(len(titles))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (titles, *rows)
    ]
