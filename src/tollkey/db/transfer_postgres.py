"""Reads and writes all tables of a PostgreSQL database for ``db/transfer.py``, through a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tollkey.db.bounds import UNBOUNDED_SESSION
from tollkey.db.engine import Row, StorageError
from tollkey.db.postgres import lock_number
from tollkey.db.postgres_tx import Connection, run_constant, translate
from tollkey.db.postgres_url import check_readable
from tollkey.db.transfer import Shape

_ROWS = 1_000  # in a batch
_NAME = "tollkey copy"  # application_name; servers call themselves "tollkey"
_COUNTED = ("seq", "id")


class PostgresTables:
    """The tables of the current schema, through one connection with an open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def shapes(self) -> dict[str, Shape]:
        """See ``Readable.shapes``."""
        columns: dict[str, list[str]] = {}
        for table, name in self._run(
            "SELECT table_name, c.column_name FROM information_schema.columns AS c"
            " JOIN information_schema.tables AS t USING (table_schema, table_name)"
            " WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
        ):
            columns.setdefault(table, []).append(name)
        references: dict[str, set[str]] = {}
        for table, other in self._run(
            "SELECT a.relname, b.relname FROM pg_constraint AS k JOIN pg_class AS a ON a.oid = k.conrelid"
            " JOIN pg_class AS b ON b.oid = k.confrelid"
            " WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace"
        ):
            references.setdefault(table, set()).add(other)
        return {
            table: Shape(tuple(sorted(names)), frozenset(references.get(table, ()))) for table, names in columns.items()
        }

    def _run(self, statement: str) -> list[Row]:
        try:
            return self._connection.execute(statement.encode()).fetchall()
        except psycopg.Error as error:
            raise translate(error) from error

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Row]]:
        """See ``Readable.rows``."""
        counted = next((name for name in _COUNTED if name in self._counted().get(table, ())), None)
        order = f" ORDER BY {counted}" if counted else ""
        try:
            with self._connection.cursor(name="rows", binary=True) as cursor:
                cursor.execute(f"SELECT {', '.join(columns)} FROM {table}{order}".encode())
                while batch := cursor.fetchmany(_ROWS):
                    yield batch
        except psycopg.Error as error:
            raise translate(error) from error

    def _counted(self) -> dict[str, tuple[str, str]]:
        """Return the counted column of each table, with the sequence that counts it."""
        return {
            table: (name, sequence)
            for table, name, sequence in self._run(
                "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)"
                " FROM information_schema.columns WHERE table_schema = current_schema()"
                " AND column_default LIKE 'nextval(%'"
            )
        }

    def counters(self) -> dict[str, int]:
        """See ``Readable.counters``."""
        last = {}
        for table, (_, sequence) in self._counted().items():
            value, called = self._run(f"SELECT last_value, is_called FROM {sequence}")[0]
            if called:
                last[table] = int(value)
        return last

    def marks(self) -> set[Row]:
        """See ``Readable.marks``."""
        return set(self._run("SELECT module, number FROM migrations")) if "migrations" in self.shapes() else set()

    def insert(self, table: str, columns: Sequence[str], batches: Iterator[Sequence[Row]]) -> None:
        """See ``Writable.insert``."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        try:
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                for batch in batches:
                    for row in batch:
                        copy.write_row(row)
        except (psycopg.Error, ValueError) as error:  # ValueError: for example a NUL character
            if isinstance(error, psycopg.Error):
                raise translate(error) from error
            raise StorageError(f"a row of {table} cannot be stored in PostgreSQL: {error}") from error

    def set_counter(self, table: str, last: int) -> None:
        """See ``Writable.set_counter``."""
        if table in self._counted():
            self._run(f"SELECT setval('{self._counted()[table][1]}', {last:d})")


class PostgresTransfer:
    """A PostgreSQL database whose tables are read or written as a whole. url: ``postgresql://…``."""

    def __init__(self, url: str) -> None:
        check_readable(url)
        self._url = url

    @contextmanager
    def reading(self) -> Iterator[PostgresTables]:
        """Read the database in one snapshot, within a ``with`` block. Writes go on meanwhile. Raises StorageError."""
        with self._connected() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresTables(connection)

    @contextmanager
    def writing(self) -> Iterator[PostgresTables]:
        """Write the database in one transaction, committed at the end of the ``with`` block.

        An exception rolls it back. Servers that start meanwhile wait for it. Raises StorageError.
        """
        with self._connected() as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_number("migrate"),))
            yield PostgresTables(connection)
            connection.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with psycopg.connect(self._url, autocommit=True, application_name=_NAME, connect_timeout=5) as connection:
                run_constant(connection, UNBOUNDED_SESSION)
                yield connection
        except psycopg.Error as error:
            raise translate(error) from error

    def servers(self) -> int:
        """Return how many connections servers and commands of Tollkey have to the database. Raises StorageError."""
        with self._connected() as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'tollkey'"
            ).fetchone()
        return int(found[0]) if found is not None else 0
