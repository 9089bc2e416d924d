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


def migrate(database: Database, migrations: Sequence[Migration]) -> int:
    """Apply the statements that the database does not have yet, in one transaction.

    Returns how many were applied. Several nodes may call it at once. Raises StorageError.
    """

    def apply(tx: Tx) -> int:
        tx.execute(
            "CREATE TABLE IF NOT EXISTS migrations (module TEXT NOT NULL, number INTEGER NOT NULL,"
            " PRIMARY KEY (module, number))"
        )
        done = {(module, number) for module, number in tx.execute("SELECT module, number FROM migrations")}
        new = [
            (migration.module, number, statement.format(**_WORDS[tx.dialect]))
            for migration in migrations
            for number, statement in enumerate(migration.statements)
            if (migration.module, number) not in done
        ]
        tx.execute_script([statement for _, _, statement in new])
        tx.execute_many(
            "INSERT INTO migrations (module, number) VALUES (?, ?)", [(module, number) for module, number, _ in new]
        )
        return len(new)

    return database.write(apply, lock=SCHEMA_LOCK)


def migrated_modules(database: Database) -> frozenset[str]:
    """Return the modules whose migrations were applied to the database; none for a new one. Raises StorageError."""
    return database.read(_modules)


def _modules(tx: Tx) -> frozenset[str]:
    there = {
        "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'migrations'",
        "postgres": "SELECT 1 WHERE to_regclass('migrations') IS NOT NULL",
    }
    if not tx.execute(there[tx.dialect]):
        return frozenset()
    return frozenset(row[0] for row in tx.execute("SELECT DISTINCT module FROM migrations"))
