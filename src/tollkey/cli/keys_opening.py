"""Opens the keys that ``tollkey keys`` works on: those of the payments API, or those of a library's own database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import Data, fail, opened, quiet_connection_logs, refused, scope_of
from tollkey.cli.errors import shown
from tollkey.core import Core
from tollkey.db import Scope, StorageError, Tx, open_database
from tollkey.db.opening import sqlite_file
from tollkey.db.schema import migrated_modules
from tollkey.keys import KeyService, TollkeyError
from tollkey.keys.changing import KeyChanges
from tollkey.keys.config.faults import suggestion
from tollkey.keys.errors import KeyringError, SealBroken, UnknownPermission
from tollkey.keys.keyring import Keyring as KeyMaterial
from tollkey.keys.rotating import KeyRotation
from tollkey.platform.merchants import MIGRATION as MERCHANTS
from tollkey.settings import load_settings

__all__ = [
    "Account",
    "Config",
    "Data",
    "Database",
    "Keyring",
    "Mode",
    "OpenKeys",
    "library_named",
    "not_there",
    "open_keys",
    "open_library",
    "refuse_payments",
]

Database = Annotated[
    str | None,
    typer.Option(
        help="postgresql://… of the payments API, or the database of a library: a file, or postgresql://… with"
        " --keyring. [SQLite in --data]"
    ),
]
Keyring = Annotated[str | None, typer.Option(help="Keyring of a library's database. [SQLite: beside the database]")]
Config = Annotated[
    Path | None, typer.Option(help="tollkey.toml of a library's database: its prefixes and permissions.")
]
_NAMED = 5  # accounts in a message
Account = Annotated[str | None, typer.Option(help="Account. [the first account; of a library: main]")]
Mode = Annotated[bool | None, typer.Option("--live/--test", help="Mode. [test mode; of a library: live mode]")]


class OpenKeys(KeyChanges, KeyRotation):
    """The keys that a command works on. core: of the payments API; None for a library's database."""

    core: Core | None = None

    def now(self) -> float:
        """Return the time, UTC epoch seconds."""
        return self._clock()

    def scope_of(self, account: str | None, live: bool | None) -> Scope:
        """Return the account and mode that a command is for. Raises typer.Exit for an unknown account."""
        if self.core is not None:
            return scope_of(self.core, account, bool(live))
        return Scope(account or "main", live is not False)

    def say_empty(self, scope: Scope, what: str = "keys") -> None:
        """Say on stderr that a library's account has none of what a command lists, and which accounts have keys.

        what: is listed.
        """
        if self.core is not None:
            return
        mode = "live" if scope.livemode else "test"
        names = self.database.read(_some_accounts)
        others = ", ".join(names[:_NAMED] + ["…"] * (len(names) > _NAMED))
        hint = f"; accounts with keys: {others} (--account, --live, --test)" if names else ""
        typer.echo(shown(f"no {what} of account {scope.account} in {mode} mode{hint}"), err=True)


def _some_accounts(tx: Tx) -> list[str]:
    """Return the first accounts with keys by name, one more than are named. Each takes one look into the index."""
    names: list[str] = []
    while len(names) <= _NAMED:
        (found,) = tx.execute("SELECT min(account) FROM api_keys WHERE account > ?", (names[-1] if names else "",))
        if found[0] is None:
            break
        names.append(found[0])
    return names


@contextmanager
def open_keys(data: str | None, database: str | None, keyring: str | None, config: Path | None) -> Iterator[OpenKeys]:
    """Open the keys that the options of a command name, within a ``with`` block.

    A database is a library's if it is a file, or if a keyring or a configuration is given. It is never created.
    Raises typer.Exit with 1 for errors, with 3 when the database cannot be reached.
    """
    library = library_named(data, database, keyring, config)
    if library is None:
        with opened(data, database) as core:
            keys = OpenKeys(core.database, core.authority, core.now)
            keys.core = core
            yield keys
        return
    with open_library(library, keyring, config) as service:
        yield OpenKeys(service.database, service.authority, time.time)


def library_named(
    data: str | None, database: str | None, keyring: str | None, config: Path | None = None
) -> str | None:
    """Return the database of a library that the options of a command name; None if they name the payments API.

    With a keyring or a configuration, TOLLKEY_DATABASE counts as well: ``hidden_database`` moves a URL there.
    Raises typer.Exit for a file that does not exist, typer.BadParameter for options that do not go together.
    """
    if database is None and (keyring or config):
        database = _configured()
    if database is None or not (_is_file(database) or keyring or config):
        if keyring or config:
            raise typer.BadParameter("--keyring and --config are for a library's database", param_hint="--database")
        return None
    if data is not None:
        raise typer.BadParameter("choose one of --data and a library's --database", param_hint="--data")
    if not_there(database):
        raise fail(f"there is no database {database}")
    return database


def _configured() -> str | None:
    try:
        return load_settings().database or None
    except ValueError as problem:
        raise refused(problem) from None


def not_there(database: str) -> bool:
    """Return whether a database is an SQLite file that does not exist."""
    try:
        return _is_file(database) and not sqlite_file(f"sqlite:///{database.removeprefix('sqlite:///')}").exists()
    except ValueError:
        return False  # it names no file: opening it says why


def _is_file(database: str) -> bool:
    return "://" not in database.removeprefix("sqlite:///")


def refuse_payments(database: str) -> None:
    """Raise typer.Exit for the database of the payments API, which holds more than keys. It is left as it is.

    database: file or URL, before anything is changed there. Raises ValueError, StorageError.
    """
    if not_there(database):
        return
    with closing(open_database(database, pool_size=1)) as looked_at:
        modules = migrated_modules(looked_at)
    if MERCHANTS.module in modules:
        raise fail(
            "this is the database of the payments API: leave out --keyring and --config, and name an SQLite file by its"
            " folder, --data"
        )


@contextmanager
def open_library(database: str, keyring: str | KeyMaterial | None, config: Path | None = None) -> Iterator[KeyService]:
    """Open a library's database, within a ``with`` block.

    Raises typer.Exit as ``open_keys`` does, and for the database of the payments API.
    """
    with quiet_connection_logs(), _service(database, keyring, config) as service:
        yield service


@contextmanager
def _service(database: str, keyring: str | KeyMaterial | None, config: Path | None) -> Iterator[KeyService]:
    os.environ.pop("TOLLKEY_KEYRING", None)  # not inherited by child processes
    names: list[str] = []
    try:
        refuse_payments(database)
        with KeyService.open(database, keyring=keyring, config=config, flush_seconds=0) as service:
            names += service.permission_names.names
            yield service
    except UnknownPermission as unknown:
        hint = ". The permissions of a library are declared in tollkey.toml: pass --config."
        known = suggestion(unknown.name, names) if config else hint
        raise fail(f"{str(unknown).removesuffix('.')}{known}") from None
    except (OSError, ValueError, StorageError, KeyringError, SealBroken, TollkeyError) as problem:
        raise refused(problem) from None
