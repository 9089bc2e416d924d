"""The events that billing meters aggregate, in a table of their own because there may be millions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tollkey.db import Migration
from tollkey.db.indexed import indexed
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.wire import api

_CANCELABLE_SECONDS = 86_400

MIGRATION = Migration(
    "metering",
    (
        "CREATE TABLE meter_events (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " event_name TEXT NOT NULL,"
        " identifier TEXT NOT NULL,"
        " customer TEXT NOT NULL, at {int} NOT NULL, value TEXT NOT NULL, canceled {int} NOT NULL,"
        " UNIQUE (account, livemode, event_name, identifier))",
        "CREATE INDEX meter_events_at ON meter_events (account, livemode, event_name, customer, at)",
        "ALTER TABLE meter_events ADD COLUMN received {int} NOT NULL DEFAULT 0",
    ),
)


def record(call: Call, event_name: str, identifier: str, customer: str, at: int, value: str) -> bool:
    """Store a meter event; return False if the identifier was used before. at: UTC epoch seconds."""
    known = call.tx.execute(
        "SELECT 1 FROM meter_events WHERE account = ? AND livemode = ? AND event_name = ? AND identifier = ?",
        (call.account, int(call.livemode), event_name, indexed(identifier)),
    )
    if known:
        return False
    call.tx.execute(
        "INSERT INTO meter_events (account, livemode, event_name, identifier, customer, at, value, canceled,"
        " received) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        (call.account, int(call.livemode), event_name, indexed(identifier), customer, at, value, call.real),
    )
    return True


def cancel(call: Call, event_name: str, identifier: str) -> str | None:
    """Remove a meter event that was received within 24 hours; return why it cannot be, or None when it was.

    Source: the OpenAPI document, ``cancel.identifier``.
    """
    where = "account = ? AND livemode = ? AND event_name = ? AND identifier = ?"
    scope = (call.account, int(call.livemode), event_name, indexed(identifier))
    rows = call.tx.execute(f"SELECT received FROM meter_events WHERE {where}", scope)
    if not rows:
        return f"No meter event found with identifier {identifier}."
    if 0 < rows[0][0] < call.real - _CANCELABLE_SECONDS:  # 0: received before this was written down
        return "You can only cancel meter events within 24 hours of their receipt."
    call.tx.execute(f"UPDATE meter_events SET canceled = 1 WHERE {where}", scope)
    return None


def measured(call: Call, meter: api.BillingMeter, customer: str, start: int, end: int) -> Decimal:
    """Return a meter's aggregated usage of a customer from ``start`` (inclusive) to ``end``, UTC epoch seconds."""
    rows = call.tx.execute(
        "SELECT value FROM meter_events WHERE account = ? AND livemode = ? AND event_name = ? AND customer = ? AND at"
        " >= ? AND at < ?"
        " AND canceled = 0 ORDER BY at, seq",
        (call.account, int(call.livemode), meter["event_name"], customer, start, end),
    )
    values = [Decimal(str(row[0])) for row in rows]
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return Decimal(len(values))
    if formula == "last":
        return values[-1] if values else Decimal(0)
    return sum(values, Decimal(0))
