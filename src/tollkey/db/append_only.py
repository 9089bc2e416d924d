"""Tables that only grow: the database itself refuses to change or remove a row, or to put one in before the last.

It holds against statements (UPDATE, DELETE, TRUNCATE, REPLACE in each of its forms, upserts), whoever sends them. Who
may
alter the schema can take the triggers away: that is what a hash chain over the rows is for.
"""

from __future__ import annotations

from tollkey.db.engine import Tx


def append_only(tx: Tx, table: str) -> None:
    """Make the database refuse all but new rows at the end of ``table``, whose key is ``seq``. Safe to repeat.

    No other column of the table may be UNIQUE: REPLACE would remove the row that is in the way without a word (SQLite).
    """
    for statement in _sqlite(table) if tx.dialect == "sqlite" else _postgres(table):
        tx.execute(statement)


def _sqlite(table: str) -> tuple[str, ...]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        # REPLACE runs no trigger for the row that it removes, unless recursive_triggers is on, which each connection
        # decides.
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
