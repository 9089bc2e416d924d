"""Append-only tables: triggers make the database refuse to change or delete a row, or to insert one before the last.

The triggers refuse UPDATE, DELETE, TRUNCATE, every form of REPLACE, and upserts, from any client. A user who may alter
the schema can drop the triggers; a hash chain over the rows (``keys/chain.py``) detects that.
"""

from __future__ import annotations

from tollkey.db.engine import Tx


def append_only(tx: Tx, table: str) -> None:
    """Install the triggers that allow only inserts at the end of ``table``. May be called again.

    tx: a write transaction.
    table: its primary key is ``seq``. No other column may be UNIQUE: on SQLite, REPLACE would delete the row with the
        same value without running a trigger.
    Raises StorageError.
    """
    for statement in _sqlite(table) if tx.dialect == "sqlite" else _postgres(table):
        tx.execute(statement)


def _sqlite(table: str) -> tuple[str, ...]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        # REPLACE runs no DELETE trigger for the row it replaces unless the connection has recursive_triggers on.
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table}"
        f" WHEN EXISTS (SELECT 1 FROM {table} WHERE seq = NEW.seq) {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_at_end AFTER INSERT ON {table}"
        f" WHEN NEW.seq < 1 OR NEW.seq < (SELECT max(seq) FROM {table}) {refuse}",
    )


def _postgres(table: str) -> tuple[str, ...]:
    return (
        "CREATE OR REPLACE FUNCTION append_only_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
        f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION append_only_refuse()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change",  # under session_replication_role = replica too
    )
