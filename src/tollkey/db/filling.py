"""The values of indexed columns, computed by the database from the JSON of the objects.

A column that is added to a table with many rows is filled by these expressions, some rows at a time. Meanwhile, and as
long as nodes of an older version write to the table, triggers fill it in the rows that these write (on PostgreSQL; one
server at a time uses an SQLite file). ``Table.values`` computes the same in Python.
"""

from __future__ import annotations

from collections.abc import Sequence

from tollkey.db.engine import Dialect, Tx
from tollkey.db.indexed import IN_POSTGRES
from tollkey.db.table import Table, column

_TRIGGER = "fill_"  # begins the names of triggers and of their functions
_LONGEST_NAME = 63  # characters, in PostgreSQL
_BACKSLASH_U = r"'((?:^|[^\\])(?:\\\\)*)\\u0000'"

#: Returns a scalar as ``Table.values`` does. A NUL, which neither JSON functions nor TEXT can hold, is left out.
FUNCTION = rf"""CREATE OR REPLACE FUNCTION object_field(object bytea, path text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    whole text := convert_from(object, 'UTF8');
    before text;
    found json;
BEGIN
    WHILE position('\u0000' IN whole) > 0 LOOP
        before := whole;
        whole := regexp_replace(whole, {_BACKSLASH_U}, '\1', 'g');
        EXIT WHEN whole = before;
    END LOOP;
    found := whole::json #> path;
    IF found IS NULL OR json_typeof(found) IN ('object', 'array', 'null') THEN
        RETURN NULL;
    END IF;
    whole := found #>> '{{}}';
    RETURN {IN_POSTGRES};
END $$"""


def expression(dialect: Dialect, field: str, row: str = "") -> str:
    """Return the SQL expression of an indexed field's value. row: the name of the row, with a dot; "" for none."""
    names = field.split(".")
    stored = row + ("private" if names[0].startswith("_") else "body")
    if dialect == "postgres":
        return f"object_field({stored}, '{{{','.join(names)}}}')"
    json, path = f"CAST({stored} AS TEXT)", "$" + "".join(f'."{name}"' for name in names)
    return (
        f"CASE json_type({json}, '{path}') WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        " WHEN 'object' THEN NULL WHEN 'array' THEN NULL"
        f" ELSE indexed_text(CAST(json_extract({json}, '{path}') AS TEXT)) END"
    )


def fill(tx: Tx, table: Table, fields: Sequence[str], after: int, end: int, rows: int) -> int | None:
    """Fill columns in the next rows; a row whose values are right is not written.

    after: the last row of the call before, by ``seq``; 0 for the first. end: the last row of all. rows: how many to
    look at. Returns the last row that was looked at, None when there are no more.
    """
    last = tx.execute(
        f"SELECT max(seq) FROM (SELECT seq FROM {table.table} WHERE seq > ?"
        " AND seq <= ? ORDER BY seq LIMIT ?) AS piece",
        (after, end, rows),
    )[0][0]
    if last is None:
        return None
    values = {column(field): expression(tx.dialect, field) for field in fields}
    changes = ", ".join(f"{name} = {value}" for name, value in values.items())
    differs = "IS DISTINCT FROM" if tx.dialect == "postgres" else "IS NOT"
    wrong = " OR ".join(f"{name} {differs} {value}" for name, value in values.items())
    tx.execute(f"UPDATE {table.table} SET {changes} WHERE seq > ? AND seq <= ? AND ({wrong})", (after, last))
    return int(last)


def triggers(table: Table, field: str) -> list[str]:
    """Return the statements that make PostgreSQL fill a column in every row that is written from now on."""
    name = f"{_TRIGGER}{column(field)}_{table.table}"[:_LONGEST_NAME]
    return [
        FUNCTION,
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN NEW.{column(field)} := {expression('postgres', field, 'NEW.')}; RETURN NEW; END $$",
        f"CREATE OR REPLACE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table.table}"
        f" FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def triggers_there(tx: Tx) -> list[tuple[str, str]]:
    """Return the triggers that fill columns: pairs of table and name."""
    if tx.dialect == "sqlite":
        return []
    rows = tx.execute(
        "SELECT c.relname, t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND starts_with(t.tgname::text, ?) ORDER BY 1, 2",
        (_TRIGGER,),
    )
    return [(str(table), str(name)) for table, name in rows]


def drop_triggers(tx: Tx) -> int:
    """Drop the triggers that fill columns, and return how many there were."""
    there = triggers_there(tx)
    for table, name in there:
        tx.execute_script([f"DROP TRIGGER {name} ON {table}", f"DROP FUNCTION {name}()"])
    return len(there)
