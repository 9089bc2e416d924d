"""From the text of a setting to a database."""

from __future__ import annotations

import re
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

    Raises ValueError for a URL of another kind, without repeating it: it may hold a password. So it does for PostgreSQL
    where its driver, the extra ``postgres``, is not installed.
    """
    if url_or_path.startswith(("postgresql://", "postgres://")):
        try:
            from tollkey.db.postgres import Postgres  # here, so that an embedded server does without the driver
        except ModuleNotFoundError as missing:
            if (missing.name or "").startswith("psycopg"):
                raise ValueError("PostgreSQL needs its driver: pip install 'tollkey[postgres]'") from missing
            raise

        _check_readable(url_or_path)
        return Postgres(url_or_path, pool_size, sender)
    return SQLite(sqlite_file(url_or_path), sender, beside)


def _check_readable(url: str) -> None:
    """Raise ValueError, without repeating the address, when it cannot be read, or when a part of its password would be
    read as a host.

    libpq ends the password at the first ``@`` or ``/``, and its messages name the host: so an ``@`` may stand there
    once, before any ``/``, ``?`` or ``#``.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    rest = url.partition("://")[2]
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    try:
        conninfo_to_dict(url)
        clear = rest.count("@") == host.count("@") <= 1
    except psycopg.Error:
        clear = False
    if not clear:
        raise ValueError(
            "the postgresql:// address of the database cannot be read: is a part missing, or not percent-encoded?"
            " In user name and password, @ is written %40, / %2F, : %3A, ? %3F, # %23 and % %25"
        )


def sqlite_file(url_or_path: str) -> Path:
    """The file of an SQLite database that a setting names. Raises ValueError when it names none."""
    path = url_or_path.removeprefix("sqlite:///")
    if "://" in path:
        raise ValueError("a database is named by postgresql://…, by sqlite:///…, or by the path of a file")
    if path in ("", ":memory:"):
        raise ValueError("an SQLite database needs a file: answers are sent once they are on disk")
    return Path(path)
