"""Events of the v2 API, which are thin (``_thin.py``): listed, retrieved, and sent to event destinations.

Events go back 30 days, as in the real system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey import outbox
from tollkey.db.table import Range
from tollkey.platform import _thin
from tollkey.platform.event_destinations import Hearing, hearing
from tollkey.platform.events import PERMISSION
from tollkey.platform.webhook_endpoints import PERMISSION as DESTINATIONS
from tollkey.wire import Call, Endpoint, Json, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.objects import encode
from tollkey.wire.pages import created_ranges
from tollkey.wire.rfc3339 import written
from tollkey.wire.v2_pages import V2Page, v2_page

if TYPE_CHECKING:
    from tollkey.wire import operations

_KEPT_SECONDS = 30 * 86_400
_MOST_TYPES = 20
_PATH = "/v2/core/events"
KIND = "v2.core.event"


def emit(
    call: Call, type: str, about: Mapping[str, Any], only: Hearing | None = None, *, data: Json | None = None
) -> Json:
    """Store an event that has no snapshot, and send it. Returns it as the API answers it.

    type: of ``_thin.NATIVE``. about: its object. only: the destination it goes to; None for all that hear of such
    events. data: what it says besides naming its object.
    """
    event: Json = {
        "id": call.ids.new("evt"),
        "object": KIND,
        "changes": None,
        "context": call.account if call.account != call.owner else None,
        "created": call.real,
        "data": data,
        "livemode": call.livemode,
        "reason": _thin.reason_of(call.origin.request_id, call.origin.idempotency_key),
        "related_object": _thin.related_object(call.setup.tables.catalogue, about),
        "snapshot_event": None,
        "type": type,
        "_about": about["id"],
    }
    call.objects.insert(event)
    shown = view(call, call.objects.copy(event))
    body = encode(_thin.notification(shown))
    for one in [only] if only is not None else hearing(call, type, call.account != call.owner):
        if one.thin or only is not None:
            outbox.enqueue(call.tx, one.scope, event["id"], type, body, [one.target], call.now, call.services.wake)
    return shown


def view(call: Call, event: Json) -> Json:
    """Return a stored event with its time in the form of the v2 API."""
    created = event["created"]
    return {**event, "created": written(created) if isinstance(created, int) else created}


def list_events(call: Call, params: operations.GetV2CoreEvents) -> V2Page:
    """List the events of the last 30 days, newest first, by object, types and time."""
    types = params.get("types")
    if types is not None and len(types) > _MOST_TYPES:
        raise invalid(f"Up to {_MOST_TYPES} types can be given.", "types")
    ranges = [*created_ranges(params.get("created")), Range("created", ">=", call.real - _KEPT_SECONDS)]
    about = {"_about": params["object_id"]} if params.get("object_id") else {}

    def newest(count: int) -> Sequence[Json]:
        catalogue = call.setup.tables.catalogue
        wanted = _thin.thin_types() if types is None else _thin.thin_types().intersection(types)
        if not wanted:
            return []
        snapshots = {"type": sorted(_thin.snapshot_type(type) for type in wanted), **about}
        native = {"type": sorted(wanted), **about}
        found = [(e["created"], _thin.thin_of(catalogue, e)) for e in _of(call, "event", snapshots, ranges, count)]
        found += [(e["created"], view(call, e)) for e in _of(call, KIND, native, ranges, count)]
        return [event for _, event in sorted(found, key=lambda one: one[0], reverse=True)][:count]

    return v2_page(_PATH, params, newest)


def _of(call: Call, kind: str, equal: Mapping[str, Any], ranges: list[Range], count: int) -> list[Json]:
    return call.objects.query(kind, equal, limit=count, ranges=ranges)


def retrieve_event(call: Call, params: operations.GetV2CoreEventsId) -> Json:
    """Retrieve an event by its id."""
    id = call.path["id"]
    snapshot = _thin.snapshot_id(id)
    found = None if snapshot is None else call.objects.find("event", snapshot)
    if found is not None and _thin.thin_type(found["type"]) and _thin.thin_id(found["id"], call.livemode) == id:
        return _thin.thin_of(call.setup.tables.catalogue, found)
    return call.objects.get(KIND, id)


def ping(call: Call, params: operations.PostV2CoreEventDestinationsIdPing) -> Json:
    """Send a ping event to a destination. Raises ApiError when it is disabled."""
    destination = call.objects.get("v2.core.event_destination", call.path["id"])
    if destination["status"] != "enabled":
        raise invalid("This event destination is disabled. Enable it before you send a ping.")
    target = outbox.Destination(destination["id"], destination["_url"], ())
    only = Hearing(call.scope, target, None, thin=True)
    return emit(call, "v2.core.event_destination.ping", destination, only)


EVENT = Resource(
    object=KIND,
    prefix="evt_test",
    permission=PERMISSION,
    live=records(),
    indexed=("type", "_about"),
    view=view,
    label="event",
    endpoints=(
        Endpoint("GET", _PATH, list_events, scans=True),
        Endpoint("GET", _PATH + "/{id}", retrieve_event),
        Endpoint("POST", "/v2/core/event_destinations/{id}/ping", ping, permission=DESTINATIONS, live=records()),
    ),
)
