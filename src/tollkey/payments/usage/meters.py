"""Billing meters: aggregations of the events that an integration sends, for metered prices.

active ──deactivate──▶ inactive ──reactivate──▶ active
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.keys import Permission
from tollkey.payments.catalog import arithmetic
from tollkey.payments.usage import counting, kinds, states
from tollkey.payments.usage.events import MIGRATION, cancel, measured
from tollkey.payments.usage.sessions import EVENTS
from tollkey.payments.usage.streams import ADJUSTMENTS
from tollkey.wire import Action, Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.pages import listing, page_of_list, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations
    from tollkey.wire.api import EventType

__all__ = ["ADJUSTMENT", "EVENT", "METER", "MIGRATION", "SUMMARY"]

PERMISSION = Permission("billing_meter", "Meters", "Billing")
_SPAN = {"hour": 3_600, "day": arithmetic.DAY}


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
    event = counting.event_of(call, params)
    problem = counting.problem_of(call, event) or counting.unknown_customer(call, event)
    if problem is not None:
        raise invalid(problem.message, problem.param, problem.code, retry=False)
    if not counting.count(call, event):
        raise invalid(
            f"An event already exists with identifier {event.identifier}.",
            "identifier",
            "duplicate_meter_event",
            retry=False,
        )
    return new_object(
        kinds.METER_EVENT,
        created=call.now,
        event_name=event.name,
        identifier=event.identifier,
        livemode=call.livemode,
        payload=params["payload"],
        timestamp=event.at,
    )


def adjust(call: Call, params: operations.PostBillingMeterEventAdjustments) -> api.BillingMeterEventAdjustment:
    """Cancel a meter event by its identifier."""
    identifier = (params.get("cancel") or {}).get("identifier")
    if not identifier:
        raise missing_param("cancel[identifier]")
    reason = cancel(call, params["event_name"], identifier)
    if reason is not None:
        code = "resource_missing" if reason.startswith("No meter event") else None
        raise invalid(reason, "cancel[identifier]", code, retry=False)
    return new_object(
        kinds.ADJUSTMENT,
        cancel={"identifier": identifier},
        event_name=params["event_name"],
        livemode=call.livemode,
        status="complete",
    )


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
