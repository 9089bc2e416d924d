"""Meter events of both APIs: what makes one invalid, and counting one that is valid.

Both APIs refuse at once what a meter cannot read. v1 refuses an unknown customer too; v2 reports it later, as in
Stripe (``streams.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.payments.catalog import arithmetic
from tollkey.payments.shared import clock, events
from tollkey.payments.usage import kinds
from tollkey.payments.usage.events import record
from tollkey.wire import Call

if TYPE_CHECKING:
    from tollkey.wire import api

_OLDEST_DAYS = 35
_MOST_DIGITS = 15
#: What other programs call a number too: Python's own reads ``1_000`` as a thousand, and the digits of every script.
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)
_EARLY_SECONDS = 300


class UsageEvent(NamedTuple):
    """A meter event as it was sent.

    identifier: the sender's, or a new one. at: UTC epoch seconds. now: the current time in the same; that of the
    customer's test clock if it has one.
    """

    name: str
    payload: Mapping[str, Any]
    identifier: str
    at: int
    now: int


class Problem(NamedTuple):
    """Why a meter event is not valid.

    reason: as in reports of refused events. message, param: of the v1 error. code: of the v1 error, or None.
    v2_code: of the v2 error.
    """

    reason: str
    message: str
    param: str
    code: str | None
    v2_code: str


def event_of(call: Call, sent: Mapping[str, Any]) -> UsageEvent:
    """Return the event in an operation's parameters; a missing identifier or time is filled in."""
    name, payload, at = sent["event_name"], sent["payload"], sent.get("timestamp")
    now = _now(call, name, payload)
    return UsageEvent(name, payload, sent.get("identifier") or call.ids.text(32), now if at is None else at, now)


def _now(call: Call, name: str, payload: Mapping[str, Any]) -> int:
    """Return the time of the customer that an event names: that of its test clock, or the real time."""
    meter = _active(call, name)
    customer = None if meter is None else payload.get(meter["customer_mapping"]["event_payload_key"])
    found = None if not customer else call.objects.find(kinds.CUSTOMER, str(customer))
    held = None if found is None else found.get("test_clock")
    return call.now if held is None else call.objects.get(clock.CLOCK, held)["frozen_time"]


def _active(call: Call, name: str) -> api.BillingMeter | None:
    found = call.objects.query(kinds.METER, {"event_name": name, "status": "active"}, limit=1)
    return found[0] if found else None


def meter_of(call: Call, event: UsageEvent) -> api.BillingMeter | None:
    """Return the active meter of an event's name, or None."""
    return _active(call, event.name)


def problem_of(call: Call, event: UsageEvent) -> Problem | None:
    """Return why an event is not valid, or None. Whether its customer exists is another question."""
    meter = meter_of(call, event)
    if meter is None:
        text = f"No active meter found for event name {event.name}."
        archived = call.objects.query(kinds.METER, {"event_name": event.name}, limit=1)
        name = "archived_meter" if archived else "no_meter"
        return Problem(name, text, "event_name", None, name)
    key = meter["customer_mapping"]["event_payload_key"]
    if not event.payload.get(key):
        text = f"The payload is missing the customer mapping key `{key}`."
        return Problem("meter_event_no_customer_defined", text, f"payload[{key}]", None, "payload_no_customer_defined")
    return _value_problem(meter, event) or _time_problem(event)


def _value_problem(meter: api.BillingMeter, event: UsageEvent) -> Problem | None:
    """Meters that count events need no value; the others need a number of at most 15 digits.

    Source: Stripe's changelog of 2026-04-22, "billing meter event values validation"; here in every version.
    """
    if meter["default_aggregation"]["formula"] == "count":
        return None
    key = meter["value_settings"]["event_payload_key"]
    text, param, reason = f"The payload's `{key}` must be a number.", f"payload[{key}]", "meter_event_invalid_value"
    if event.payload.get(key) in (None, ""):
        return Problem(reason, text, param, None, "payload_no_value_defined")
    sent = str(event.payload[key])
    value = Decimal(sent if _NUMBER.fullmatch(sent) else "NaN")
    if value.is_finite() and _digits(value) > _MOST_DIGITS:
        text = f"The value in the event payload can have at most {_MOST_DIGITS} digits. Received {sent[:40]}."
    elif value.is_finite():
        return None
    return Problem(reason, text, param, None, "payload_invalid_value")


def _digits(value: Decimal) -> int:
    """Return the digits that a number needs when it is written out without an exponent, without zeros at its ends."""
    if not value:
        return 1
    plain = str(value).partition("E")[0].lstrip("-").replace(".", "").strip("0")  # ``normalize`` has a largest exponent
    return max(len(plain), value.adjusted() + 1, -value.adjusted())


def _time_problem(event: UsageEvent) -> Problem | None:
    if event.now - _OLDEST_DAYS * arithmetic.DAY <= event.at <= event.now + _EARLY_SECONDS:
        return None
    code = "timestamp_too_far_in_past" if event.at < event.now else "timestamp_in_future"
    return Problem(code, "The timestamp must be within the last 35 days.", "timestamp", code, code)


def unknown_customer(call: Call, event: UsageEvent) -> Problem | None:
    """Return the problem of an event, valid otherwise, whose customer does not exist; None when it does."""
    meter = meter_of(call, event)
    assert meter is not None
    key = meter["customer_mapping"]["event_payload_key"]
    customer = str(event.payload[key])
    if call.objects.find(kinds.CUSTOMER, customer) is not None:
        return None
    text = f"No such customer: '{customer}'"
    return Problem("meter_event_customer_not_found", text, f"payload[{key}]", "resource_missing", "resource_missing")


def count(call: Call, event: UsageEvent) -> bool:
    """Count a valid event. Returns False, and counts nothing, when its identifier was used before."""
    meter = meter_of(call, event)
    assert meter is not None
    customer = str(event.payload[meter["customer_mapping"]["event_payload_key"]])
    value = str(event.payload.get(meter["value_settings"]["event_payload_key"], "1"))
    if not record(call, event.name, event.identifier, customer, event.at, value):
        return False
    call.announce(events.UsageReported(customer, meter))
    return True
