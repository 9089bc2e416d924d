"""Migrations: each module owns an append-only list of statements, applied once and in order.

Statements are SQL that both databases accept, with these placeholders for types:

    {key}    an auto-incrementing integer primary key    {blob}   bytes
    {int}    a 64-bit integer                            {bool}   0 or 1, an integer on both
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tollkey.db.engine import Database, Tx

_WORDS = {
    "sqlite": {"key": "INTEGER PRIMARY KEY AUTOINCREMENT", "blob": "BLOB", "int": "INTEGER", "bool": "INTEGER"},
    "postgres": {"key": "BIGSERIAL PRIMARY KEY", "blob": "BYTEA", "int": "BIGINT", "bool": "SMALLINT"},
}


#: The lock of changes to the schema and of stored forms at start. On PostgreSQL no time-out ends who holds it.
SCHEMA_LOCK = "migrate"


class Migration(NamedTuple):
    """The schema statements of one module, oldest first. Released statements never change; new ones are appended.

    module: owner of the tables, for example ``keys``.
    statements: one SQL statement each.
    """

    module: str
    statements: tuple[str, ...]


class Statement(NamedTuple):
    """A statement of a module. number: its place in the module's list. sql: for the database's dialect."""

    module: str
    number: int
    sql: str


def existing_tables(tx: Tx) -> set[str]:
    """Return the names of all tables."""
    rows = tx.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        if tx.dialect == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    return {str(row[0]) for row in rows}


def create_list(tx: Tx) -> None:
    """Create the table of applied statements if it is missing."""
    tx.execute(
        "CREATE TABLE IF NOT EXISTS migrations (module TEXT NOT NULL, number INTEGER NOT NULL,"
        " PRIMARY KEY (module, number))"
    )


def new_statements(tx: Tx, migrations: Sequence[Migration]) -> list[Statement]:
    """Return the statements that the database does not have yet, in order."""
    done = set()
    if _has_list(tx):
        done = {(module, number) for module, number in tx.execute("SELECT module, number FROM migrations")}
    return [
        Statement(migration.module, number, statement.format(**_WORDS[tx.dialect]))
        for migration in migrations
        for number, statement in enumerate(migration.statements)
        if (migration.module, number) not in done
    ]


def record(tx: Tx, done: Sequence[Statement]) -> None:
    """Record statements as applied."""
    rows = [(one.module, one.number) for one in done]
    tx.execute_many("INSERT INTO migrations (module, number) VALUES (?, ?)", rows)


def migrate(database: Database, migrations: Sequence[Migration]) -> int:
    """Apply the statements that the database does not have yet, in one transaction.

    Returns how many were applied. Several nodes may call it at once. Raises StorageError.
    """

    def apply(tx: Tx) -> int:
        create_list(tx)
        new = new_statements(tx, migrations)
        tx.execute_script([one.sql for one in new])
        record(tx, new)
        return len(new)

    return database.write(apply, lock=SCHEMA_LOCK)


def migrated_modules(database: Database) -> frozenset[str]:
    """Return the modules whose migrations were applied to the database; none for a new one. Raises StorageError."""
    return database.read(_modules)


def _has_list(tx: Tx) -> bool:
    there = {
        "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'migrations'",
        "postgres": "SELECT 1 WHERE to_regclass('migrations') IS NOT NULL",
    }
    return bool(tx.execute(there[tx.dialect]))


def _modules(tx: Tx) -> frozenset[str]:
    if not _has_list(tx):
        return frozenset()
    return frozenset(row[0] for row in tx.execute("SELECT DISTINCT module FROM migrations"))
