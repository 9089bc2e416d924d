"""A database with very many keys, and how much of it a statement reads.

Half of the keys are of one account, ``big``: its oldest thirty are of all kinds, two of three of them active; of the
others half are revoked, half expired. The rest are of accounts with ten keys each.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tollkey.db import Database, SQLite, Tx, engine
from tollkey.db.postgres import Postgres

T = TypeVar("T")
DAY = 86400
_ACTIVE = 30  # the oldest keys of the big account


def fill(database: Database, count: int, now: int) -> None:
    """Store so many keys, and for each its last use, an entry of the audit log, and counted requests of three days."""
    half = count // 2
    past, future = now - 40 * DAY, now + 40 * DAY
    old = f"i >= {_ACTIVE} AND i < {half}"
    digest = "randomblob(32)" if database.dialect == "sqlite" else "sha256(CAST(CAST(i AS TEXT) AS bytea))"
    number = f"(CASE WHEN i < {half} THEN {half - 1} - i ELSE i END)"  # the newest of the big account is number 0
    padded = f"'mk_' || substr('000000000000000000000000' || {number}, -24)"
    if database.dialect == "postgres":
        padded = f"'mk_' || lpad(CAST({number} AS TEXT), 24, '0')"
    account = f"CASE WHEN i < {half} THEN 'big' ELSE 'cus_' || (i / 10) END"
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
    kind = "CASE WHEN i % 3 = 0 AND i < 30 THEN 'publishable' WHEN i % 3 = 1 THEN 'secret' ELSE 'restricted' END"
    columns = {
        "id": padded,
        "account": account,
        "livemode": f"CASE WHEN i < {half} OR i % 4 > 0 THEN 1 ELSE 0 END",
        "kind": kind,
        "name": "''",
        "note": "''",
        "permissions": "'[]'",
        "connect_permissions": "'[]'",
        "ip_allowlist": "'[]'",
        "created": str(past - 60 * DAY),
        "created_by": "'system'",
        "expires_at": f"CASE WHEN {old} AND i % 2 = 0 THEN {past} + i / 1000 WHEN {old} THEN NULL"
        f" WHEN i % 50 = 7 THEN {future} + i / 1000 ELSE NULL END",
        "revoked_at": f"CASE WHEN ({old} AND i % 2 = 1) OR (i >= {half} AND i % 100 = 2) THEN {past} ELSE NULL END",
        "redacted": "'…' || substr('0000' || i, -4)" if database.dialect == "sqlite" else "'…' || right('000' || i, 4)",
        "masked": "''",
        "token": "CASE WHEN i % 3 = 0 AND i < 30 THEN 'pk_' || i ELSE NULL END",
        "hides_after_reveal": "0",
        "is_default": "0",
        "imported": "0",
        "version": "1",
        "digest": digest,
        "digest_key": "'d1'",
        "disabled_at": f"CASE WHEN i >= {half} AND i % 100 = 3 THEN {past} ELSE NULL END",
        "rotate_every": f"CASE WHEN i >= {half} AND i % 100 = 4 THEN 86400 ELSE NULL END",
        "rotate_at": f"CASE WHEN i >= {half} AND i % 100 = 4 THEN {future} + i / 1000 ELSE NULL END",
    }
    mode = columns["livemode"]
    statements = (
        _insert("api_keys", columns, numbers),
        f"{_into('key_usage', 'key_id, account, livemode, last_used_at, ip, endpoint, uses')}"
        f" {numbers} SELECT {padded}, {account}, {mode}, {past}, '192.0.2.1', 'GET /', 1 FROM n",
        f"{_into('key_audit', 'account, livemode, at, action, key_id, actor_kind, actor_id, was, became')} {numbers}"
        f" SELECT {account}, {mode}, {past}, 'updated', {padded}, 'system', 'system', '{{}}', '{{}}' FROM n",
        *(_counted(numbers, padded, account, mode, step, now - now % step - 3 * DAY) for step in (60, 3600, DAY)),
        f"{_into('refused_attempts', 'since, what, reason, address, subject, attempts, last_at')} {numbers}"
        f" SELECT {past} + (i / 100) * 3600, 'key', 'unknown', '192.0.2.' || (i % 100), '', 1, {past} FROM n"
        f" WHERE i < {count // 10}",
        f"{_into('key_addresses', 'key_id, address, first_at, known')} {numbers}"
        f" SELECT {padded}, '192.0.2.1', {past}, 1 FROM n",
    )
    for statement in statements:
        database.write(lambda tx, statement=statement: tx.execute(statement))  # type: ignore[misc]


def fill_rooms(database: Database, count: int, now: int) -> None:
    """Store what the rooms have beside keys: leaks, notices, portal sessions, plans, stored answers, limits."""
    past = now - 40 * DAY
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
    blob = "CAST(CAST(i AS TEXT) AS BLOB)" if database.dialect == "sqlite" else "CAST(CAST(i AS TEXT) AS bytea)"
    rows = {
        "key_leaks": {
            "key_id": "'mk_' || i", "account": "'big'", "livemode": "1", "at": str(past), "source": "'github'",
            "url": "''", "outcome": "'none'",
        },
        "key_notices_announced": {"key_id": "'mk_' || i", "what": "'leaked'", "mark": "i"},
        "portal_sessions": {
            "id": "'ps_' || i", "account": "'big'", "livemode": "1", "may": "'[]'", "permissions": "'[]'",
            "ui_mode": "'hosted'", "created": str(now), "created_by": "'system'", "token": blob,
            "ends_at": str(now + 60),
        },
        "account_plans": {"account": "'cus_' || i", "livemode": "1", "plan": "'pro'", "set_at": str(past)},
        "service_requests": {
            "caller": "'mk_1'", "name": blob, "request": blob, "answer": blob, "created": str(now),
        },
        "limit_counts": {
            "bucket": "'b' || i", "since": "0", "taken": "1", "level": "0", "at": "0", "until": str(now + DAY),
        },
    }  # fmt: skip
    for table, columns in rows.items():
        database.write(lambda tx, table=table, columns=columns: tx.execute(_insert(table, columns, numbers)))  # type: ignore[misc]


def _counted(numbers: str, key: str, account: str, mode: str, step: int, since: int) -> str:
    columns = "key_id, step, since, route, outcome, permission, account, livemode, requests, cost"
    return (
        f"{_into('key_request_counts', columns)} {numbers}"
        f" SELECT {key}, {step}, {since} + (i % 3) * {DAY}, 'GET /', 'accepted', '', {account}, {mode}, 1, 1 FROM n"
    )


def _into(table: str, columns: str) -> str:
    return f"INSERT INTO {table} ({columns})"


def _insert(table: str, columns: dict[str, str], numbers: str) -> str:
    return f"{_into(table, ', '.join(columns))} {numbers} SELECT {', '.join(columns.values())} FROM n"


def analyse(database: Database, as_if: int = 1) -> None:
    """Let the planner know the tables. as_if: PostgreSQL plans as if each had so many times its rows."""
    if isinstance(database, SQLite):
        return  # as it is in use: nothing in this package runs ANALYZE there
    database.write(lambda tx: tx.execute("ANALYZE"))
    if as_if > 1:
        database.write(
            lambda tx: tx.execute(
                "UPDATE pg_class SET reltuples = reltuples * ? WHERE reltuples > 0"
                " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
                (as_if,),
            )
        )


@dataclass
class Cost:
    """What one statement read.

    rows: on PostgreSQL, rows of tables and indexes; on SQLite, steps of its virtual machine, one to forty a row.
    plan: the lines of its plan.
    """

    sql: str
    rows: int
    plan: tuple[str, ...]


@dataclass
class Watched:
    """A database that notes what each statement reads. Takes the place of ``KeyService.database``."""

    inner: Database
    costs: list[Cost] = field(default_factory=list)
    tick: int = 1  # steps of SQLite between two calls of the counter

    @property
    def dialect(self) -> engine.Dialect:
        return self.inner.dialect

    def read(self, callback: Callable[[Tx], T], single: bool = False) -> T:
        return self.inner.read(lambda tx: callback(_WatchedTx(tx, self)))

    def write(self, callback: Callable[[Tx], T], lock: str | None = None) -> T:
        return self.inner.write(lambda tx: callback(_WatchedTx(tx, self)), lock)

    def subscribe(self, channel: str, callback: Callable[[str], None]) -> None:
        self.inner.subscribe(channel, callback)

    def close(self) -> None:
        self.inner.close()


class _WatchedTx:
    def __init__(self, tx: Tx, watched: Watched) -> None:
        self._tx, self._watched = tx, watched
        self.dialect = tx.dialect
        self.brief = tx.brief
        self.rollbacks = tx.rollbacks
        self.cached = tx.cached

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[engine.Row]:
        if not sql.startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            return self._tx.execute(sql, params)
        if self.dialect == "postgres":
            return self._on_postgres(sql, params)
        plan = tuple(str(row[3]) for row in self._tx.execute(f"EXPLAIN QUERY PLAN {sql}", params))
        with _steps(getattr(self._tx, "_connection"), self._watched.tick) as steps:  # noqa: B009
            found = self._tx.execute(sql, params)
        self._watched.costs.append(Cost(sql, steps[0], plan))
        return found

    def read(self, table: str, sql: str, params: Sequence[object], key: object = None) -> list[engine.Row]:
        return self.execute(sql, params)

    def _on_postgres(self, sql: str, params: Sequence[object]) -> list[engine.Row]:
        explain = "EXPLAIN (FORMAT JSON)" if sql.startswith(("UPDATE", "DELETE")) else "EXPLAIN (ANALYZE, FORMAT JSON)"
        answer = self._tx.execute(f"{explain} {sql}", params)[0][0]
        root = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        nodes = list(_nodes(root))
        self._watched.costs.append(
            Cost(sql, sum(_read_by(node) for node in nodes), tuple(_line(node) for node in nodes))
        )
        return self._tx.execute(sql, params)

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self._tx.execute_many(sql, rows)

    def execute_script(self, statements: Sequence[str]) -> None:
        self._tx.execute_script(statements)

    def savepoint(self) -> AbstractContextManager[None]:
        return self._tx.savepoint()

    def notify(self, channel: str, payload: str) -> None:
        self._tx.notify(channel, payload)

    def on_commit(self, call: Callable[[], None]) -> None:
        self._tx.on_commit(call)


@contextmanager
def _steps(connection: sqlite3.Connection, tick: int) -> Iterator[list[int]]:
    """Count the steps of SQLite's virtual machine."""
    steps = [0]

    def count() -> int:
        steps[0] += tick
        return 0

    connection.set_progress_handler(count, tick)
    try:
        yield steps
    finally:
        connection.set_progress_handler(None, 0)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _read_by(node: dict[str, Any]) -> int:
    """The rows that a scan read, also those that its filter dropped; for a plan that did not run, as estimated."""
    if "Scan" not in node["Node Type"] or node["Node Type"] in ("CTE Scan", "WorkTable Scan", "Subquery Scan"):
        return 0
    if "Actual Rows" not in node:
        return int(node["Plan Rows"])
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + dropped) * node["Actual Loops"])


def _line(node: dict[str, Any]) -> str:
    names = (node["Node Type"], node.get("Relation Name"), node.get("Index Name"), node.get("Index Cond"))
    return " ".join(str(name) for name in names if name)


def kind_of(database: Database) -> str:
    """The name of a database in output."""
    return "PostgreSQL" if isinstance(database, Postgres) else "SQLite"
