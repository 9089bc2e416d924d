"""Billing meters: aggregations of the events that an integration sends, for metered prices.

active ──deactivate──▶ inactive ──reactivate──▶ active
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypedDict

from tollkey.keys import Permission
from tollkey.payments.catalog import arithmetic
from tollkey.payments.shared import events
from tollkey.payments.usage import kinds, states
from tollkey.payments.usage.events import MIGRATION, cancel, measured, record
from tollkey.wire import (
    Action,
    Call,
    Endpoint,
    P,
    Page,
    Resource,
    invalid,
    listing,
    new_object,
    page_of_list,
    records,
    retrieve,
)

if TYPE_CHECKING:
    from tollkey.wire import api, operations
    from tollkey.wire.api import EventType

__all__ = ["ADJUSTMENT", "EVENT", "METER", "MIGRATION", "STREAM", "SUMMARY"]

PERMISSION = Permission("billing_meter", "Meters", "Billing")
EVENTS = Permission("billing_meter_event", "Meter Events", "Billing")
ADJUSTMENTS = Permission("billing_meter_event_adjustment", "Meter Event Adjustments", "Billing", levels=("write",))
_OLDEST_DAYS = 35
_SPAN = {"hour": 3_600, "day": arithmetic.DAY}
_SESSION_SECONDS = 900


def create(call: Call, params: operations.PostBillingMeters) -> api.BillingMeter:
    """Create a meter for events of a name. Raises ApiError if an active meter has that event name."""
    name = params["event_name"]
    if call.objects.query(kinds.METER, {"event_name": name, "status": "active"}, limit=1):
        raise invalid(
            f"There is already an active meter with the event name: {name}.",
            "event_name",
            "resource_already_exists",
            retry=False,
        )
    mapping = params.get("customer_mapping")
    value = params.get("value_settings")
    meter = new_object(
        kinds.METER,
        id=call.ids.new("mtr"),
        created=call.now,
        customer_mapping={
            "event_payload_key": (mapping["event_payload_key"] if mapping else "") or "stripe_customer_id",
            "type": "by_id",
        },
        default_aggregation=dict(params["default_aggregation"]),
        display_name=params["display_name"],
        event_name=name,
        event_time_window=params.get("event_time_window"),
        livemode=call.livemode,
        status=states.METER.start("active"),
        status_transitions={"deactivated_at": None},
        updated=call.now,
        value_settings={"event_payload_key": (value["event_payload_key"] if value else "") or "value"},
    )
    return call.objects.insert(meter, "billing.meter.created")


def update(call: Call, params: operations.PostBillingMetersId) -> api.BillingMeter:
    """Change the display name of a meter."""
    meter = call.objects.get(kinds.METER, call.path["id"])
    if params.get("display_name"):
        meter["display_name"], meter["updated"] = params["display_name"], call.now
    return call.objects.save(meter, "billing.meter.updated")


def _switch(call: Call, status: str, event: EventType) -> api.BillingMeter:
    meter = call.objects.get(kinds.METER, call.path["id"])
    if meter["status"] == status:
        raise invalid(f"This meter is already {status}.", retry=False)
    states.METER.set(meter, status)
    meter.update(
        {
            "status_transitions": {"deactivated_at": call.now if status == "inactive" else None},
            "updated": call.now,
        }
    )
    call.objects.save(meter)
    call.emit(event, meter)
    return meter


def deactivate(call: Call, params: operations.PostBillingMetersIdDeactivate) -> api.BillingMeter:
    """Deactivate a meter; its events are refused from now on."""
    return _switch(call, "inactive", "billing.meter.deactivated")


def reactivate(call: Call, params: operations.PostBillingMetersIdReactivate) -> api.BillingMeter:
    """Reactivate a meter."""
    return _switch(call, "active", "billing.meter.reactivated")


def list_summaries(call: Call, params: operations.GetBillingMetersIdEventSummaries) -> Page:
    """List a customer's usage of a meter: over the whole time, or by hour or day, newest first."""
    meter = call.objects.get(kinds.METER, call.path["id"])
    customer = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")["id"]
    start, end = params["start_time"], params["end_time"]
    if start >= end:
        raise invalid("`start_time` must be before `end_time`.", "start_time")
    window = params.get("value_grouping_window")
    step = _SPAN[window] if window else end - start
    for name, at in (("start_time", start), ("end_time", end)):
        if at % (step if window else 60):
            raise invalid(
                f"`{name}` must be aligned with {window + ' boundaries (UTC)' if window else 'minute boundaries'}.",
                name,
            )
    found = []
    for at in range(start, end, step):
        value = measured(call, meter, customer, at, at + step)
        found.append(
            new_object(
                kinds.SUMMARY,
                id=f"mtrusg_{meter['id'][-12:]}{at}",
                aggregated_value=float(value),
                end_time=at + step,
                livemode=call.livemode,
                meter=meter["id"],
                start_time=at,
            )
        )
    if not window and not found[0]["aggregated_value"]:
        found = []
    return page_of_list(found[::-1], f"/v1/billing/meters/{meter['id']}/event_summaries", params)


# -- events


def send(call: Call, params: operations.PostBillingMeterEvents) -> api.BillingMeterEvent:
    """Store a meter event. Raises ApiError if no active meter has its name, or its customer or time is not valid."""
    problem = _problem(call, params["event_name"], params["payload"], params.get("timestamp"))
    if problem is not None:
        code, text, param = problem
        raise invalid(text, param, code, retry=False)
    identifier = params.get("identifier") or call.ids.text(32)
    at = params.get("timestamp") or call.now
    _count(call, params["event_name"], params["payload"], identifier, at)
    return new_object(
        kinds.METER_EVENT,
        created=call.now,
        event_name=params["event_name"],
        identifier=identifier,
        livemode=call.livemode,
        payload=params["payload"],
        timestamp=at,
    )


def _meter(call: Call, name: str) -> api.BillingMeter | None:
    found = call.objects.query(kinds.METER, {"event_name": name, "status": "active"}, limit=1)
    return found[0] if found else None


def _problem(
    call: Call, name: str, payload: Mapping[str, Any], at: int | None
) -> tuple[str | None, str, str | None] | None:
    """Return why an event is not valid, as code, message and parameter; None if it is."""
    meter = _meter(call, name)
    if meter is None:
        return None, f"No active meter found for event name {name}.", "event_name"
    key = meter["customer_mapping"]["event_payload_key"]
    customer = payload.get(key)
    if not customer:
        return None, f"The payload is missing the customer mapping key `{key}`.", f"payload[{key}]"
    if call.objects.find(kinds.CUSTOMER, str(customer)) is None:
        return "resource_missing", f"No such customer: '{customer}'", f"payload[{key}]"
    if meter["default_aggregation"]["formula"] != "count":
        key = meter["value_settings"]["event_payload_key"]
        try:
            Decimal(str(payload[key]))
        except (KeyError, InvalidOperation):
            return None, f"The payload's `{key}` must be a number.", f"payload[{key}]"
    if at is not None and not call.now - _OLDEST_DAYS * arithmetic.DAY <= at <= call.now + 300:
        return (
            "timestamp_too_far_in_past" if at < call.now else "timestamp_in_future",
            "The timestamp must be within the last 35 days.",
            "timestamp",
        )
    return None


def _count(call: Call, name: str, payload: Mapping[str, Any], identifier: str, at: int) -> None:
    meter = _meter(call, name)
    assert meter is not None
    value = payload.get(meter["value_settings"]["event_payload_key"], "1")
    if not record(call, name, identifier, str(payload[meter["customer_mapping"]["event_payload_key"]]), at, str(value)):
        raise invalid(
            f"An event already exists with identifier {identifier}.", "identifier", "duplicate_meter_event", retry=False
        )
    customer = str(payload[meter["customer_mapping"]["event_payload_key"]])
    call.announce(events.UsageReported(customer, meter))


def adjust(call: Call, params: operations.PostBillingMeterEventAdjustments) -> api.BillingMeterEventAdjustment:
    """Cancel a meter event by its identifier."""
    identifier = (params.get("cancel") or {}).get("identifier")
    if not identifier or not cancel(call, params["event_name"], identifier):
        raise invalid(
            f"No meter event found with identifier {identifier}.", "cancel[identifier]", "resource_missing", retry=False
        )
    return new_object(
        kinds.ADJUSTMENT,
        cancel={"identifier": identifier},
        event_name=params["event_name"],
        livemode=call.livemode,
        status="complete",
    )


# -- the stream of the v2 API


def open_session(call: Call, params: operations.PostV2BillingMeterEventSession) -> Mapping[str, object]:
    """Create a session for sending many events; its token authenticates the stream."""
    session = {
        "object": "v2.billing.meter_event_session",
        "authentication_token": "token_" + call.ids.text(40),
        "created": _rfc3339(call.now),
        "expires_at": _rfc3339(call.now + _SESSION_SECONDS),
        "id": call.ids.new("mes"),
        "livemode": call.livemode,
    }
    return session


_STREAMED = P.nested(
    event_name=P.string(), identifier=P.string(), payload=P.map(P.string(blank=True)), timestamp=P.any()
)


#: Why an event is not valid: code, message and parameter.
_Problem = tuple[str | None, str, str | None]


class _Refused(TypedDict):
    """An event that is not valid. error_code: as in reports. sample: the event. message: why it was refused."""

    error_code: str
    sample: Mapping[str, Any]
    message: str


def stream(call: Call, params: operations.PostV2BillingMeterEventStream) -> Mapping[str, object]:
    """Store many events. An event reports those that are not valid later, as in Stripe; the response is empty."""
    problems: dict[str, list[_Refused]] = {}
    unknown: list[_Refused] = []
    for entry in params.get("events") or []:
        problem = _problem(call, entry.get("event_name", ""), entry.get("payload") or {}, None)
        meter = _meter(call, entry.get("event_name", ""))
        if problem is None:
            _count(call, entry["event_name"], entry["payload"], entry.get("identifier") or call.ids.text(32), call.now)
        elif meter is None:
            unknown.append({"error_code": "no_meter", "sample": entry, "message": problem[1]})
        else:
            problems.setdefault(meter["id"], []).append(
                {"error_code": "meter_event_no_customer_defined", "sample": entry, "message": problem[1]}
            )
    for id, found in problems.items():
        call.emit("v1.billing.meter.error_report_triggered", _report(call, found, id))
    if unknown:
        call.emit("v1.billing.meter.no_meter_found", _report(call, unknown, None))
    return {}


def _report(call: Call, problems: list[_Refused], meter: str | None) -> Mapping[str, Any]:
    """Return the data of a report event: number of refused events in the period, reasons, and samples."""
    kinds: dict[str, list[_Refused]] = {}
    for problem in problems:
        kinds.setdefault(problem["error_code"], []).append(problem)
    return {
        "object": "billing.meter_error_report",
        "id": call.ids.new("mer"),
        "developer_message_summary": f"Invalid events: {len(problems)}",
        "reason": {
            "error_count": len(problems),
            "error_types": [
                {
                    "code": code,
                    "error_count": len(found),
                    "sample_errors": [
                        {"error_message": p["message"], "request": {"identifier": p["sample"].get("identifier")}}
                        for p in found[:5]
                    ],
                }
                for code, found in kinds.items()
            ],
        },
        "related_object": {"id": meter, "type": "billing.meter", "url": f"/v1/billing/meters/{meter}"}
        if meter
        else None,
        "validation_end": call.now,
        "validation_start": call.now - 10,
    }


def _rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


METER = Resource(
    object="billing.meter",
    prefix="mtr",
    permission=PERMISSION,
    live=records(),
    label="meter",
    indexed=("event_name", "status"),
    endpoints=(
        listing("billing.meter", "/v1/billing/meters"),
        Endpoint("POST", "/v1/billing/meters", create),
        retrieve("billing.meter", "/v1/billing/meters/{id}"),
        Endpoint("POST", "/v1/billing/meters/{id}", update),
        Endpoint("POST", "/v1/billing/meters/{id}/deactivate", deactivate),
        Endpoint("POST", "/v1/billing/meters/{id}/reactivate", reactivate),
    ),
    title="Meters",
    columns=("display_name", "id", "event_name", "status", "created"),
    actions=(
        Action("Deactivate", "/v1/billing/meters/{id}/deactivate", when=("active",)),
        Action("Reactivate", "/v1/billing/meters/{id}/reactivate", when=("inactive",)),
    ),
)
SUMMARY = Resource(
    object="billing.meter_event_summary",
    permission=EVENTS,
    stored=False,
    endpoints=(Endpoint("GET", "/v1/billing/meters/{id}/event_summaries", list_summaries),),
)
EVENT = Resource(
    object="billing.meter_event",
    permission=EVENTS,
    live=records(),
    stored=False,
    endpoints=(Endpoint("POST", "/v1/billing/meter_events", send),),
)
ADJUSTMENT = Resource(
    object="billing.meter_event_adjustment",
    permission=ADJUSTMENTS,
    live=records(),
    stored=False,
    endpoints=(Endpoint("POST", "/v1/billing/meter_event_adjustments", adjust),),
)
STREAM = Resource(
    object="v2.billing.meter_event_session",
    permission=EVENTS,
    reveals={"authentication_token": "write"},
    live=records(),
    stored=False,
    endpoints=(
        Endpoint("POST", "/v2/billing/meter_event_session", open_session, params=P.object()),
        Endpoint("POST", "/v2/billing/meter_event_stream", stream, params=P.object(events=P.array(_STREAMED))),
    ),
)
