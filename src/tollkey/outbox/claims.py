"""What the deliverer does with the tables of the outbox: claims due deliveries and records attempts, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tollkey.db import Row, Scope, Tx
from tollkey.outbox.store import Result, State

_AT_ONCE = 100  # rows in one statement
_DUE = "state = 'pending' AND next_attempt_at <= ? AND lease_until <= ?"


class Claim(NamedTuple):
    """A delivery that one deliverer has claimed until its lease ends.

    attempts: how many were made before. lease: the text that identifies the claim. lease_until: UTC epoch seconds.
    body: the JSON to send.
    """

    id: int
    scope: Scope
    event_id: str
    event_type: str
    endpoint_id: str
    attempts: int
    lease: str
    lease_until: int
    body: bytes


class Attempt(NamedTuple):
    """An attempt to record. state: of the delivery now. next_attempt_at: UTC epoch seconds; None unless pending."""

    claim: Claim
    result: Result
    state: State
    next_attempt_at: int | None


def waiting(tx: Tx, now: int) -> list[str]:
    """Return the webhook endpoints with due deliveries that no process has claimed. now: UTC epoch seconds.

    One look into the index for each endpoint that has pending deliveries, however many it has.
    """
    pending = "FROM outbox_deliveries WHERE state = 'pending'"
    rows = tx.execute(
        f"WITH RECURSIVE ends(endpoint) AS (SELECT min(endpoint) {pending} UNION ALL"
        f" SELECT (SELECT min(endpoint) {pending} AND endpoint > ends.endpoint) FROM ends"
        " WHERE ends.endpoint IS NOT NULL) SELECT endpoint FROM ends WHERE endpoint IS NOT NULL AND EXISTS"
        f" (SELECT 1 FROM outbox_deliveries AS d WHERE d.endpoint = ends.endpoint AND {_DUE})",
        (now, now),
    )
    return [str(row[0]) for row in rows]


def claim(tx: Tx, now: int, lease: str, lease_until: int, most: Mapping[str, int]) -> list[Claim]:
    """Claim due deliveries and return them; no other process can claim them before ``lease_until``.

    now, lease_until: UTC epoch seconds. lease: a text unique to this call; ``record`` requires it.
    most: how many deliveries of each endpoint. Raises StorageError.
    """
    ids = (_locked if tx.dialect == "postgres" else _found)(tx, now, most)
    rows: list[Row] = []
    for some in _pieces(ids):
        rows += tx.execute(
            f"UPDATE outbox_deliveries SET lease = ?, lease_until = ? WHERE id IN ({_marks(some)})"
            " RETURNING id, account, livemode, message, event, event_type, endpoint, attempts",
            (lease, lease_until, *some),
        )
    bodies = _bodies(tx, sorted({row[3] for row in rows}))
    return [
        Claim(
            id, Scope(account, bool(livemode)), event, event_type, endpoint, made, lease, lease_until, bodies[message]
        )
        for id, account, livemode, message, event, event_type, endpoint, made in sorted(rows)
    ]


def _found(tx: Tx, now: int, most: Mapping[str, int]) -> list[int]:
    """On SQLite a transaction is alone: what it finds is not claimed by another one."""
    find = f"SELECT id FROM outbox_deliveries WHERE endpoint = ? AND {_DUE} ORDER BY next_attempt_at, id LIMIT ?"
    return [row[0] for endpoint, limit in most.items() for row in tx.execute(find, (endpoint, now, now, limit))]


def _locked(tx: Tx, now: int, most: Mapping[str, int]) -> list[int]:
    rows = tx.execute(
        "SELECT due.id FROM unnest(?::text[], ?::bigint[]) AS wanted(endpoint, room) CROSS JOIN LATERAL (SELECT id FROM"
        f" outbox_deliveries AS d WHERE d.endpoint = wanted.endpoint AND {_DUE} ORDER BY next_attempt_at, id"
        " LIMIT wanted.room FOR UPDATE SKIP LOCKED) AS due",
        (list(most), list(most.values()), now, now),
    )
    return [row[0] for row in rows]


def _bodies(tx: Tx, messages: Sequence[int]) -> dict[int, bytes]:
    bodies: dict[int, bytes] = {}
    for some in _pieces(messages):
        rows = tx.execute(f"SELECT id, body FROM outbox_messages WHERE id IN ({_marks(some)})", some)
        bodies.update((id, bytes(body)) for id, body in rows)
    return bodies


def record(tx: Tx, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Log attempts and update their deliveries.

    Returns those that were recorded, without those whose delivery another process has claimed meanwhile. Raises
    StorageError.
    """
    held: set[tuple[int, str]] = set()
    skip = " FOR UPDATE" if tx.dialect == "postgres" else ""
    for some in _pieces(sorted(one.claim.id for one in attempts)):
        held.update(tx.execute(f"SELECT id, lease FROM outbox_deliveries WHERE id IN ({_marks(some)}){skip}", some))
    kept = [one for one in attempts if (one.claim.id, one.claim.lease) in held]
    for some in _pieces([one.claim.id for one in kept if one.state == "delivered"]):
        tx.execute(
            "UPDATE outbox_deliveries SET attempts = attempts + 1, state = 'delivered', next_attempt_at = NULL,"
            f" lease = '', lease_until = 0 WHERE id IN ({_marks(some)})",
            some,
        )
    tx.execute_many(
        "UPDATE outbox_deliveries SET attempts = attempts + 1, state = ?, next_attempt_at = ?, lease = '',"
        " lease_until = 0 WHERE id = ?",
        [(one.state, one.next_attempt_at, one.claim.id) for one in kept if one.state != "delivered"],
    )
    tx.execute_many(
        "INSERT INTO outbox_attempts (account, livemode, delivery, attempt, endpoint, at, succeeded, status, response,"
        " error, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_row(one.claim, one.result) for one in kept],
    )
    return kept


def _row(claim: Claim, result: Result) -> tuple[object, ...]:
    return (
        claim.scope.account, int(claim.scope.livemode), claim.id, claim.attempts + 1, claim.endpoint_id, result.at,
        int(result.succeeded), result.status, result.response, result.error, result.duration_ms,
    )  # fmt: skip


def abandon(tx: Tx, claims: Sequence[Claim]) -> None:
    """End deliveries whose endpoint was deleted or disabled, without logging an attempt. Raises StorageError."""
    tx.execute_many(
        "UPDATE outbox_deliveries SET state = 'abandoned', next_attempt_at = NULL, lease = '',"
        " lease_until = 0 WHERE id = ? AND lease = ?",
        [(one.id, one.lease) for one in claims],
    )


def _pieces(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]


def _marks(some: Sequence[int]) -> str:
    return ", ".join("?" for _ in some)
