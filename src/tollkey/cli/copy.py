"""``tollkey copy``: move a server from SQLite to PostgreSQL, or back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tollkey.cli.backup_folder import DATABASE, check_alone, install
from tollkey.cli.common import AsJson, Data, Database, fail, settings_of, show
from tollkey.cli.filling import fill_files, fill_postgres
from tollkey.cli.progress import Reporting
from tollkey.core import REQUESTS, sole_server
from tollkey.db.opening import postgres_transfer, sqlite_file
from tollkey.db.transfer import Readable, Sum
from tollkey.db.transfer_sqlite import reading, verified
from tollkey.settings import Settings

_PARTIAL = "copy."  # begins the name of the folder in which files are filled


def copy(
    to: Annotated[
        str,
        typer.Option(
            envvar="TOLLKEY_COPY_TO",
            help="An empty PostgreSQL database, postgresql://…, or the data folder to create an SQLite database in.",
        ),
    ],
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Copy the whole database from SQLite to PostgreSQL, or back, and check every row.

    Stop all servers first. All rows are copied, or none; what is copied from is not changed. The keyring is not copied:
    the copy needs the same one.
    """
    reporting = Reporting()
    with settings_of(data, database) as settings:
        target = replace(settings, database=to) if _in_postgres(to) else replace(settings, data=to, database="")
        if settings.in_postgres == target.in_postgres:
            raise fail("--to is of the same kind as the database: use `tollkey backup` and `tollkey restore`", 2)
        with _stopped(settings) as source:
            if target.in_postgres:
                tables = fill_postgres(target, source, reporting)
            else:
                tables = _new_files(source, Path(to), reporting)
    rows = sum(one.rows for one in tables.values())
    facts = {name: one._asdict() for name, one in sorted(tables.items())}
    keyring = f"Start the server on it with the same keyring: the one in {settings.data} unless you set another."
    show(
        {"rows": rows, "tables": facts},
        as_json,
        lambda: [f"{rows:,} rows of {len(tables)} tables copied and checked", keyring],
    )


def _in_postgres(address: str) -> bool:
    return address.startswith(("postgresql://", "postgres://"))


@contextmanager
def _stopped(settings: Settings) -> Iterator[Readable]:
    """Read a database that no server uses, within a ``with`` block. Raises StorageError, typer.Exit."""
    if settings.in_postgres:
        for pause in (0.1,) * 20:  # a server that was just stopped is listed for a moment
            connections = postgres_transfer(settings.direct_url).servers()
            if not connections:
                break
            time.sleep(pause)
        else:
            raise fail(f"servers have {connections} connections to the database: stop them first")
        with postgres_transfer(settings.direct_url).reading() as tables:
            yield tables
        return
    file = sqlite_file(settings.database_url)
    if not file.exists():
        raise fail(f"there is no database in {settings.data}")
    with sole_server(settings), reading(file, Path(settings.data) / REQUESTS) as tables:
        yield tables


def _new_files(source: Readable, folder: Path, reporting: Reporting) -> dict[str, Sum]:
    """Create the SQLite files in a data folder, the database last.

    What a killed command left there is deleted, or kept if it is the same. Raises StorageError, OSError, typer.Exit.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with sole_server(Settings(data=str(folder))):
        database, requests = folder / DATABASE, folder / REQUESTS
        for file in (database, requests):
            check_alone(file)
        if os.path.lexists(database):
            raise fail(f"{database} exists already: copy into another folder")
        for left in folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(left)
        with TemporaryDirectory(prefix=_PARTIAL, dir=folder) as partial:
            tables = fill_files(source, Path(partial), reporting)
            if not os.path.lexists(requests):
                install(Path(partial) / REQUESTS, requests)
            elif verified(requests, reporting.rows) != verified(Path(partial) / REQUESTS, reporting.rows):
                raise fail(f"{requests} exists already: copy into another folder")
            install(Path(partial) / DATABASE, database)
    return tables
