"""From the text of a setting to a database."""

from __future__ import annotations

from pathlib import Path

from tollkey.db.engine import Database
from tollkey.db.sqlite import SQLite


def open_database(url_or_path: str, sender: str = "local", pool_size: int = 8, beside: Path | None = None) -> Database:
    """Open the database that a setting names.

    url_or_path: ``postgresql://…`` (or ``postgres://…``), ``sqlite:///relative.db``,
        ``sqlite:////absolute.db``, or the plain path of an SQLite file.
    sender: tells this process's notifications from those of others; unique to the process.
    pool_size: connections to PostgreSQL at most; SQLite needs none.
    beside: a second SQLite file whose tables can be read here too; PostgreSQL has no use for it.

    Raises ValueError for a URL of another kind, without repeating it: it may hold a password.
    """
    if url_or_path.startswith(("postgresql://", "postgres://")):
        from tollkey.db.postgres import Postgres  # here, so that an embedded server does without the driver

        return Postgres(url_or_path, pool_size, sender)
    return SQLite(sqlite_file(url_or_path), sender, beside)


def sqlite_file(url_or_path: str) -> Path:
    """The file of an SQLite database that a setting names. Raises ValueError when it names none."""
    path = url_or_path.removeprefix("sqlite:///")
    if "://" in path:
        raise ValueError("a database is named by postgresql://…, by sqlite:///…, or by the path of a file")
    if path in ("", ":memory:"):
        raise ValueError("an SQLite database needs a file: answers are sent once they are on disk")
    return Path(path)
