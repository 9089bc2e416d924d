"""Reads and writes all tables of an SQLite file for ``db/transfer.py``, and copies a file that is in use."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tollkey.db.engine import Row, StorageError
from tollkey.db.sqlite_tx import translate
from tollkey.db.transfer import Progress, Shape, Sum, contents

_ROWS = 1_000  # in a batch
_PAGES = 2_000  # copied between two reports, 8 MB


class SQLiteTables:
    """The tables of an SQLite file, and of one attached as ``beside``, through one connection with an open
    transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _run(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise translate(error) from error

    def _schemas(self) -> list[str]:
        return [row[1] for row in self._run("PRAGMA database_list") if row[1] != "temp"]

    def _places(self) -> dict[str, str]:
        """Return in which file each table is; the main file comes first."""
        found: dict[str, str] = {}
        for schema in self._schemas():
            for (table,) in self._run(f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table' ORDER BY name"):
                found.setdefault(table, schema)
        return found

    def shapes(self) -> dict[str, Shape]:
        """See ``Readable.shapes``."""
        found = {}
        for table, schema in self._places().items():
            columns = self._run("SELECT name FROM pragma_table_info(?, ?) ORDER BY name", (table, schema))
            others = self._run('SELECT "table" FROM pragma_foreign_key_list(?, ?)', (table, schema))
            found[table] = Shape(tuple(row[0] for row in columns), frozenset(row[0] for row in others))
        return found

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Row]]:
        """See ``Readable.rows``."""
        try:
            cursor = self._connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid")
            while batch := cursor.fetchmany(_ROWS):
                yield batch
        except sqlite3.Error as error:
            raise translate(error) from error

    def counters(self) -> dict[str, int]:
        """See ``Readable.counters``."""
        if "sqlite_sequence" not in self._places():
            return {}
        found: dict[str, int] = {}
        for schema in reversed(self._schemas()):
            found.update(self._run(f"SELECT name, seq FROM {schema}.sqlite_sequence"))
        return found

    def marks(self) -> set[Row]:
        """See ``Readable.marks``."""
        if "migrations" not in self._places():
            return set()
        return {
            row for schema in self._schemas() for row in self._run(f"SELECT module, number FROM {schema}.migrations")
        }

    def insert(self, table: str, columns: Sequence[str], batches: Iterator[Sequence[Row]]) -> None:
        """See ``Writable.insert``."""
        marks = ", ".join("?" for _ in columns)
        for batch in batches:
            try:
                self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", batch)
            except sqlite3.Error as error:
                raise translate(error) from error

    def set_counter(self, table: str, last: int) -> None:
        """See ``Writable.set_counter``."""
        sequences = f"{self._places()[table]}.sqlite_sequence"
        self._run(f"DELETE FROM {sequences} WHERE name = ?", (table,))
        self._run(f"INSERT INTO {sequences} (name, seq) VALUES (?, ?)", (table, last))


@contextmanager
def reading(file: Path, beside: Path | None = None) -> Iterator[SQLiteTables]:
    """Read an existing file in one snapshot, within a ``with`` block. beside: another one. Raises StorageError."""
    with _open(file, beside) as connection:
        yield SQLiteTables(connection)


@contextmanager
def _open(file: Path, beside: Path | None = None) -> Iterator[sqlite3.Connection]:
    try:
        with closing(_connect(file, beside)) as connection:
            connection.execute("PRAGMA busy_timeout = 10000")
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # begins the snapshot
            yield connection
    except sqlite3.Error as error:
        raise translate(error) from error


def _connect(file: Path, beside: Path | None) -> sqlite3.Connection:
    """Open files that exist."""
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
    if beside is not None:
        connection.execute("ATTACH DATABASE ? AS beside", (f"{beside.resolve().as_uri()}?mode=rw",))
    return connection


@contextmanager
def writing(file: Path, beside: Path | None = None) -> Iterator[SQLiteTables]:
    """Write files that nobody else uses in one transaction, committed at the end of the ``with`` block.

    They are durable on its return, without WALs beside them. The block is left with an exception: they are unchanged.
    Raises StorageError.
    """
    try:
        with closing(_connect(file, beside)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")  # checked at the end; tables may come in any order
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SQLiteTables(connection)
                broken = connection.execute("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise StorageError(f"{len(broken)} rows refer to rows that do not exist, in {broken[0][0]}")
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("PRAGMA main.journal_mode = DELETE")
            if beside is not None:
                connection.execute("PRAGMA beside.journal_mode = DELETE")
    except sqlite3.Error as error:
        raise translate(error) from error
    for path in (file, beside):
        if path is not None:
            flush(path)


def back_up(file: Path, to: Path, percent: Callable[[int], None], progress: Progress) -> dict[str, Sum]:
    """Copy a file that may be in use, as it is at one moment, and return what its tables contain.

    Nobody waits for it: writes go on, and their WAL grows until the copy is complete. The copy is read back and
    compared. percent: told how much is copied. progress: told which rows were compared.
    Raises StorageError, OSError, and FileExistsError when ``to`` exists.
    """
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def report(_status: int, remaining: int, total: int) -> None:
        percent(100 * (total - remaining) // max(1, total))

    with _open(file) as source:
        try:
            with closing(sqlite3.connect(to, isolation_level=None)) as copy:
                source.backup(copy, pages=_PAGES, progress=report)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL beside it
        except sqlite3.Error as error:
            raise translate(error) from error
        here = contents(SQLiteTables(source), progress)
    flush(to)
    if verified(to, progress) != here:
        raise StorageError(f"the copy {to} is not equal to {file}")
    return here


def verified(file: Path, progress: Progress) -> dict[str, Sum]:
    """Return what the tables of a file contain. Raises StorageError for a damaged file."""
    with _open(file) as connection:
        answer = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if answer != "ok":
            raise StorageError(f"{file} is damaged: {' '.join(answer.split())}")
        return contents(SQLiteTables(connection), progress)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Raises OSError."""
    if os.name == "nt" and path.is_dir():  # Windows cannot
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
