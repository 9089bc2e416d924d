"""The events that billing meters aggregate, in a table of their own because there may be millions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tollkey.db import Migration
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.wire import api

MIGRATION = Migration(
    "metering",
    (
        "CREATE TABLE meter_events (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " event_name TEXT NOT NULL,"
        " identifier TEXT NOT NULL,"
        " customer TEXT NOT NULL, at {int} NOT NULL, value TEXT NOT NULL, canceled {int} NOT NULL,"
        " UNIQUE (account, livemode, event_name, identifier))",
        "CREATE INDEX meter_events_at ON meter_events (account, livemode, event_name, customer, at)",
    ),
)


def record(call: Call, event_name: str, identifier: str, customer: str, at: int, value: str) -> bool:
    """Store a meter event; return False if the identifier was used before."""
    known = call.tx.execute(
        "SELECT 1 FROM meter_events WHERE account = ? AND livemode = ? AND event_name = ? AND identifier = ?",
        (call.account, int(call.livemode), event_name, identifier),
    )
    if known:
        return False
    call.tx.execute(
        "INSERT INTO meter_events (account, livemode, event_name, identifier, customer, at, value, canceled)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (call.account, int(call.livemode), event_name, identifier, customer, at, value),
    )
    return True


def cancel(call: Call, event_name: str, identifier: str) -> bool:
    """Remove a meter event; return False if there is none with that identifier."""
    where = "account = ? AND livemode = ? AND event_name = ? AND identifier = ?"
    scope = (call.account, int(call.livemode), event_name, identifier)
    if not call.tx.execute(f"SELECT 1 FROM meter_events WHERE {where}", scope):
        return False
    call.tx.execute(f"UPDATE meter_events SET canceled = 1 WHERE {where}", scope)
    return True


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
