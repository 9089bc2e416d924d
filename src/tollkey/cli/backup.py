"""``tollkey backup`` and ``tollkey restore``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tollkey import __version__
from tollkey.cli.backup_folder import (
    DATABASE,
    Manifest,
    check_alone,
    check_files,
    install,
    is_installed,
    new_folder,
    read_manifest,
    write_manifest,
)
from tollkey.cli.common import AsJson, Data, Database, fail, settings_of, show
from tollkey.cli.filling import fill_files, fill_postgres
from tollkey.cli.progress import Reporting
from tollkey.core import KEYRING, REQUESTS, keyring_source, newer_steps, sole_server
from tollkey.db import StorageError
from tollkey.db.opening import postgres_transfer, sqlite_file
from tollkey.db.transfer import Sum
from tollkey.db.transfer_sqlite import back_up, reading
from tollkey.keys.fingerprints import FINGERPRINTS, KeyringSource, check_keyring
from tollkey.settings import Settings

Folder = Annotated[Path, typer.Argument(help="The folder of the backup.")]


def backup(
    folder: Annotated[Path, typer.Argument(help="The folder to create.")],
    with_keyring: Annotated[
        bool, typer.Option("--with-keyring", help="Put the keyring into the folder as well: who has it, has every key.")
    ] = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write a backup of the whole database into a new folder, while servers go on, and check it.

    The keyring is in none of its files unless --with-keyring asks for it: keep it somewhere else, because without it no
    API key of the backup works, and with it every one does.
    """
    reporting = Reporting()
    with settings_of(data, database) as settings:
        source = keyring_source(settings)
        if not settings.in_postgres and not sqlite_file(settings.database_url).exists():
            raise fail(f"there is no database in {settings.data}")
        with new_folder(folder) as partial:
            tables = (_from_postgres if settings.in_postgres else _from_sqlite)(settings, partial, reporting)
            if with_keyring:
                source.read().create(partial / KEYRING)
            engine = "postgres" if settings.in_postgres else "sqlite"
            manifest = Manifest(__version__, int(time.time()), engine, with_keyring, tables)
            write_manifest(partial, manifest)
    place = source.place if source.path is None else str(source.path)
    _report(
        manifest,
        folder,
        as_json,
        [] if with_keyring else [f"The keyring is not in it; it is {place}. Back it up separately."],
    )


def _from_sqlite(settings: Settings, partial: Path, reporting: Reporting) -> dict[str, Sum]:
    tables = back_up(sqlite_file(settings.database_url), partial / DATABASE, reporting.percent, reporting.rows)
    return tables | back_up(Path(settings.data) / REQUESTS, partial / REQUESTS, reporting.percent, reporting.rows)


def _from_postgres(settings: Settings, partial: Path, reporting: Reporting) -> dict[str, Sum]:
    with postgres_transfer(settings.direct_url).reading() as source:
        return fill_files(source, partial, reporting)


def restore(
    folder: Folder,
    check: Annotated[
        bool, typer.Option("--check", help="Only check that the backup is whole; restore nothing.")
    ] = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into a data folder without a database, or into an empty PostgreSQL database, and check it."""
    reporting = Reporting()
    with settings_of(data, database) as settings:
        manifest = read_manifest(folder)
        check_files(folder, manifest, reporting.rows)
        own = [KeyringSource.file(folder / KEYRING)] if manifest.keyring else []
        if check:
            _check_content(folder, own)
            _report(manifest, folder, as_json, ["The backup is whole."])
            return
        keyring = Path(settings.data) / KEYRING
        if manifest.keyring and keyring.exists() and keyring.read_bytes() != (folder / KEYRING).read_bytes():
            raise fail(f"{keyring} exists already and is another keyring than that of the backup")
        _check_content(folder, [*own, keyring_source(settings)])
        if settings.in_postgres:
            with reading(folder / DATABASE, folder / REQUESTS) as source:
                fill_postgres(settings, source, reporting)
            _install_keyring(folder, manifest, keyring)
        else:
            _into_sqlite(settings, folder, manifest, reporting)
        missing = not manifest.keyring and keyring_source(settings).path == keyring and not keyring.exists()
        hint = [f"The keyring is not in the backup: put it at {keyring} before the server starts."]
        _report(manifest, folder, as_json, hint if missing else [])


def _check_content(folder: Path, keyrings: Sequence[KeyringSource]) -> None:
    """Check that this version can read a backup, and that keyrings belong to it, as far as they are there.

    Raises StorageError, KeyringError, OSError.
    """
    with reading(folder / DATABASE, folder / REQUESTS) as tables:
        if newer := newer_steps(tables.marks()):
            raise StorageError(f"{folder} was written by a newer version of Tollkey ({', '.join(newer[:3])})")
        noted = "keyring_keys" in tables.shapes()
        known = [row for batch in tables.rows("keyring_keys", FINGERPRINTS) for row in batch] if noted else []
    for source in keyrings:
        with suppress(FileNotFoundError):
            check_keyring(known, source)


def _install_keyring(folder: Path, manifest: Manifest, keyring: Path) -> None:
    if manifest.keyring and not keyring.exists():
        keyring.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        install(folder / KEYRING, keyring)


def _into_sqlite(settings: Settings, folder: Path, manifest: Manifest, reporting: Reporting) -> None:
    """Put the files in their places, the database last. What a killed restore has put there already stays."""
    database, requests = sqlite_file(settings.database_url), Path(settings.data) / REQUESTS
    with sole_server(settings):
        for file in (database, requests):
            check_alone(file)
        there = [name for name, to in ((REQUESTS, requests), (DATABASE, database)) if is_installed(folder / name, to)]
        if len(there) == 2:
            raise fail(f"{database} exists already: restore into another folder")
        _install_keyring(folder, manifest, Path(settings.data) / KEYRING)
        if REQUESTS not in there:
            install(folder / REQUESTS, requests)
        install(folder / DATABASE, database)
        if database.parent == requests.parent and database.name == DATABASE:
            check_files(database.parent, replace(manifest, keyring=False), reporting.rows)


def _report(manifest: Manifest, folder: Path, as_json: bool, more: list[str]) -> None:
    facts = {
        "folder": str(folder),
        "version": manifest.version,
        "created": manifest.created,
        "engine": manifest.engine,
        "keyring": manifest.keyring,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
    }
    show(
        facts, as_json, lambda: [f"{manifest.rows:,} rows of {len(manifest.tables)} tables in {folder}, checked", *more]
    )
