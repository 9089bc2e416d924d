"""Request logs for the Dashboard: their tables and queries. ``request_log_buffer.py`` writes them.

Every query also sees the requests that wait for their indexes (``request_log_batches.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tollkey.db import Migration, Row, Scope, Tx
from tollkey.platform.request_counts import delete_old_counts
from tollkey.platform.request_log_batches import delete_old_batches, merged, newest, oldest

MIGRATION = Migration(
    "request_logs",
    (
        "CREATE TABLE request_logs (seq {key}, id TEXT NOT NULL, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " at {int} NOT NULL,"
        " milliseconds {int} NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL,"
        " status INTEGER NOT NULL,"
        " error_code TEXT, key_id TEXT, key_shown TEXT, ip TEXT, version TEXT NOT NULL, user_agent TEXT,"
        " idempotency_key TEXT,"
        " request_body TEXT NOT NULL, response_body TEXT NOT NULL, object_id TEXT)",
        "CREATE INDEX request_logs_at ON request_logs (account, livemode, at, seq)",
        "CREATE INDEX request_logs_key ON request_logs (account, livemode, key_id, at, seq)",
        "CREATE INDEX request_logs_status ON request_logs (account, livemode, status, at, seq)",
        "CREATE INDEX request_logs_id ON request_logs (account, livemode, id)",
        "CREATE INDEX request_logs_object ON request_logs (account, livemode, object_id, at,"
        " seq) WHERE object_id IS NOT NULL",
        "CREATE TABLE request_counts (account TEXT NOT NULL, livemode {bool} NOT NULL, hour {int} NOT NULL,"
        " status INTEGER NOT NULL,"
        " error_code TEXT NOT NULL, requests {int} NOT NULL, PRIMARY KEY (account, livemode, hour, status,"
        " error_code))",
        "CREATE TABLE request_key_counts (account TEXT NOT NULL, livemode {bool} NOT NULL, hour {int} NOT NULL,"
        " key_id TEXT NOT NULL,"
        " kind INTEGER NOT NULL, requests {int} NOT NULL, PRIMARY KEY (account, livemode, hour, key_id, kind))",
        "CREATE INDEX request_key_counts_of ON request_key_counts (account, livemode, key_id, hour)",
        "INSERT INTO request_counts SELECT account, livemode, at - at % 3600, status, coalesce(error_code, ''),"
        " count(*)"
        " FROM request_logs GROUP BY 1, 2, 3, 4, 5",
        "INSERT INTO request_key_counts SELECT account, livemode, at - at % 3600, key_id, status / 100, count(*)"
        " FROM request_logs WHERE key_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5",
        "CREATE TABLE request_key_days (account TEXT NOT NULL, livemode {bool} NOT NULL, day {int} NOT NULL,"
        " key_id TEXT NOT NULL,"
        " requests {int} NOT NULL, PRIMARY KEY (account, livemode, day, key_id))",
        "INSERT INTO request_key_days SELECT account, livemode, hour - hour % 86400, key_id, sum(requests)"
        " FROM request_key_counts GROUP BY 1, 2, 3, 4",
        "CREATE TABLE request_log_batches (seq {int} PRIMARY KEY, requests INTEGER NOT NULL, first_at {int} NOT NULL,"
        " last_at {int} NOT NULL, entries TEXT NOT NULL)",
    ),
)


class RequestLog(NamedTuple):
    """One logged request. at: UTC epoch seconds."""

    seq: int
    id: str
    at: int
    milliseconds: int
    method: str
    path: str
    query: str
    status: int
    error_code: str | None
    key_id: str | None
    key_shown: str | None
    ip: str | None
    version: str
    user_agent: str | None
    idempotency_key: str | None
    request_body: str
    response_body: str
    object_id: str | None


_COLUMNS = ", ".join(RequestLog._fields)
_SHORT = ", ".join("''" if name.endswith("_body") else name for name in RequestLog._fields)
#: Statuses that the API uses; queries for others look for one status at a time.
_STATUSES = (200, 303, 400, 401, 402, 403, 404, 405, 409, 413, 414, 415, 429, 500, 502, 503)


def find(
    tx: Tx,
    scope: Scope,
    *,
    limit: int = 50,
    before: RequestLog | None = None,
    key_id: str | None = None,
    status: tuple[int, int] | None = None,
    method: str | None = None,
    path: str | None = None,
    since: int | None = None,
    until: int | None = None,
    floor: RequestLog | None = None,
) -> list[RequestLog]:
    """Requests of one scope, newest first, without their bodies.

    status: lowest and highest. path: prefix. since, until: UTC epoch seconds. before: only requests older than this.
    floor: only requests up to as old as this one (``horizon``), because no index helps to find a rare path.
    """
    clauses: list[str] = ["account = ?", "livemode = ?"]
    values: list[object] = [scope.account, int(scope.livemode)]
    for clause, given in (
        ("key_id = ?", [key_id]), ("method = ?", [method]), ("path LIKE ? ESCAPE '!'", [_prefix(path)]),
        ("at >= ?", [since]), ("at <= ?", [until]), ("(at, seq) < (?, ?)", (before.at, before.seq) if before else None),
        ("(at, seq) >= (?, ?)", (floor.at, floor.seq) if floor else None),
    ):  # fmt: skip
        if given is not None and given[0] is not None:
            clauses.append(clause)
            values.extend(given)
    where = " AND ".join(clauses)
    of_status = "" if status is None else " AND status BETWEEN ? AND ?"
    first, last = _between(before, since, until, floor)
    waiting = newest(tx, _SHORT, where + of_status, (*values, *(status or ())), limit, since=first, until=last)
    if key_id is not None and status is not None:  # the index of the key is narrower
        indexed = _indexed(tx, where + of_status, (*values, *status), None, limit)
    else:
        indexed = _indexed(tx, where, values, status, limit)
    return [RequestLog(*row) for row in merged(indexed, waiting, limit)]


def _indexed(tx: Tx, where: str, values: Sequence[object], status: tuple[int, int] | None, limit: int) -> list[Row]:
    """Indexed requests that meet a condition, newest first. status: lowest and highest, of all when it is None."""
    plain = f"SELECT {_SHORT} FROM request_logs WHERE {where}"
    if status is None:
        return tx.execute(f"{plain} ORDER BY at DESC, seq DESC LIMIT ?", (*values, limit))
    # One index scan per status, since a range of statuses is not ordered by time.
    each = [code for code in _STATUSES if status[0] <= code <= status[1]] or [status[0]]
    part = f"SELECT * FROM ({plain} AND status = ? ORDER BY at DESC, seq DESC LIMIT ?) AS one"
    return tx.execute(
        f"{' UNION ALL '.join([part] * len(each))} ORDER BY at DESC, seq DESC LIMIT ?",
        [*(value for code in each for value in (*values, code, limit)), limit],
    )


def _between(
    before: RequestLog | None, since: int | None, until: int | None, floor: RequestLog | None = None
) -> tuple[int | None, int | None]:
    """The first and the last second of what ``find`` looks for, None where there is no bound."""
    starts = [at for at in (since, floor.at if floor else None) if at is not None]
    ends = [at for at in (until, before.at if before else None) if at is not None]
    return max(starts, default=None), min(ends, default=None)


def horizon(
    tx: Tx, scope: Scope, before: RequestLog | None = None, until: int | None = None, most: int = 30_000
) -> RequestLog | None:
    """The request ``most`` requests further back, or None when there are fewer. It limits searches without an index.

    before: start behind this request. until: start at this time, UTC epoch seconds.
    """
    where, values = "account = ? AND livemode = ?", [scope.account, int(scope.livemode)]
    if before is not None:
        where, values = f"{where} AND (at, seq) < (?, ?)", [*values, before.at, before.seq]
    if until is not None:
        where, values = f"{where} AND at <= ?", [*values, until]
    first, last = _between(before, None, until)
    columns = "seq, id, at"
    waiting = newest(tx, columns, where, values, most, since=first, until=last)
    indexed = f"SELECT {columns} FROM request_logs WHERE {where} ORDER BY at DESC, seq DESC LIMIT ?"
    if waiting:  # a full backlog is older than what was written after it
        found = merged(tx.execute(indexed, [*values, most]), waiting, most)[most - 1 :]
    else:
        found = tx.execute(f"{indexed} OFFSET ?", [*values, 1, most - 1])
    return one(tx, scope, found[0][1]) if found else None


def _prefix(path: str | None) -> str | None:
    if not path:
        return None
    return path.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"


def one(tx: Tx, scope: Scope, id: str) -> RequestLog | None:
    """One request with its redacted bodies, or None."""
    where, values = "account = ? AND livemode = ? AND id = ?", (scope.account, int(scope.livemode), id)
    rows = tx.execute(f"SELECT {_COLUMNS} FROM request_logs WHERE {where}", values) or newest(
        tx, _COLUMNS, where, values, 1, text=id
    )
    return RequestLog(*rows[0]) if rows else None


def about(tx: Tx, scope: Scope, object_id: str, limit: int = 20) -> list[RequestLog]:
    """Requests that returned or concerned an object, newest first, without their bodies."""
    where, values = "account = ? AND livemode = ? AND object_id = ?", (scope.account, int(scope.livemode), object_id)
    waiting = newest(tx, _SHORT, where, values, limit, text=object_id)
    return [RequestLog(*row) for row in merged(_indexed(tx, where, values, None, limit), waiting, limit)]


_VERSIONS = 2_000  # requests


def by_version(tx: Tx, scope: Scope, since: int) -> list[tuple[str, int]]:
    """API versions of the latest 2,000 requests with their counts, most frequent first. since: UTC epoch seconds."""
    where, values = "account = ? AND livemode = ? AND at >= ?", (scope.account, int(scope.livemode), since)
    columns = "seq, '' AS id, at, version"
    waiting = newest(tx, columns, where, values, _VERSIONS, since=since)
    indexed = f"SELECT {columns} FROM request_logs WHERE {where} ORDER BY at DESC, seq DESC LIMIT ?"
    latest = merged(tx.execute(indexed, (*values, _VERSIONS)), waiting, _VERSIONS)
    return Counter(version for *_, version in latest).most_common()


def logged(
    tx: Tx, after: int = 0, *, since: int = 0, account: str | None = None, day: str | None = None, limit: int = 500
) -> list[RequestLog]:
    """Successful requests of all accounts and both modes with their redacted bodies, oldest first.

    after: the ``seq`` of the last request of the page before. since: UTC epoch seconds. account: of the requests, day:
    of their API version (``YYYY-MM-DD``), None for all. limit: requests on a page.
    """
    where, values = "at >= ? AND status BETWEEN 200 AND 299", list[object]([since])
    for name, value in (("account", account), ("substr(version, 1, 10)", day)):
        if value is not None:
            where, values = f"{where} AND {name} = ?", [*values, value]
    return [RequestLog(*row) for row in oldest(tx, _COLUMNS, where, values, after, limit)]


_FREE_PAGES = 1_000  # 4 MB
_INCREMENTAL = 2  # value of SQLite's auto_vacuum


def delete_old(tx: Tx, before: int, most: int = 2_000) -> bool:
    """Delete up to ``most`` requests older than ``before`` (UTC epoch seconds), and a few batches that are. Returns
    whether there may be more.
    """
    batches = delete_old_batches(tx, before)
    gone = tx.execute(
        "DELETE FROM request_logs WHERE seq IN"
        " (SELECT seq FROM (SELECT seq, at FROM request_logs ORDER BY seq LIMIT ?) AS oldest WHERE at < ?) RETURNING 1",
        (most, before),
    )
    if gone or batches:
        return True
    delete_old_counts(tx, before)
    return False


def give_back(tx: Tx, most: int = 500) -> bool:
    """Return up to ``most`` free pages of the logs' SQLite file to the file system, as far as it was created to do so.

    1,000 pages are kept for what comes. Returns whether there may be more.
    """
    if tx.dialect != "sqlite":
        return False
    free = tx.execute("PRAGMA main.freelist_count")[0][0] - _FREE_PAGES
    if free <= 0 or tx.execute("PRAGMA main.auto_vacuum")[0][0] != _INCREMENTAL:
        return False
    for _ in range(min(free, most)):  # Python's driver takes one step of the statement, which frees one page
        tx.execute("PRAGMA main.incremental_vacuum(1)")
    return bool(free > most)
