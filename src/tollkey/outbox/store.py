"""Deliveries at rest: what is to be sent, when next, and what became of each attempt.

Rows are written in the transaction that recorded the event, so an event that exists is delivered
and one that was rolled back never is. No secret is stored here: the deliverer asks for the
endpoint as it stands at the moment of sending, so a rolled secret or a deleted endpoint counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tollkey.db import Migration, Row, Scope, Tx

State = Literal["pending", "delivered", "failed", "abandoned"]

MIGRATION = Migration(
    "outbox",
    (
        """CREATE TABLE outbox_messages (
            id {key},
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            event TEXT NOT NULL,
            event_type TEXT NOT NULL,
            body {blob} NOT NULL,
            created {int} NOT NULL
        )""",
        """CREATE TABLE outbox_deliveries (
            id {key},
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            message {int} NOT NULL REFERENCES outbox_messages (id),
            event TEXT NOT NULL,
            event_type TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            url TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'abandoned')),
            attempts {int} NOT NULL,
            next_attempt_at {int},
            lease TEXT NOT NULL,
            lease_until {int} NOT NULL,
            created {int} NOT NULL,
            CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
        )""",
        "CREATE INDEX outbox_deliveries_due ON outbox_deliveries (next_attempt_at) WHERE state = 'pending'",
        "CREATE INDEX outbox_deliveries_event ON outbox_deliveries (account, livemode, event, id)",
        "CREATE INDEX outbox_deliveries_endpoint ON outbox_deliveries (account, livemode, endpoint, id)",
        """CREATE TABLE outbox_attempts (
            id {key},
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            delivery {int} NOT NULL REFERENCES outbox_deliveries (id),
            attempt {int} NOT NULL,
            endpoint TEXT NOT NULL,
            at {int} NOT NULL,
            succeeded {bool} NOT NULL,
            status {int},
            response TEXT NOT NULL,
            error TEXT,
            duration_ms {int} NOT NULL,
            UNIQUE (delivery, attempt)
        )""",
        "CREATE INDEX outbox_attempts_endpoint ON outbox_attempts (account, livemode, endpoint, succeeded, id)",
        "CREATE INDEX outbox_deliveries_message ON outbox_deliveries (message)",
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go.

    secrets: signing secrets in force, newest first; never shown by repr.
    enabled_events: event types, or ``*`` for all (the wire knows no other pattern).
    """

    id: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    enabled_events: tuple[str, ...] = ("*",)

    def wants(self, event_type: str) -> bool:
        """Whether this type of event is sent there."""
        return "*" in self.enabled_events or event_type in self.enabled_events


class Delivery(NamedTuple):
    """One event on its way to one endpoint.

    attempts: how many were made; next_attempt_at: UTC epoch seconds, None once it is settled.
    state: pending, delivered, failed (attempts used up) or abandoned (the endpoint is gone).
    """

    id: int
    event_id: str
    event_type: str
    endpoint_id: str
    url: str
    state: State
    attempts: int
    next_attempt_at: int | None
    created: int


class Attempt(NamedTuple):
    """One attempt: status None means that no answer came, and ``error`` says why."""

    attempt: int
    at: int
    succeeded: bool
    status: int | None
    response: str
    error: str | None
    duration_ms: int


class UnknownDelivery(Exception):
    """The scope has no delivery with that number."""


def enqueue(
    tx: Tx,
    scope: Scope,
    event_id: str,
    event_type: str,
    body: bytes,
    endpoints: Sequence[Endpoint],
    now: int,
    wake: Callable[[], None] | None = None,
) -> list[int]:
    """Promise an event to each endpoint that wants it; return the deliveries' numbers.

    body: the JSON as it will be sent. Endpoints on different API versions get different bodies: call once for each.
    now: UTC epoch seconds; the first attempt is due at once.
    wake: called after the commit, so that the deliverer need not wait for its next look.
    """
    wanted = [endpoint for endpoint in endpoints if endpoint.wants(event_type)]
    if not wanted:
        return []
    owner = (scope.account, int(scope.livemode))
    message = tx.execute(
        "INSERT INTO outbox_messages (account, livemode, event, event_type, body, created) VALUES (?, ?, ?, ?, ?,"
        " ?) RETURNING id",
        (*owner, event_id, event_type, body, now),
    )[0][0]
    ids = [_insert(tx, (*owner, message, event_id, event_type, endpoint.id, endpoint.url), now) for endpoint in wanted]
    if wake is not None:
        tx.on_commit(wake)
    return ids


def _insert(tx: Tx, fields: Sequence[object], now: int) -> int:
    rows = tx.execute(
        "INSERT INTO outbox_deliveries (account, livemode, message, event, event_type, endpoint, url, state, attempts,"
        " next_attempt_at, lease, lease_until, created) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, '', 0,"
        " ?) RETURNING id",
        (*fields, now, now),
    )
    return int(rows[0][0])


def resend(
    tx: Tx,
    scope: Scope,
    delivery_id: int,
    now: int,
    wake: Callable[[], None] | None = None,
    event_id: str | None = None,
) -> int:
    """Send the same body to the same endpoint once more, as a new delivery; return its number.

    The old one keeps its log and its retries, if any are left. event_id: whose delivery it has to be.
    Raises UnknownDelivery.
    """
    rows = tx.execute(
        "SELECT account, livemode, message, event, event_type, endpoint, url FROM outbox_deliveries"
        " WHERE account = ? AND livemode = ? AND id = ?",
        (scope.account, int(scope.livemode), delivery_id),
    )
    rows = [row for row in rows if event_id in (None, row[3])]
    if not rows:
        raise UnknownDelivery(delivery_id)
    if wake is not None:
        tx.on_commit(wake)
    return _insert(tx, rows[0], now)


def deliveries(
    tx: Tx,
    scope: Scope,
    event_id: str | None = None,
    endpoint_id: str | None = None,
    limit: int = 100,
    before: int | None = None,
) -> list[Delivery]:
    """The scope's deliveries, newest first; of one event or endpoint when given.

    before: continue behind that number.
    """
    where, params = "account = ? AND livemode = ?", [scope.account, int(scope.livemode)]
    for column, value in (("event = ?", event_id), ("endpoint = ?", endpoint_id), ("id < ?", before)):
        if value is not None:
            where, params = f"{where} AND {column}", [*params, value]
    rows = tx.execute(
        "SELECT id, event, event_type, endpoint, url, state, attempts, next_attempt_at, created FROM outbox_deliveries"
        f" WHERE {where} ORDER BY id DESC LIMIT ?",
        [*params, limit],
    )
    return [Delivery(*row) for row in rows]


def pending(tx: Tx, scope: Scope, event_id: str) -> int:
    """How many endpoints have not yet taken this event: the wire's ``pending_webhooks``."""
    rows = tx.execute(
        "SELECT count(*) FROM outbox_deliveries WHERE account = ? AND livemode = ? AND event = ? AND state = 'pending'",
        (scope.account, int(scope.livemode), event_id),
    )
    return int(rows[0][0])


def attempts(tx: Tx, scope: Scope, delivery_id: int) -> list[Attempt]:
    """The log of one delivery, oldest first; empty when the scope has no such delivery."""
    rows = tx.execute(
        "SELECT attempt, at, succeeded, status, response, error, duration_ms FROM outbox_attempts"
        " WHERE account = ? AND livemode = ? AND delivery = ? ORDER BY attempt",
        (scope.account, int(scope.livemode), delivery_id),
    )
    return [Attempt(n, at, bool(ok), status, response, error, ms) for n, at, ok, status, response, error, ms in rows]


def failing_since(tx: Tx, scope: Scope, endpoint_id: str) -> int | None:
    """When the endpoint's present run of failures began (UTC epoch seconds); None when its last attempt succeeded."""
    owner = (scope.account, int(scope.livemode), endpoint_id)
    of = "FROM outbox_attempts WHERE account = ? AND livemode = ? AND endpoint = ?"
    last = tx.execute(f"SELECT max(id) {of} AND succeeded = 1", owner)[0][0] or 0
    first = tx.execute(f"SELECT at {of} AND succeeded = 0 AND id > ? ORDER BY id LIMIT 1", (*owner, last))
    return int(first[0][0]) if first else None


def forget(tx: Tx, before: int, limit: int = 1000) -> int:
    """Delete settled deliveries made before a second (UTC epoch), with their logs; return how many. Call again until 0.

    For housekeeping over all scopes; what is still pending stays.
    """
    rows = tx.execute(
        "SELECT id, message FROM outbox_deliveries WHERE created < ? AND state <> 'pending' ORDER BY id LIMIT ?",
        (before, limit),
    )
    for id, message in rows:
        tx.execute("DELETE FROM outbox_attempts WHERE delivery = ?", (id,))
        tx.execute("DELETE FROM outbox_deliveries WHERE id = ?", (id,))
        tx.execute(
            "DELETE FROM outbox_messages WHERE id = ? AND NOT EXISTS (SELECT 1 FROM outbox_deliveries WHERE message ="
            " ?)",
            (message, message),
        )
    return len(rows)


# -- for the deliverer


class Claim(NamedTuple):
    """A delivery that one deliverer holds until its lease ends."""

    id: int
    scope: Scope
    message: int
    event_id: str
    event_type: str
    endpoint_id: str
    attempts: int
    lease: str
    body: bytes


class Result(NamedTuple):
    """What one attempt came to, as it is stored."""

    at: int
    succeeded: bool
    status: int | None
    response: str
    error: str | None
    duration_ms: int


def claim(tx: Tx, now: int, lease: str, lease_until: int, limit: int, busy: Sequence[str] = ()) -> list[Claim]:
    """Take up to ``limit`` due deliveries; nobody else takes them before ``lease_until``.

    lease: a text that is new each time; only who holds it may record a result.
    busy: endpoints to leave alone for now.
    """
    due = "state = 'pending' AND next_attempt_at <= ? AND lease_until <= ?"
    others = f" AND endpoint NOT IN ({', '.join('?' for _ in busy)})" if busy else ""
    skip = " FOR UPDATE SKIP LOCKED" if tx.dialect == "postgres" else ""
    rows = tx.execute(
        f"UPDATE outbox_deliveries SET lease = ?, lease_until = ? WHERE {due} AND id IN (SELECT id FROM"
        f" outbox_deliveries"
        f" WHERE {due}{others} ORDER BY next_attempt_at, id LIMIT ?{skip})"
        " RETURNING id, account, livemode, message, event, event_type, endpoint, attempts",
        (lease, lease_until, now, now, now, now, *busy, limit),
    )
    return [_claim(tx, row, lease) for row in sorted(rows)]


def _claim(tx: Tx, row: Row, lease: str) -> Claim:
    id, account, livemode, message, event, event_type, endpoint, made = row
    body = tx.execute("SELECT body FROM outbox_messages WHERE id = ?", (message,))[0][0]
    return Claim(id, Scope(account, bool(livemode)), message, event, event_type, endpoint, made, lease, bytes(body))


def record(tx: Tx, claim: Claim, result: Result, state: State, next_attempt_at: int | None) -> bool:
    """Log an attempt and say what comes next. False, and nothing written, when the lease was lost meanwhile."""
    held = tx.execute(
        "UPDATE outbox_deliveries SET attempts = attempts + 1, state = ?, next_attempt_at = ?, lease = '',"
        " lease_until = 0"
        " WHERE id = ? AND lease = ? RETURNING attempts",
        (state, next_attempt_at, claim.id, claim.lease),
    )
    if not held:
        return False
    tx.execute(
        "INSERT INTO outbox_attempts (account, livemode, delivery, attempt, endpoint, at, succeeded, status, response,"
        " error,"
        " duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(claim.scope.account, int(claim.scope.livemode), claim.id, held[0][0], claim.endpoint_id),
            *(result.at, int(result.succeeded), result.status, result.response, result.error, result.duration_ms),
        ),
    )
    return True


def abandon(tx: Tx, claim: Claim) -> None:
    """The endpoint is gone or switched off: stop, without an attempt in the log."""
    tx.execute(
        "UPDATE outbox_deliveries SET state = 'abandoned', next_attempt_at = NULL, lease = '',"
        " lease_until = 0 WHERE id = ? AND lease = ?",
        (claim.id, claim.lease),
    )


def any_due(tx: Tx, now: int) -> bool:
    """Whether a delivery waits that nobody holds."""
    rows = tx.execute(
        "SELECT 1 FROM outbox_deliveries WHERE state = 'pending' AND next_attempt_at <= ? AND lease_until <= ? LIMIT 1",
        (now, now),
    )
    return bool(rows)
