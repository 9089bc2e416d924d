"""``tollkey backup`` and ``tollkey restore``."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tollkey import __version__
from tollkey.cli.backup_folder import (
    DATABASE,
    Manifest,
    check_files,
    install,
    new_folder,
    read_manifest,
    write_manifest,
)
from tollkey.cli.common import AsJson, Data, Database, fail, settings_of, show
from tollkey.cli.filling import fill_files, fill_postgres
from tollkey.cli.progress import Reporting
from tollkey.core import KEYRING, REQUESTS, keyring_source, sole_server
from tollkey.db.opening import postgres_transfer, sqlite_file
from tollkey.db.transfer import Sum
from tollkey.db.transfer_sqlite import back_up, reading
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
    with postgres_transfer(settings.database).reading() as source:
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
        if check:
            _report(manifest, folder, as_json, ["The backup is whole."])
            return
        keyring = Path(settings.data) / KEYRING
        if manifest.keyring and keyring.exists() and keyring.read_bytes() != (folder / KEYRING).read_bytes():
            raise fail(f"{keyring} exists already and is another keyring than that of the backup")
        if settings.in_postgres:
            with reading(folder / DATABASE, folder / REQUESTS) as source:
                fill_postgres(settings, source, reporting)
        else:
            _into_sqlite(settings, folder, manifest, reporting)
        if manifest.keyring and not keyring.exists():
            install(folder / KEYRING, keyring)
        missing = not manifest.keyring and keyring_source(settings).path == keyring and not keyring.exists()
        hint = [f"The keyring is not in the backup: put it at {keyring} before the server starts."]
        _report(manifest, folder, as_json, hint if missing else [])


def _into_sqlite(settings: Settings, folder: Path, manifest: Manifest, reporting: Reporting) -> None:
    with sole_server(settings):
        database, requests = sqlite_file(settings.database_url), Path(settings.data) / REQUESTS
        for file in (database, requests):
            if file.exists():
                raise fail(f"{file} exists already: restore into another folder")
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
