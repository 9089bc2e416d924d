"""Meter events of the v2 API: one at a time, checked at once, or many in a stream, whose problems are reported later.

Only the token of a session sends to the stream (``sessions.py``). What is not valid in it is counted in a report event:
``v1.billing.meter.error_report_triggered`` for a meter, ``v1.billing.meter.no_meter_found`` for names without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.keys import Permission
from tollkey.payments.usage import counting
from tollkey.payments.usage.counting import Problem, UsageEvent
from tollkey.payments.usage.events import cancel
from tollkey.payments.usage.sessions import EVENTS
from tollkey.wire import ApiError, Call, Endpoint, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.rfc3339 import written

if TYPE_CHECKING:
    from tollkey.wire import api, operations

ADJUSTMENTS = Permission("billing_meter_event_adjustment", "Meter Event Adjustments", "Billing", levels=("write",))
_MOST = 100
_SAMPLES = 5
_WINDOW_SECONDS = 10


class _Refused(NamedTuple):
    """An event of a stream that was not counted."""

    event: UsageEvent
    problem: Problem


def send(call: Call, params: operations.PostV2BillingMeterEvents) -> api.V2BillingMeterEvent:
    """Count a meter event. Raises ApiError when no meter can read it; an unknown customer is reported by an event."""
    event = counting.event_of(call, params)
    problem = counting.problem_of(call, event)
    if problem is not None:
        raise ApiError(400, code=problem.v2_code, message=problem.message)
    unknown = counting.unknown_customer(call, event)
    if unknown is not None:
        _report(call, [_Refused(event, unknown)])
    elif not counting.count(call, event):
        message = f"An event already exists with identifier {event.identifier}."
        raise ApiError(400, code="duplicate_meter_event", message=message)
    return {
        "object": "v2.billing.meter_event",
        "created": written(call.now),
        "event_name": event.name,
        "identifier": event.identifier,
        "livemode": call.livemode,
        "payload": params["payload"],
        "timestamp": written(event.at),
    }


def adjust(call: Call, params: operations.PostV2BillingMeterEventAdjustments) -> api.V2BillingMeterEventAdjustment:
    """Cancel a meter event by its identifier. Raises ApiError when there is none, or it is a day old."""
    identifier = params["cancel"]["identifier"]
    message = cancel(call, params["event_name"], identifier)
    if message is not None:
        raise ApiError(400, code="invalid_cancel_configuration", message=message)
    return {
        "id": call.ids.new("mtreadj"),
        "object": "v2.billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "created": written(call.now),
        "event_name": params["event_name"],
        "livemode": call.livemode,
        "status": "complete",
        "type": "cancel",
    }


def stream(call: Call, params: operations.PostV2BillingMeterEventStream) -> Mapping[str, object]:
    """Count up to 100 events. An event reports those that are not valid, as in Stripe; the response is empty."""
    sent = params["events"]
    if len(sent) > _MOST:
        raise invalid(f"Supports up to {_MOST} events per request.", "events")
    refused = []
    for event in (counting.event_of(call, one) for one in sent):
        problem = counting.problem_of(call, event) or counting.unknown_customer(call, event)
        if problem is None:
            counting.count(call, event)  # an identifier that was used before is counted once
        else:
            refused.append(_Refused(event, problem))
    _report(call, refused)
    return {}


def _report(call: Call, refused: Iterable[_Refused]) -> None:
    """Send a report event for each meter with refused events, and one for all names without a meter."""
    meters: dict[str | None, list[_Refused]] = {}
    for one in refused:
        meter = counting.meter_of(call, one.event)
        meters.setdefault(None if meter is None else meter["id"], []).append(one)
    for id, found in meters.items():
        data = _report_of(call, found, id)
        if id is None:
            call.emit("v1.billing.meter.no_meter_found", data)
        else:
            call.emit("v1.billing.meter.error_report_triggered", data)


def _report_of(call: Call, refused: list[_Refused], meter: str | None) -> Mapping[str, Any]:
    """Return the data of a report event: number of refused events in the period, reasons, and samples."""
    reasons: dict[str, list[_Refused]] = {}
    for one in refused:
        reasons.setdefault(one.problem.reason, []).append(one)
    return {
        "object": "billing.meter_error_report",
        "id": call.ids.new("mer"),
        "developer_message_summary": f"Invalid events: {len(refused)}",
        "reason": {
            "error_count": len(refused),
            "error_types": [
                {
                    "code": reason,
                    "error_count": len(found),
                    "sample_errors": [
                        {"error_message": one.problem.message, "request": {"identifier": one.event.identifier}}
                        for one in found[:_SAMPLES]
                    ],
                }
                for reason, found in reasons.items()
            ],
        },
        "related_object": {"id": meter, "type": "billing.meter", "url": f"/v1/billing/meters/{meter}"}
        if meter
        else None,
        "validation_end": call.now,
        "validation_start": call.now - _WINDOW_SECONDS,
    }


EVENT = Resource(
    object="v2.billing.meter_event",
    permission=EVENTS,
    live=records(),
    stored=False,
    endpoints=(
        Endpoint("POST", "/v2/billing/meter_events", send),
        Endpoint("POST", "/v2/billing/meter_event_stream", stream, session=True),
    ),
)
ADJUSTMENT = Resource(
    object="v2.billing.meter_event_adjustment",
    permission=ADJUSTMENTS,
    live=records(),
    stored=False,
    endpoints=(Endpoint("POST", "/v2/billing/meter_event_adjustments", adjust),),
)
