"""Opens the database that a URL or path names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tollkey.db.bounds import Bounds
from tollkey.db.engine import Database
from tollkey.db.sqlite import SQLite

if TYPE_CHECKING:
    from tollkey.db.postgres import Postgres
    from tollkey.db.transfer_postgres import PostgresTransfer


def open_database(
    url_or_path: str,
    origin: str = "local",
    pool_size: int = 8,
    beside: Path | None = None,
    bounds: Bounds | None = None,
    direct: str = "",
) -> Database:
    """Open a database.

    url_or_path: ``postgresql://…`` (or ``postgres://…``), ``sqlite:///relative.db``, ``sqlite:////absolute.db``, or the
        path of an SQLite file, which is created if missing.
    origin: name of this process in announcements.
    pool_size: maximum number of PostgreSQL connections; ignored on SQLite.
    beside: a second SQLite file, attached for reading; ignored on PostgreSQL.
    bounds: how long work on PostgreSQL may wait; None for the defaults. Ignored on SQLite.
    direct: the URL of PostgreSQL itself, if the other is that of a pooler.

    Returns the open database. Raises ValueError for any other URL, without repeating it (it may contain a password),
    and for PostgreSQL if its driver, the extra ``postgres``, is not installed; StorageError when an SQLite file
    cannot be opened. PostgreSQL is connected to in the background.
    """
    if url_or_path.startswith(("postgresql://", "postgres://")):
        with _driver():
            return postgres_class()(url_or_path, pool_size, origin, bounds, direct)
    return SQLite(sqlite_file(url_or_path), origin, beside)


def postgres_transfer(url: str) -> PostgresTransfer:
    """Return the database of a ``postgresql://…`` URL, to read or write its tables as a whole.

    Raises ValueError for another URL, and if the driver, the extra ``postgres``, is not installed.
    """
    with _driver():
        return _postgres()[1](url)


@contextmanager
def _driver() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("psycopg"):
            raise ValueError("PostgreSQL needs its driver: pip install 'tollkey[postgres]'") from missing
        raise


#: What was meant for PostgreSQL, perhaps with a password, and is no name for a file: a misspelt URL, libpq's keywords.
_CONNECTION = re.compile(r"\s*(?:postgres(?:ql)?(?::|//)|(?:host|hostaddr|port|dbname|user|password|service)\s*=)")


def sqlite_file(url_or_path: str) -> Path:
    """Return the file that an SQLite URL or path names.

    Raises ValueError for other URLs and connection strings, and for in-memory databases.
    """
    path = url_or_path.removeprefix("sqlite:///")
    if "://" in path or _CONNECTION.match(path):
        raise ValueError("the database must be a postgresql:// URL, a sqlite:/// URL or the path of a file")
    if path in ("", ":memory:"):
        raise ValueError("an SQLite database must be a file: an in-memory database is not durable")
    return Path(path)


def postgres_class() -> type[Postgres]:
    """Import ``Postgres`` and its driver, which takes 13 MB of memory that a server on SQLite does not need.

    Raises ModuleNotFoundError when the driver, the extra ``postgres``, is not installed.
    """
    return _postgres()[0]


def _postgres() -> tuple[type[Postgres], type[PostgresTransfer]]:
    from tollkey.db import postgres, transfer_postgres

    return postgres.Postgres, transfer_postgres.PostgresTransfer
