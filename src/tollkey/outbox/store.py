"""The tables of the outbox: deliveries, when their next attempt is due, and the log of attempts.

Deliveries are written in the transaction that records the event, so that a committed event is delivered and a rolled
back one is not. Signing secrets are not stored here: the deliverer reads the webhook endpoint when it sends, so that a
rolled secret or a deleted endpoint takes effect at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tollkey.db import Migration, Scope, Tx
from tollkey.db.held import inserting

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
        "CREATE INDEX outbox_deliveries_waiting ON outbox_deliveries (endpoint, next_attempt_at, id)"
        " WHERE state = 'pending'",
        "DROP INDEX outbox_deliveries_due",
    ),
)


_MESSAGE = inserting(
    "outbox_messages", ["id", "account", "livemode", "event", "event_type", "body", "created"], "itittbi"
)
_DELIVERY = inserting(
    "outbox_deliveries",
    [
        "id", "account", "livemode", "message", "event", "event_type", "endpoint", "url", "state", "attempts",
        "next_attempt_at", "lease", "lease_until", "created",
    ],
    "itiitttttiitii",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events are sent: a webhook endpoint.

    id: of the webhook endpoint, ``we_…``. url: its address.
    secrets: active signing secrets, newest first; not part of the repr.
    enabled_events: event types, or ``*`` for all.
    """

    id: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    enabled_events: tuple[str, ...] = ("*",)

    def wants(self, event_type: str) -> bool:
        """Return whether events of this type are sent there."""
        return "*" in self.enabled_events or event_type in self.enabled_events


class Delivery(NamedTuple):
    """The delivery of one event to one webhook endpoint.

    id: its number. url: of the endpoint when the event was recorded.
    state: ``pending``, ``delivered``, ``failed`` (no attempts left) or ``abandoned`` (the endpoint was deleted or
        disabled).
    attempts: how many were made. next_attempt_at: UTC epoch seconds; None unless pending.
    created: UTC epoch seconds.
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


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one HTTP request of a delivery.

    at: UTC epoch seconds. succeeded: the status was 2xx.
    status: HTTP status; None without a response, ``error`` gives the reason then.
    response: the beginning of the response body. duration_ms: milliseconds.
    """

    at: int
    succeeded: bool
    status: int | None
    response: str
    error: str | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class DeliveryAttempt(Result):
    """One HTTP request of a delivery. attempt: its number, from 1."""

    attempt: int


class UnknownDelivery(Exception):
    """The scope has no delivery with this number."""


def enqueue(
    tx: Tx,
    scope: Scope,
    event_id: str,
    event_type: str,
    body: bytes,
    endpoints: Sequence[Destination],
    now: int,
    wake: Callable[[], None] | None = None,
) -> list[int]:
    """Create a delivery for each endpoint that wants the event type, and return their numbers.

    tx: the transaction that records the event. event_id: ``evt_…``. event_type: for example ``charge.succeeded``.
    body: the JSON to send. Endpoints on different API versions get different bodies: call once for each version.
    now: UTC epoch seconds; the first attempt is due at once.
    wake: called after the commit; pass ``Deliverer.wake`` to start the delivery without waiting for its next poll.
    Raises StorageError.
    """
    wanted = [endpoint for endpoint in endpoints if endpoint.wants(event_type)]
    if not wanted:
        return []
    owner = (scope.account, int(scope.livemode))
    message = tx.number("outbox_messages")
    tx.hold(_MESSAGE, (message, *owner, event_id, event_type, body, now))
    ids = [_insert(tx, (*owner, message, event_id, event_type, endpoint.id, endpoint.url), now) for endpoint in wanted]
    if wake is not None:
        tx.on_commit(wake)
    return ids


def _insert(tx: Tx, fields: Sequence[object], now: int) -> int:
    number = tx.number("outbox_deliveries")
    tx.hold(_DELIVERY, (number, *fields, "pending", 0, now, "", 0, now))
    return number


def resend(
    tx: Tx,
    scope: Scope,
    delivery_id: int,
    now: int,
    wake: Callable[[], None] | None = None,
    event_id: str | None = None,
) -> int:
    """Send the same body to the same endpoint again, as a new delivery, and return its number.

    The old delivery keeps its attempts and remaining retries.
    now: UTC epoch seconds. wake: see ``enqueue``. event_id: the event the delivery must belong to, if given.
    Raises UnknownDelivery, StorageError.
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
    """Return the scope's deliveries, newest first.

    event_id, endpoint_id: only of this event or webhook endpoint. limit: the maximum number.
    before: only deliveries with a smaller number, for the next page.
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
    """Return the number of pending deliveries of an event: the API's ``pending_webhooks``."""
    rows = tx.execute(
        "SELECT count(*) FROM outbox_deliveries WHERE account = ? AND livemode = ? AND event = ? AND state = 'pending'",
        (scope.account, int(scope.livemode), event_id),
    )
    return int(rows[0][0])


def attempts(tx: Tx, scope: Scope, delivery_id: int) -> list[DeliveryAttempt]:
    """Return the attempts of one delivery, oldest first; an empty list if the scope has no such delivery."""
    rows = tx.execute(
        "SELECT at, succeeded, status, response, error, duration_ms, attempt FROM outbox_attempts"
        " WHERE account = ? AND livemode = ? AND delivery = ? ORDER BY attempt",
        (scope.account, int(scope.livemode), delivery_id),
    )
    return [
        DeliveryAttempt(at, bool(ok), status, response, error, ms, n) for at, ok, status, response, error, ms, n in rows
    ]


def failing_since(tx: Tx, scope: Scope, endpoint_id: str) -> int | None:
    """Return when the endpoint started to fail without a success since, in UTC epoch seconds; None if it does not."""
    owner = (scope.account, int(scope.livemode), endpoint_id)
    of = "FROM outbox_attempts WHERE account = ? AND livemode = ? AND endpoint = ?"
    last = tx.execute(f"SELECT max(id) {of} AND succeeded = 1", owner)[0][0] or 0
    first = tx.execute(f"SELECT at {of} AND succeeded = 0 AND id > ? ORDER BY id LIMIT 1", (*owner, last))
    return int(first[0][0]) if first else None


_AT_ONCE = 100  # rows in one statement


def delete_settled(tx: Tx, before: int, limit: int = 500) -> int:
    """Delete old deliveries of all scopes that are not pending, with their attempts, and return how many.

    before: delete deliveries created before this time, UTC epoch seconds. limit: how many of the oldest are looked at;
        call again until the result is 0.
    Raises StorageError.
    """
    rows = tx.execute(
        "SELECT id, message FROM (SELECT id, message, state, created FROM outbox_deliveries ORDER BY id LIMIT ?)"
        " AS oldest WHERE created < ? AND state <> 'pending'",
        (limit, before),
    )
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        marks = ", ".join("?" for _ in some)
        ids = [id for id, _ in some]
        tx.execute(f"DELETE FROM outbox_attempts WHERE delivery IN ({marks})", ids)
        tx.execute(f"DELETE FROM outbox_deliveries WHERE id IN ({marks})", ids)
        tx.execute(
            f"DELETE FROM outbox_messages WHERE id IN ({marks}) AND NOT EXISTS"
            " (SELECT 1 FROM outbox_deliveries WHERE message = outbox_messages.id)",
            [message for _, message in some],
        )
    return len(rows)
