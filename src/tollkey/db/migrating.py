"""Migrates a database that servers go on using: in steps that each hold locks for a short time.

What is quick is done in one transaction: new tables, new columns. Columns that are indexed are then filled some rows at
a time, and their indexes are created last, on PostgreSQL CONCURRENTLY. A run that is interrupted is repeated: what is
done is found in the database.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from tollkey.db import filling
from tollkey.db.engine import Database, LockTimeout, StorageError, Tx
from tollkey.db.schema import SCHEMA_LOCK, Migration, Statement, create_list, existing_tables, new_statements, record
from tollkey.db.table import Table, column, existing_columns, existing_indexes

T = TypeVar("T")

#: Rows of a table up to which a server migrates it at its start.
SMALL = 10_000
_PIECE = 1_000  # rows filled in one transaction
_LOCK = "SET LOCAL lock_timeout = '2s'"  # who waits for the lock of a table makes all others wait behind it
_ATTEMPTS = 60  # to get such a lock
_INDEX = re.compile(r"\s*CREATE (UNIQUE )?INDEX (?:IF NOT EXISTS )?(\w+) ON (\w+)")
_DROP = re.compile(r"\s*DROP INDEX (?:IF EXISTS )?(\w+)")

Progress = Callable[[str], None]


class NeedsMigration(StorageError):
    """The database lacks what this version needs, and its setting says that a server does not add it."""


@dataclass(frozen=True)
class Plan:
    """What a database lacks.

    statements: of modules, in order, without those in ``indexes``. indexes: of modules, on tables that exist, and the
        removal of those that they replace.
    tables: to create. columns: fields whose columns are to be added, by table.
    fills: fields whose columns are to be filled and indexed, by table.
    rows: of the tables in ``fills`` and ``indexes``, at most ``SMALL + 1``.
    """

    statements: list[Statement] = field(default_factory=list)
    indexes: list[Statement] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    columns: list[tuple[Table, list[str]]] = field(default_factory=list)
    fills: list[tuple[Table, list[str]]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def small(self) -> bool:
        """Whether no table with more than ``SMALL`` rows is filled or indexed."""
        return all(rows <= SMALL for rows in self.rows.values())

    def lines(self) -> list[str]:
        """Return a line for each step."""
        return [
            *(f"{one.module} {one.number}: {' '.join(one.sql.split())[:90]}" for one in self.statements),
            *(f"create {table.table}" for table in self.tables),
            *(f"add {table.table}.{column(name)}" for table, names in self.columns for name in names),
            *(
                f"fill and index {table.table}.{column(name)} ({_about(self.rows[table.table])})"
                for table, names in self.fills
                for name in names
            ),
            *(self._about_index(one.sql) for one in self.indexes),
        ]

    def _about_index(self, sql: str) -> str:
        table = _indexed(sql)
        return f"index {table} ({_about(self.rows[table])})" if table else " ".join(sql.split())


def _about(rows: int) -> str:
    return f"{rows:,} rows" if rows <= SMALL else f"more than {SMALL:,} rows"


def _indexed(sql: str) -> str:
    """Return the table of a statement that creates an index; empty for another statement."""
    found = _INDEX.match(sql)
    return found[3] if found is not None else ""


def find(tx: Tx, migrations: Sequence[Migration], tables: Iterable[Table]) -> Plan:
    """Return what a database lacks. migrations: of modules. tables: the object tables."""
    plan, there, indexes, all_tables = Plan(), existing_columns(tx), existing_indexes(tx), existing_tables(tx)
    for statement in new_statements(tx, migrations):
        # An index is dropped after the one that replaces it was created: older nodes need one of them.
        replaced = _DROP.match(statement.sql) and any(one.module == statement.module for one in plan.indexes)
        late = tx.dialect == "postgres" and (_indexed(statement.sql) in all_tables or replaced)
        (plan.indexes if late else plan.statements).append(statement)
    for table in tables:
        if table.table not in there:
            plan.tables.append(table)
            continue
        added = [name for name in table.indexed if column(name) not in there[table.table]]
        unfilled = [name for name in table.indexed if table.index(name)[:63] not in indexes]
        if added:
            plan.columns.append((table, added))
        if added or unfilled:
            plan.fills.append((table, [name for name in table.indexed if name in added or name in unfilled]))
    indexed = {_indexed(one.sql) for one in plan.indexes} - {""}
    for name in {*(table.table for table, _ in plan.fills), *indexed}:
        plan.rows[name] = tx.execute(f"SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {SMALL + 1}) AS few")[0][0]
    return plan


def run(
    database: Database,
    migrations: Sequence[Migration],
    tables: Sequence[Table],
    progress: Progress = lambda line: None,
    *,
    piece: int = _PIECE,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Give a database what it lacks, while servers of the version before go on using it.

    Several processes may call it at once. progress: told what is done. piece: rows filled in one transaction. pause:
    waits for a number of seconds. Raises StorageError; it may be called again then.
    """
    plan = _quickly(database, migrations, tables, pause)
    if not plan.fills and not plan.indexes:
        return
    with database.alone() as execute:
        plan = database.read(lambda tx: find(tx, migrations, tables))  # another process may have done it meanwhile
        for table, names in plan.fills:
            _fill(database, table, names, progress, piece)
            for name in names:
                progress(f"indexing {table.table}.{column(name)}")
                _index(execute, database, table.create_index(name), table.index(name))
        for statement in plan.indexes:
            _index_late(execute, database, statement.sql, progress)
            database.write(lambda tx, done=statement: record(tx, [done]), lock=SCHEMA_LOCK)  # type: ignore[misc]


def _index_late(execute: Callable[[str], None], database: Database, sql: str, progress: Progress) -> None:
    """Create an index, or drop one, without blocking writes."""
    found = _INDEX.match(sql)
    if found is not None:
        progress(f"indexing {found[3]}")
        _index(execute, database, sql, found[2])
    elif (dropped := _DROP.match(sql)) is not None:
        progress(f"dropping index {dropped[1]}")
        execute(f"DROP INDEX CONCURRENTLY IF EXISTS {dropped[1]}")


def _quickly(
    database: Database, migrations: Sequence[Migration], tables: Sequence[Table], pause: Callable[[float], None]
) -> Plan:
    """Do what takes no longer for large tables, in one transaction, and return the whole plan."""

    def work(tx: Tx) -> Plan:
        create_list(tx)
        plan = find(tx, migrations, tables)
        statements = [one.sql for one in plan.statements]
        statements += [statement for table in plan.tables for statement in table.create(tx.dialect)]
        for table, names in plan.columns:
            for name in names:
                statements.append(table.add_column(name))
                if tx.dialect == "postgres":
                    statements += filling.triggers(table, name)
        if statements and tx.dialect == "postgres":
            tx.execute_script([_LOCK])
        tx.execute_script(statements)
        record(tx, plan.statements)
        return plan

    return _patiently(database, work, pause)


def finish(database: Database, pause: Callable[[float], None] = time.sleep) -> int:
    """Drop the triggers that fill columns, and return how many there were. pause: see ``run``. Raises StorageError."""

    def work(tx: Tx) -> int:
        if tx.dialect == "postgres":
            tx.execute_script([_LOCK])
        return filling.drop_triggers(tx)

    return _patiently(database, work, pause)


def _patiently(database: Database, work: Callable[[Tx], T], pause: Callable[[float], None]) -> T:
    """Run what locks tables, again while a long transaction uses one of them. Raises StorageError."""
    for _ in range(_ATTEMPTS):
        try:
            return database.write(work, lock=SCHEMA_LOCK)
        except LockTimeout:  # requests go on before the next attempt
            pause(1.0)
    return database.write(work, lock=SCHEMA_LOCK)


def _fill(database: Database, table: Table, names: Sequence[str], progress: Progress, piece: int) -> None:
    # Later rows are filled by triggers. Without an end, this would follow their writers for ever.
    end = database.read(lambda tx: tx.execute(f"SELECT coalesce(max(seq), 0) FROM {table.table}")[0][0])
    last: int | None = 0
    done = 0
    while last is not None:
        progress(f"filling {table.table}: {done:,} rows so far")
        last = database.write(partial(filling.fill, table=table, fields=names, after=last, end=end, rows=piece))
        done += piece


def _index(execute: Callable[[str], None], database: Database, statement: str, name: str) -> None:
    """Create an index without blocking writes on PostgreSQL, where an attempt that failed leaves an invalid one."""
    if database.dialect == "postgres":
        execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        statement = re.sub(r"INDEX (IF NOT EXISTS )?", "INDEX CONCURRENTLY ", statement, count=1)
    execute(statement)
