"""Each module owns its schema: an append-only list of statements, applied once, in order.

A migration is SQL that both databases understand, but for these words:

    {key}    an integer primary key that counts up      {blob}   bytes
    {int}    a 64-bit integer                           {bool}   0 or 1, an integer on both
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tollkey.db.engine import Database, Tx

_WORDS = {
    "sqlite": {"key": "INTEGER PRIMARY KEY AUTOINCREMENT", "blob": "BLOB", "int": "INTEGER", "bool": "INTEGER"},
    "postgres": {"key": "BIGSERIAL PRIMARY KEY", "blob": "BYTEA", "int": "BIGINT", "bool": "SMALLINT"},
}


class Migration(NamedTuple):
    """What one module has ever asked of the database, oldest first. Only ever append.

    module: whose tables these are, for example ``keys``.
    statements: one SQL statement each; published ones never change.
    """

    module: str
    statements: tuple[str, ...]


def migrate(database: Database, migrations: Sequence[Migration]) -> int:
    """Bring the database up to date and return how many statements were new. Safe to run from many nodes at once."""

    def work(tx: Tx) -> int:
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

    return database.write(work, lock="migrate")
