"""Fills the tables of a new database with the rows of another one, for ``tollkey copy`` and ``tollkey restore``."""

from __future__ import annotations

from pathlib import Path

from tollkey.cli.backup_folder import DATABASE
from tollkey.cli.common import fail
from tollkey.cli.progress import Reporting
from tollkey.core import REQUESTS, create_tables
from tollkey.db.opening import postgres_transfer
from tollkey.db.transfer import Readable, Sum, copy_all, empty
from tollkey.db.transfer_sqlite import writing
from tollkey.settings import Settings

_OCCUPIED = "the PostgreSQL database is not empty: create another one"


def fill_postgres(settings: Settings, source: Readable, reporting: Reporting) -> dict[str, Sum]:
    """Copy all rows into an empty PostgreSQL database, in one transaction. Raises StorageError, typer.Exit."""
    with postgres_transfer(settings.direct_url).reading() as before:
        if not empty(before):
            raise fail(_OCCUPIED)
    create_tables(settings)
    with postgres_transfer(settings.direct_url).writing() as target:
        if not empty(target):
            raise fail(_OCCUPIED)
        return copy_all(source, target, reporting.rows)


def fill_files(source: Readable, folder: Path, reporting: Reporting) -> dict[str, Sum]:
    """Create SQLite files with all rows in a folder without any. Raises StorageError, OSError."""
    create_tables(Settings(data=str(folder)))
    with writing(folder / DATABASE, folder / REQUESTS) as target:
        return copy_all(source, target, reporting.rows)
