"""Request logs that are not indexed yet: one row a batch in ``request_log_batches``, its requests as one JSON text.

A row of ``request_logs`` costs an insert into five indexes, so a busy server writes batches, and ``index_oldest`` makes
rows of them when the last batch is some seconds old. A few requests, as a quiet server has them, become rows at once,
and so do those of a server that is never quiet once too many batches wait. A request's ``seq`` is given when its batch
is written and stays the same, so that cursors go on to work.

``newest`` and ``oldest`` read what waits with the columns of ``request_logs``: the database takes the texts apart, in
statements that let go of the interpreter's lock. The other modules of request logs merge it with what is indexed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from tollkey.db import Row, Tx
from tollkey.db.engine import ReadTooLong

#: The columns of a request in its batch, in order: those of ``request_logs`` but for ``seq``.
WRITTEN = (
    "id", "account", "livemode", "at", "milliseconds", "method", "path", "query", "status", "error_code", "key_id",
    "key_shown", "ip",
    "version", "user_agent", "idempotency_key", "request_body", "response_body", "object_id",
)  # fmt: skip
_NUMBERS = ("livemode", "at", "milliseconds", "status")
_AT, _BODIES = WRITTEN.index("at"), slice(WRITTEN.index("request_body"), WRITTEN.index("object_id"))

FEW = 100  # requests; so few become rows of ``request_logs`` at once
#: Batches that may wait: a search that no index helps takes apart the requests of all of them, 2 µs each on SQLite.
#: Beyond that, requests become rows at once.
MOST_WAITING = 300
_BUSY_SECONDS = 3  # after the latest batch, the servers count as busy
_PIECE = 1_000  # requests in a row
_PIECE_BYTES = 500_000  # of bodies in a row: encoding it keeps the interpreter's lock for about a millisecond
_INDEXED_AT_ONCE = 2_000  # requests in one transaction of ``index_oldest``
_READ_AT_ONCE = 500  # waiting requests that a read on the event loop may take apart

_INTO = f"INSERT INTO request_logs ({', '.join(WRITTEN)}) VALUES "
_MARKS = f"({', '.join('?' for _ in WRITTEN)})"
_INSERT = _INTO + _MARKS
_AT_ONCE = 100  # rows in a statement
_ADD = "INSERT INTO request_log_batches (seq, requests, first_at, last_at, entries) VALUES (?, ?, ?, ?, ?)"


class Batch(NamedTuple):
    """A batch without its requests. seq: of its first request. first_at, last_at: UTC epoch seconds."""

    seq: int
    requests: int
    first_at: int
    last_at: int


# -- writing


def store(tx: Tx, rows: Sequence[Row], few: int = FEW, most: int = MOST_WAITING) -> None:
    """Store requests: as rows of ``request_logs`` if there are fewer than ``few``, or if ``most`` batches wait already,
    else as batches.

    rows: the values of ``WRITTEN``, in the order in which the requests came.
    """
    if len(rows) < max(few, 1) or tx.execute("SELECT count(*) FROM request_log_batches")[0][0] >= most:
        _insert(tx, _encoded(rows)[0])
        return
    seq = _reserve(tx, len(rows))
    for piece in _pieces(rows):
        times = [row[_AT] for row in piece]
        tx.execute(_ADD, (seq, len(piece), min(times), max(times), _encoded(piece)[1]))
        seq += len(piece)


def _encoded(rows: Sequence[Row]) -> tuple[Sequence[Row], str]:
    """Rows without the character NUL, which PostgreSQL does not store and no HTTP request has, and their JSON."""
    encoded = orjson.dumps(rows)
    if b"\\u0000" in encoded:
        rows = [tuple(value.replace("\0", "") if isinstance(value, str) else value for value in row) for row in rows]
        encoded = orjson.dumps(rows)
    return rows, encoded.decode()


def _insert(tx: Tx, rows: Sequence[Row]) -> None:
    if tx.dialect == "postgres":
        tx.execute_many(_INSERT, rows)
        return
    # One statement for many rows releases the GIL for its whole run, instead of once per row.
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        tx.execute(_INTO + ", ".join([_MARKS] * len(some)), [value for row in some for value in row])


def _pieces(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The requests of each row of ``request_log_batches``. rows: one at least."""
    start, size = 0, 0
    for place, row in enumerate(rows):
        own = sum(map(len, row[_BODIES]))
        if place - start == _PIECE or (place > start and size + own > _PIECE_BYTES):
            yield rows[start:place]
            start, size = place, 0
        size += own
    yield rows[start:]


def _reserve(tx: Tx, requests: int) -> int:
    """Take as many numbers of ``request_logs.seq``, one after the other, and return the first."""
    if tx.dialect == "sqlite":
        taken = "UPDATE main.sqlite_sequence SET seq = seq + ? WHERE name = 'request_logs' RETURNING seq"
        if not (rows := tx.execute(taken, (requests,))):
            tx.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES ('request_logs', 0)")
            rows = tx.execute(taken, (requests,))
        return int(rows[0][0]) - requests + 1
    while True:  # another node may take numbers at the same moment; those that are not used are left out
        first, last = tx.execute(
            "SELECT min(taken), max(taken) FROM (SELECT nextval(pg_get_serial_sequence('request_logs', 'seq')) AS taken"
            " FROM generate_series(1, ?)) AS numbers",
            (requests,),
        )[0]
        if last - first + 1 == requests:
            return int(first)


# -- indexing


def may_index(tx: Tx, now: int) -> bool:
    """Whether batches wait and may be indexed, as no server has been busy lately. now: UTC epoch seconds."""
    last_at = tx.execute("SELECT max(last_at) FROM request_log_batches")[0][0]
    return last_at is not None and last_at <= now - _BUSY_SECONDS


def index_oldest(tx: Tx, now: int) -> bool:
    """Make rows of ``request_logs`` of some of the oldest batches, in the transaction that deletes them.

    Several nodes may call it at once. now: UTC epoch seconds. Nothing is done unless ``may_index``. Returns whether
    there may be more.
    """
    if not may_index(tx, now):
        return False
    claimed = "" if tx.dialect == "sqlite" else " FOR UPDATE SKIP LOCKED"
    found = tx.execute(f"SELECT seq, requests FROM request_log_batches ORDER BY seq LIMIT 10{claimed}")
    columns, done = ", ".join(WRITTEN), 0
    for seq, requests in found:
        if done and done + requests > _INDEXED_AT_ONCE:
            break
        tx.execute(f"INSERT INTO request_logs (seq, {columns}) SELECT seq, {columns} FROM {taken_apart(tx)}", (seq,))
        tx.execute("DELETE FROM request_log_batches WHERE seq = ?", (seq,))
        done += requests
    return bool(found)


def delete_old_batches(tx: Tx, before: int) -> bool:
    """Delete a few batches whose requests are all older than ``before`` (UTC epoch seconds). Returns whether there were
    any.
    """
    old = "SELECT seq FROM request_log_batches WHERE last_at < ? ORDER BY seq LIMIT 2"
    return bool(tx.execute(f"DELETE FROM request_log_batches WHERE seq IN ({old}) RETURNING 1", (before,)))


# -- reading


def taken_apart(tx: Tx) -> str:
    """The SQL of a table of one batch's requests, with the columns of ``request_logs``; its parameter is the seq."""
    if tx.dialect == "sqlite":
        columns = ", ".join(f"json_extract(r.value, '$[{place}]') AS {name}" for place, name in enumerate(WRITTEN))
        each, place = "json_each(b.entries) AS r", "r.key"
    else:
        columns = ", ".join(
            f"(r.value->>{place})::bigint AS {name}" if name in _NUMBERS else f"r.value->>{place} AS {name}"
            for place, name in enumerate(WRITTEN)
        )
        each = "jsonb_array_elements(b.entries::jsonb) WITH ORDINALITY AS r (value, place)"
        place = "r.place - 1"
    return f"(SELECT b.seq + {place} AS seq, {columns} FROM request_log_batches AS b, {each} WHERE b.seq = ?) AS t"


def _batches(tx: Tx, where: str, values: Sequence[object], order: str) -> list[Batch]:
    """The waiting batches that meet a condition. Raises ReadTooLong on the event loop when they have many requests."""
    rows = tx.execute(
        f"SELECT seq, requests, first_at, last_at FROM request_log_batches WHERE {where} ORDER BY {order}", values
    )
    found = [Batch(*row) for row in rows]
    if tx.brief and sum(batch.requests for batch in found) > _READ_AT_ONCE:
        raise ReadTooLong("many request logs wait for their indexes")
    return found


def newest(
    tx: Tx,
    columns: str,
    where: str,
    values: Sequence[object],
    limit: int,
    *,
    since: int | None = None,
    until: int | None = None,
    text: str | None = None,
) -> list[Row]:
    """The latest waiting requests that meet a condition, newest first.

    columns: SQL of what is selected; ``seq``, ``id`` and ``at`` come first. where, values: the condition. limit: how
    many at most. since, until: UTC epoch seconds, of requests that may meet it. text: a value that they all have.
    """
    among, bounds = "last_at >= ? AND first_at <= ?", [since or 0, _FOREVER if until is None else until]
    wanted: list[object] = list(bounds)
    if text is not None:
        if tx.brief:
            _batches(tx, among, bounds, "seq")  # raises on the event loop: looking through many texts takes long
        among += f" AND {'instr' if tx.dialect == 'sqlite' else 'strpos'}(entries, ?) > 0"
        wanted.append(orjson.dumps(text).decode())
    sql = f"SELECT {columns} FROM {taken_apart(tx)} WHERE {where} ORDER BY at DESC, seq DESC LIMIT ?"
    found: list[Row] = []
    for batch in _batches(tx, among, wanted, "last_at DESC, seq DESC"):
        last = found[-1] if len(found) == limit else None
        if last is not None and (batch.last_at, batch.seq + batch.requests) <= (last[_AT_PLACE], last[0]):
            break  # all of it is older
        found = merged(found, tx.execute(sql, (batch.seq, *values, limit)), limit)
    return found


_FOREVER = 2**62
_AT_PLACE = 2


def merged(one: Sequence[Row], other: Sequence[Row], limit: int) -> list[Row]:
    """The first rows of two lists, newest first. Their columns begin with ``seq``, ``id`` and ``at``."""
    if not other:
        return list(one[:limit])
    return sorted((*one, *other), key=lambda row: (row[_AT_PLACE], row[0]), reverse=True)[:limit]


def oldest(tx: Tx, columns: str, where: str, values: Sequence[Any], after: int, limit: int) -> list[Row]:
    """Requests whose ``seq`` is greater than ``after``, those that wait and those that are indexed, ordered by it.

    columns: SQL of what is selected from the table ``t``; ``t.seq`` comes first. where, values: a condition. limit:
    how many at most.
    """
    indexed, waiting = (
        f"SELECT {columns} FROM {table} WHERE t.seq > ? AND {where} ORDER BY t.seq LIMIT ?"
        for table in ("request_logs AS t", taken_apart(tx))
    )
    found = tx.execute(indexed, (after, *values, limit))
    for batch in _batches(tx, "seq + requests > ?", (after + 1,), "seq"):
        if len(found) == limit and batch.seq > found[-1][0]:
            break
        found = sorted((*found, *tx.execute(waiting, (batch.seq, after, *values, limit))), key=_seq)[:limit]
    return found


_seq = itemgetter(0)


def last_seq(tx: Tx) -> int:
    """The highest ``seq`` of all requests; 0 without any."""
    queries = ("SELECT max(seq) FROM request_logs", "SELECT max(seq + requests - 1) FROM request_log_batches")
    return max(int(tx.execute(query)[0][0] or 0) for query in queries)
