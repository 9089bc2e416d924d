"""Triggering billing alerts: an event for each customer whose usage reaches an alert's threshold, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.db import Migration
from tollkey.payments.shared import events
from tollkey.payments.usage import kinds
from tollkey.payments.usage.events import measured
from tollkey.wire import Call
from tollkey.wire.kinds import Job

if TYPE_CHECKING:
    from tollkey.payments.usage.stored import StoredAlert

JOB = Job("billing.alert.check")
SHOWN = ["active", "inactive"]  # statuses of alerts that are not archived
_FUTURE = 300 + 1  # how far in the future an event may be, seconds
MIGRATION = Migration(
    "alerting",
    (
        "CREATE TABLE alert_triggers (account TEXT NOT NULL, livemode {bool} NOT NULL, alert TEXT NOT NULL,"
        " customer TEXT NOT NULL,"
        " at {int} NOT NULL, PRIMARY KEY (account, livemode, alert, customer))",
    ),
)


def of_meter(call: Call, meter: str, customer: str | None) -> list[StoredAlert]:
    """Return the alerts of a meter that are not archived: those for all customers, or those for one."""
    equal = {"usage_threshold.meter": meter, "_customer": customer or "", "status": SHOWN}
    return call.objects.query(kinds.ALERT, equal)


def usage_reported(call: Call, fact: events.UsageReported) -> None:
    """Schedule a check of the meter's alerts after usage of a customer was reported."""
    meter, customer = fact.meter, fact.customer
    if meter is None:
        return
    for alert in (*of_meter(call, meter["id"], None), *of_meter(call, meter["id"], customer)):
        if alert["status"] == "active" and not triggered(call, alert, customer):
            call.schedule.once(call.real, JOB, f"{alert['id']} {customer}")


def check(call: Call, id: str) -> None:
    """Emit ``billing.alert.triggered`` if the customer's usage since the alert was created reaches its threshold.

    id: ids of the alert and of the customer, separated by a space.
    """
    alert_id, _, customer = id.partition(" ")
    alert = call.objects.find(kinds.ALERT, alert_id)
    if alert is None or alert["status"] != "active" or triggered(call, alert, customer):
        return
    threshold = alert["usage_threshold"]
    assert threshold is not None, "no alert is made without one"
    meter = call.objects.find(kinds.METER, threshold["meter"])
    if meter is None:
        return
    value = measured(call, meter, customer, alert["_since"], call.now + _FUTURE)
    if value < threshold["gte"]:
        return
    call.tx.execute(
        "INSERT INTO alert_triggers (account, livemode, alert, customer, at) VALUES (?, ?, ?, ?, ?)",
        (call.account, int(call.livemode), alert_id, customer, call.now),
    )
    payload = {
        "object": "billing.alert_triggered",
        "alert": call.objects.copy(alert),
        "created": call.now,
        "customer": customer,
        "livemode": call.livemode,
        "value": float(value),
    }
    call.emit("billing.alert.triggered", payload)


def triggered(call: Call, alert: StoredAlert, customer: str) -> bool:
    """Return whether an alert was already triggered for this customer."""
    return bool(
        call.tx.execute(
            "SELECT 1 FROM alert_triggers WHERE account = ? AND livemode = ? AND alert = ? AND customer = ?",
            (call.account, int(call.livemode), alert["id"], customer),
        )
    )


def rearm(call: Call, alert: StoredAlert) -> None:
    """Reset an alert, so that it can trigger again for every customer."""
    call.tx.execute(
        "DELETE FROM alert_triggers WHERE account = ? AND livemode = ? AND alert = ?",
        (call.account, int(call.livemode), alert["id"]),
    )
