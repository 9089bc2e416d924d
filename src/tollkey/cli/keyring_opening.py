"""Opens the keyring that ``tollkey keyring`` works on: that of the payments API, or of a library's own database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tollkey import dashboard
from tollkey.cli.common import fail, opened, quiet_connection_logs, refused
from tollkey.cli.keys_opening import library_named, open_library
from tollkey.core import keyring_source, sealings, sole_server
from tollkey.db import Database, StorageError, open_database
from tollkey.db.schema import migrated_modules
from tollkey.keys import KeyService, fingerprints
from tollkey.keys.errors import KeyringError
from tollkey.keys.fingerprints import KeyringSource
from tollkey.keys.header import beginning
from tollkey.keys.http import idempotency
from tollkey.keys.keyring import Keyring
from tollkey.keys.keyring_use import use_alone
from tollkey.keys.schema import SEALED
from tollkey.keys.sealed import SealedStorage
from tollkey.settings import load_settings

#: What stores sealed values in a library's database, by the module whose migrations made the tables.
_IN_A_LIBRARY = {"dashboard": dashboard.SEALED, idempotency.MIGRATION.module: idempotency.SEALED}


@dataclass
class OpenKeyring:
    """The keyring of a database. source: where it comes from. places: what is sealed with it."""

    database: Database
    keyring: Keyring
    source: KeyringSource
    places: tuple[SealedStorage, ...]

    def check_writable(self, to: Path | None) -> None:
        """Raise typer.Exit if the keyring is read-only and ``to`` names no other file."""
        if to is None and (self.source.path is None or not self.source.own):
            raise fail(
                f"the keyring {self.source.place} is read-only: pass --to to write the new keyring to another file,"
                f" then deploy that file"
            )

    def save(self, keyring: Keyring, to: Path | None) -> None:
        """Save a keyring to the file that it was read from, or to the new file ``to``. Raises typer.Exit."""
        try:
            if to is not None:
                keyring.create(to)
            elif self.source.path is not None:
                keyring.save(self.source.path)
        except OSError as problem:
            raise refused(problem) from None


@contextmanager
def open_keyring(
    data: str | None, database: str | None, keyring: str | None, *, alone: bool = False
) -> Iterator[OpenKeyring]:
    """Open the keyring that the options of a command name, within a ``with`` block.

    alone: refuse while other processes have the keyring, as far as that can be seen: those that use an SQLite file of
    this machine, and those that listen to the PostgreSQL database. Raises typer.Exit with 1 for errors, also for
    a keyring that belongs to another database; with 3 when the database cannot be reached.
    """
    library = library_named(data, database, keyring)
    with ExitStack() as held:
        if library is None:
            if alone:
                refuse_running(load_settings(data=data, database=database).database_url)
            core = held.enter_context(opened(data, database))
            if alone:
                held.enter_context(sole_server(core.settings))
            yield OpenKeyring(core.database, core.authority.keyring, keyring_source(core.settings), sealings(core))
            return
        source = fingerprints.source_of(keyring or f"{library.removeprefix('sqlite:///')}.keyring")
        material: str | Keyring | None = keyring
        if alone:
            refuse_running(library)
            usual = fingerprints.source_of(f"{library.removeprefix('sqlite:///')}.keyring")
            if usual != source:
                held.enter_context(_used_alone(usual, None))
            material = held.enter_context(_used_alone(source, keyring))
        service = held.enter_context(open_library(library, material))
        if alone:
            _claim(service)
        modules = migrated_modules(service.database)
        places = (
            *SEALED,
            *(place for module, sealed in _IN_A_LIBRARY.items() if module in modules for place in sealed),
        )
        yield OpenKeyring(service.database, service.authority.keyring, source, places)


def _claim(service: KeyService) -> None:
    """Raise typer.Exit if processes have the keyring of a database, but not from the file that is changed."""
    try:
        service.claim_keyring()
    except KeyringError as problem:
        raise refused(problem) from None


@contextmanager
def _used_alone(source: KeyringSource, given: str | None) -> Iterator[str | Keyring | None]:
    """Lock the file of a keyring that no other process uses, within a ``with`` block, and return what is in it.

    Returns ``given`` when there is no such file, for the error of who opens it. Raises typer.Exit.
    """
    try:
        mark = use_alone(source.path) if source.path is not None and source.path.exists() else None
        material = given if mark is None else source.read()
    except (OSError, KeyringError) as problem:
        raise refused(problem) from None
    try:
        yield material
    finally:
        if mark is not None:
            mark.close()


def refuse_running(database: str) -> None:
    """Raise typer.Exit if processes listen to a PostgreSQL database, as servers and services do. Names them."""
    if "://" not in database.removeprefix("sqlite:///"):
        return
    sql = (
        "SELECT coalesce(host(client_addr), 'this machine'), pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'tollkey listener' ORDER BY backend_start"
    )
    try:
        with quiet_connection_logs(), closing(open_database(database, pool_size=1)) as looked_at:
            found = [f"{place} (connection {pid})" for place, pid in looked_at.read(lambda tx: tx.execute(sql))]
    except (ValueError, StorageError) as problem:
        raise refused(problem) from None
    if found:
        raise fail(f"the database is in use by {', '.join(found[:5])}: stop every process that uses it first")


def unretirable(keyring: Keyring, name: str) -> str | None:
    """Return why a sealing key cannot be retired from a keyring, or None."""
    if name == keyring.sealing_current:
        return f"{name} is the current sealing key: run `tollkey keyring rotate` first"
    if name in keyring.sealing_keys:
        return None
    if name in keyring.digest_keys:
        return f"{name} is a digest key: digest keys cannot be deleted"
    return f"no such sealing key: {beginning(name, 20)}"
