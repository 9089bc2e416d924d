"""Event destinations of the v2 API: where thin events, or snapshot events, are sent.

    enabled ◀──enable / disable──▶ disabled        any state ──delete──▶ gone

Only webhook endpoints are built: this server sends nothing to Amazon EventBridge or Azure Event Grid, and says so.
The signing secret is answered once, by ``create``, when ``include`` asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey import outbox
from tollkey.db import Scope
from tollkey.platform import _thin
from tollkey.platform._sealed import sealed
from tollkey.platform.webhook_endpoints import MOST, PERMISSION, check_url
from tollkey.wire import Call, Endpoint, Json, Resource, invalid
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.rfc3339 import written
from tollkey.wire.v2_pages import V2Page, v2_page

if TYPE_CHECKING:
    from tollkey.wire import operations

KIND = "v2.core.event_destination"
_PATH = "/v2/core/event_destinations"
_CLOUDS = {"amazon_eventbridge": "Amazon EventBridge", "azure_event_grid": "Azure Event Grid"}
_OWN, _CONNECTED = "@self", "@accounts"
_TIMES = ("created", "updated")
#: The same, as earlier versions call them.
_SOURCES = {_OWN: _OWN, "self": _OWN, _CONNECTED: _CONNECTED, "other_accounts": _CONNECTED}


def create(call: Call, params: operations.PostV2CoreEventDestinations) -> Json:
    """Create an event destination; ``include`` asks for its URL and, only here, for its signing secret."""
    if params["type"] in _CLOUDS:
        raise invalid(f"This server sends no events to {_CLOUDS[params['type']]}. Use webhook_endpoint.", "type")
    if params.get("webhook_endpoint") is None:
        raise missing_param("webhook_endpoint")
    url, thin = params["webhook_endpoint"]["url"], params["event_payload"] == "thin"
    check_url(call, url, "webhook_endpoint.url")
    _check_types(params["enabled_events"], thin)
    if thin and params.get("snapshot_api_version") is not None:
        raise invalid("Thin events have no API version.", "snapshot_api_version")
    if call.objects.table(KIND).count(call.tx, call.scope) >= MOST:
        raise invalid(f"You have reached the maximum of {MOST} event destinations.")
    id, secret = call.ids.new("ed"), "whsec_" + call.ids.text(32)
    destination: Json = {
        "id": id,
        "object": KIND,
        "amazon_eventbridge": None,
        "azure_event_grid": None,
        "created": call.now,
        "description": params.get("description") or "",
        "enabled_events": params["enabled_events"],
        "event_payload": params["event_payload"],
        "events_from": _sources(params.get("events_from") or [_OWN]),
        "livemode": call.livemode,
        "metadata": merged_metadata(None, params.get("metadata") or {}),
        "name": params["name"],
        "snapshot_api_version": None
        if thin
        else params.get("snapshot_api_version") or call.services.settings.default_version,
        "status": "enabled",
        "status_details": None,
        "type": "webhook_endpoint",
        "updated": call.now,
        "webhook_endpoint": None,
        "_url": url,
        "_secrets": [sealed(call, id, secret)],
    }
    call.objects.insert(destination)
    return _shown(destination, params.get("include"), secret)


def _sources(names: list[str]) -> list[str]:
    unknown = next((name for name in names if name not in _SOURCES), None)
    if unknown is not None:
        raise invalid(f"Events from {unknown} are not available: use {_OWN} or {_CONNECTED}.", "events_from")
    return list(dict.fromkeys(_SOURCES[name] for name in names))


def _check_types(types: list[str], thin: bool) -> None:
    """Raise ApiError unless each type is one that this server sends in that form; ``*`` stands for all."""
    if not types:
        raise invalid("At least one event type is required.", "enabled_events")
    known = _thin.thin_types() if thin else _thin.snapshot_types()
    for type in types:
        if type != "*" and type not in known:
            form = "thin" if thin else "snapshot"
            raise invalid(f"The event type {type} is not sent as a {form} event.", "enabled_events")


def _shown(destination: Json, include: Any, secret: str | None = None) -> Json:
    """Return a destination with the fields that ``include`` asks for; the others of its kind are null."""
    fields = {"webhook_endpoint.url": ("url", destination["_url"])}
    if secret is not None:
        fields["webhook_endpoint.signing_secret"] = ("signing_secret", secret)
    wanted = dict(fields[name] for name in include or () if name in fields)
    endpoint = {"signing_secret": None, "url": None, **wanted} if wanted else None
    return {**destination, "webhook_endpoint": endpoint}


def view(call: Call, destination: Json) -> Json:
    """Return a destination with its times in the form of the v2 API."""
    return {**destination, **{name: written(destination[name]) for name in _TIMES if name in destination}}


def list_destinations(call: Call, params: operations.GetV2CoreEventDestinations) -> V2Page:
    """List the event destinations, newest first."""
    return v2_page(
        _PATH,
        params,
        lambda count: [_shown(one, params.get("include")) for one in call.objects.query(KIND, limit=count)],
    )


def retrieve_destination(call: Call, params: operations.GetV2CoreEventDestinationsId) -> Json:
    """Retrieve an event destination."""
    return _shown(call.objects.get(KIND, call.path["id"]), params.get("include"))


def update(call: Call, params: operations.PostV2CoreEventDestinationsId) -> Json:
    """Update an event destination: its name, description, URL, types of events and metadata."""
    destination = call.objects.get(KIND, call.path["id"])
    if params.get("webhook_endpoint") is not None:
        check_url(call, params["webhook_endpoint"]["url"], "webhook_endpoint.url")
        destination["_url"] = params["webhook_endpoint"]["url"]
    if "enabled_events" in params:
        _check_types(params["enabled_events"], destination["event_payload"] == "thin")
        destination["enabled_events"] = params["enabled_events"]
    if "metadata" in params:
        destination["metadata"] = merged_metadata(destination["metadata"], params["metadata"])
    if "name" in params:
        destination["name"] = params["name"]
    if "description" in params:
        destination["description"] = params["description"]
    destination["updated"] = call.now
    return _shown(call.objects.save(destination), params.get("include"))


def enable(call: Call, params: operations.PostV2CoreEventDestinationsIdEnable) -> Json:
    """Enable an event destination."""
    return _switch(call, "enabled", None)


def disable(call: Call, params: operations.PostV2CoreEventDestinationsIdDisable) -> Json:
    """Disable an event destination. What was not delivered to it is not sent any more."""
    return _switch(call, "disabled", {"disabled": {"reason": "user"}})


def _switch(call: Call, status: str, details: Json | None) -> Json:
    destination = call.objects.get(KIND, call.path["id"])
    if destination["status"] != status:
        destination.update({"status": status, "status_details": details, "updated": call.now})
        call.objects.save(destination)
    return _shown(destination, None)


def delete(call: Call, params: operations.DeleteV2CoreEventDestinationsId) -> Json:
    """Delete an event destination. Pending deliveries to it are canceled."""
    destination = call.objects.get(KIND, call.path["id"])
    call.objects.delete(destination)
    return {"id": destination["id"], "object": KIND}


class Hearing(NamedTuple):
    """A destination that hears of an event. version: of its snapshots. thin: it gets thin events."""

    scope: Scope
    target: outbox.Destination
    version: str | None
    thin: bool


def hearing(call: Call, type: str, connected: bool) -> list[Hearing]:
    """Return the enabled destinations of an event of this scope: its own, and those of its platform.

    type: of the snapshot event, or a thin type without a snapshot. connected: it happened on a connected account.
    """
    found = []
    native = type in _thin.NATIVE
    thin = type if native else _thin.thin_type(type)
    for home in {call.account: call, call.owner: call.within(call.owner)}.values():
        source = _CONNECTED if connected and home.account == call.owner else _OWN
        for one in home.objects.query_read_only(KIND, {"status": "enabled"}, MOST):
            heard = thin if one["event_payload"] == "thin" else None if native else type
            target = outbox.Destination(one["id"], one["_url"], (), tuple(one["enabled_events"]))
            if source in one["events_from"] and heard is not None and target.wants(heard):
                everything = outbox.Destination(one["id"], one["_url"], ())
                version = one["snapshot_api_version"]
                found.append(Hearing(home.scope, everything, version, one["event_payload"] == "thin"))
    return found


EVENT_DESTINATION = Resource(
    object=KIND,
    prefix="ed",
    label="event destination",
    permission=PERMISSION,
    reveals={"webhook_endpoint.signing_secret": "write"},
    live=records(),
    indexed=("status",),
    sealed=("_secrets",),
    view=view,
    endpoints=(
        Endpoint("GET", _PATH, list_destinations),
        Endpoint("POST", _PATH, create, secret="webhook_endpoint.signing_secret"),
        Endpoint("GET", _PATH + "/{id}", retrieve_destination),
        Endpoint("POST", _PATH + "/{id}", update),
        Endpoint("DELETE", _PATH + "/{id}", delete),
        Endpoint("POST", _PATH + "/{id}/enable", enable),
        Endpoint("POST", _PATH + "/{id}/disable", disable),
    ),
    title="Event destinations",
    columns=("name", "status", "id", "event_payload"),
)
