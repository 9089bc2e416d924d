"""What the commands share: opening the server's data, printing, and ending with the right exit code."""

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

from tollkey.cli.running import running_urls
from tollkey.core import Core, open_core
from tollkey.dashboard import Link
from tollkey.db import Scope, StorageError, Unreachable, sqlite_file
from tollkey.keys import Actor, KeyRefused, KeyringError, SealBroken
from tollkey.platform.merchants import first_merchant, merchants
from tollkey.settings import load_settings

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


UNREACHABLE = 3  # the exit code that means: the database is away, try again


def fail(message: str, code: int = 1) -> typer.Exit:
    """Say what is wrong on standard error; the command ends with 1, or the code given."""
    typer.echo(f"tollkey: {message}", err=True)
    return typer.Exit(code)


def refused(problem: Exception) -> typer.Exit:
    """What was refused, in one line; 3 when the database is away, else 1."""
    return fail(str(problem), UNREACHABLE if isinstance(problem, Unreachable) else 1)


@contextmanager
def told_once() -> Iterator[None]:
    """What is wrong with the connection is said once, by the command: not at each attempt, by those who attempt it."""
    talkers = [logging.getLogger(name) for name in ("psycopg.pool", "tollkey.db.listening")]
    levels = [talker.level for talker in talkers]
    for talker in talkers:
        talker.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for talker, level in zip(talkers, levels, strict=True):
            talker.setLevel(level)


@contextmanager
def opened(data: str | None, database: str | None, base_url: str | None = None, *, new: bool = False) -> Iterator[Core]:
    """The server's data, open; what the rules or the storage refuse becomes a sentence and exit code 1, or 3 when the
    database is away.

    new: whether data may be begun where there is none, as a mistyped folder must not.
    """
    with told_once():
        try:
            settings = load_settings(data=data, database=database, base_url=base_url)
            os.environ.pop("TOLLKEY_KEYRING", None)  # what this process starts does not get it
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
    """The account and mode that a command is about. Ends with 1 when there is no account yet, or no such one."""
    if account is None:
        merchant = core.database.read(first_merchant)
        if merchant is None:
            raise fail("there is no account yet: start the server once, or run `tollkey accounts create`")
        account = merchant.id
    elif all(merchant.id != account for merchant in core.database.read(merchants)):
        raise fail(f"no such account: {account[:40]}")
    return Scope(account, live)


def address_of(core: Core) -> str:
    """The address that a link carries, without a slash at its end: a configured one, or where a server answers.

    Ends with 1 when none is known: a link that leads nowhere must not take the place of one that works.
    """
    settings = core.settings
    if settings.base_url:
        return settings.base_url.rstrip("/")
    running = running_urls(Path(settings.data))
    if running:
        return running[0].rstrip("/")
    if settings.port and {"TOLLKEY_PORT", "TOLLKEY_HOST"} & os.environ.keys():
        return core.setup.base_url.rstrip("/")
    raise fail(
        f"no server is running on {settings.data}, so the URL of the link is unknown:"
        f" start the server or pass --base-url"
    )


def show_link(core: Core, link: Link, about: dict[str, str], name: str, as_json: bool) -> None:
    """Print a one-time link, and only then end the earlier ones.

    about: what goes with it in JSON, where the link is called ``name``.
    """
    show({**about, name: link.url}, as_json, lambda: [link.url])
    sys.stdout.flush()
    core.database.write(link.revoke_earlier)


def when(seconds: int | None) -> str:
    """A time as people read it, in UTC."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show(value: Any, as_json: bool, lines: Callable[[], Sequence[str]]) -> None:
    """Print a value as JSON, or as lines for people."""
    if as_json:
        typer.echo(json.dumps(value, indent=2, sort_keys=True))
    else:
        for line in lines():
            typer.echo(line)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[i]) for row in (titles, *rows)) for i in range(len(titles))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (titles, *rows)
    ]
