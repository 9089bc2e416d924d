"""The tables of notices: what was announced, what waits to be sent, and how far the audit log was read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tollkey.db import Migration, Tx

MIGRATION = Migration(
    "key_notices",
    (
        """CREATE TABLE key_notices (
            id {key},
            channel TEXT NOT NULL,
            event TEXT NOT NULL,
            type TEXT NOT NULL,
            body {blob} NOT NULL,
            created {int} NOT NULL,
            attempts {int} NOT NULL,
            next_attempt_at {int},
            lease_until {int} NOT NULL,
            problem TEXT NOT NULL
        )""",
        "CREATE INDEX key_notices_due ON key_notices (next_attempt_at) WHERE next_attempt_at IS NOT NULL",
        "CREATE INDEX key_notices_settled ON key_notices (created) WHERE next_attempt_at IS NULL",
        """CREATE TABLE key_notices_announced (
            key_id TEXT NOT NULL,
            what TEXT NOT NULL,
            mark {int} NOT NULL,
            PRIMARY KEY (key_id, what, mark)
        )""",
        "CREATE TABLE key_notices_read (log TEXT PRIMARY KEY, seq {int} NOT NULL)",
        "CREATE INDEX api_keys_by_expiry ON api_keys (expires_at) WHERE expires_at IS NOT NULL",
    ),
)
_REACHED_SECONDS = 60  # a step that finds nothing writes nothing for so long; the next ones read that minute again


class Waiting(NamedTuple):
    """A notice that one process sends until its lease ends. attempts: how many were made before."""

    id: int
    channel: str
    event: str
    type: str
    body: bytes
    attempts: int
    lease_until: int


def enqueue(tx: Tx, channels: Sequence[str], event: str, type: str, body: bytes, now: int) -> None:
    """Store a notice for each channel, due now. Raises StorageError."""
    tx.execute_many(
        "INSERT INTO key_notices (channel, event, type, body, created, attempts, next_attempt_at, lease_until, problem)"
        " VALUES (?, ?, ?, ?, ?, 0, ?, 0, '')",
        [(channel, event, type, body, now, now) for channel in channels],
    )


def any_due(tx: Tx, now: int) -> bool:
    """Return whether a notice is due that no process sends. Raises StorageError."""
    sql = "SELECT 1 FROM key_notices WHERE next_attempt_at <= ? AND lease_until <= ? LIMIT 1"
    return bool(tx.execute(sql, (now, now)))


def claim(tx: Tx, now: int, lease_until: int, limit: int) -> list[Waiting]:
    """Claim due notices, oldest first; no other process sends them before ``lease_until``. Raises StorageError."""
    skip = " FOR UPDATE SKIP LOCKED" if tx.dialect == "postgres" else ""
    due = "next_attempt_at <= ? AND lease_until <= ?"
    rows = tx.execute(
        f"UPDATE key_notices SET lease_until = ? WHERE {due} AND id IN"
        f" (SELECT id FROM key_notices WHERE {due} ORDER BY next_attempt_at, id LIMIT ?{skip})"
        " RETURNING id, channel, event, type, body, attempts, lease_until",
        (lease_until, now, now, now, now, limit),
    )
    return [Waiting(*row)._replace(body=bytes(row[4])) for row in sorted(rows)]


def record(tx: Tx, sent: Waiting, problem: str, next_attempt_at: int | None) -> None:
    """Record an attempt, unless another process has claimed the notice meanwhile.

    problem: why it failed, "" for success. next_attempt_at: UTC epoch seconds; None for no more. Raises StorageError.
    """
    tx.execute(
        "UPDATE key_notices SET attempts = attempts + 1, next_attempt_at = ?, lease_until = 0, problem = ?"
        " WHERE id = ? AND lease_until = ?",
        (next_attempt_at, problem[:500], sent.id, sent.lease_until),
    )


def delete_settled(tx: Tx, before: int) -> None:
    """Delete notices that were sent or given up, made before a time (UTC epoch seconds). Raises StorageError."""
    tx.execute("DELETE FROM key_notices WHERE next_attempt_at IS NULL AND created < ?", (before,))


def announce(tx: Tx, key_id: str, what: str, mark: int) -> bool:
    """Return True the first time that this is asked about a key, and False ever after. Raises StorageError."""
    rows = tx.execute(
        "INSERT INTO key_notices_announced (key_id, what, mark) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING mark",
        (key_id, what, mark),
    )
    return bool(rows)


def position(tx: Tx, log: str) -> int | None:
    """Return how far a log was read, as the number of its last entry; None if it never was. Raises StorageError."""
    rows = tx.execute("SELECT seq FROM key_notices_read WHERE log = ?", (log,))
    return int(rows[0][0]) if rows else None


def advance(tx: Tx, log: str, seq: int) -> None:
    """Store how far a log was read. Raises StorageError."""
    tx.execute(
        "INSERT INTO key_notices_read (log, seq) VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET seq = excluded.seq",
        (log, seq),
    )


def reaching(
    tx: Tx, what: str, after: int, now: int, ahead: int, changed: Sequence[str], limit: int
) -> list[tuple[str, int]]:
    """Return keys whose expiry came within reach since the last call, with the time of it, the earliest first.

    A key comes within reach as time goes by, or when it is changed, so that no call reads what earlier ones have read,
    except for the last minute.

    what: the notice; keys that had it are left out, and so are keys made for less than ``ahead``.
    after: only keys that expire after this time. ahead: how long before its expiry a key is within reach, in seconds.
    changed: ids of keys that were changed since. limit: maximum number of each; the others come with the next call.
    after, now: UTC epoch seconds. Raises StorageError.
    """
    reached = position(tx, what)
    begin = after if reached is None else max(after, reached + ahead)
    rows = _expiring(tx, what, begin, now, ahead, "", (), limit)
    if len(rows) < limit and (reached is None or now >= reached + _REACHED_SECONDS):
        advance(tx, what, now)
    if changed:
        marks = ", ".join("?" * len(changed))
        rows += _expiring(tx, what, after, now, ahead, f" AND id IN ({marks})", changed, limit)
    return rows


def _expiring(
    tx: Tx, what: str, after: int, now: int, ahead: int, further: str, values: Sequence[object], limit: int
) -> list[tuple[str, int]]:
    """Return keys that expire behind ``after`` and up to ``ahead`` from now, and that had no such notice."""
    rows = tx.execute(
        "SELECT id, expires_at FROM api_keys AS k WHERE expires_at > ? AND expires_at <= ?"
        f" AND created <= expires_at - ? AND revoked_at IS NULL{further} AND NOT EXISTS (SELECT 1 FROM"
        " key_notices_announced AS a WHERE a.key_id = k.id AND a.what = ? AND a.mark = k.expires_at)"
        " ORDER BY expires_at LIMIT ?",
        (after, now + ahead, ahead, *values, what, limit),
    )
    return [(row[0], row[1]) for row in rows]
