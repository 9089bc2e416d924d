"""Events: what happened, written in the transaction in which it happened.

An event is a snapshot of the object as it was, with ``previous_attributes`` for an update. The
webhooks that follow from it are enqueued in the same transaction.
"""

from __future__ import annotations

from tollkey import outbox
from tollkey.keys import Permission
from tollkey.platform.webhook_endpoints import targets
from tollkey.wire import Call, Endpoint, Json, Page, Params, Resource, is_newer, list_page, retrieve, split
from tollkey.wire.objects import encode
from tollkey.wire.versions import LATEST, Change, Versions

PERMISSION = Permission("event", "Events", "Core", levels=("read",))

#: Told to the platform alone; the account may be out of its reach already.
_OF_THE_APPLICATION = frozenset({"account.application.authorized", "account.application.deauthorized"})

#: About the account object (its capabilities, its persons), which a platform made and keeps.
_ABOUT_THE_ACCOUNT = ("account.updated", "account.external_account.", "capability.", "person.")


def record_event(call: Call, type: str, value: Json, previous: Json | None = None) -> None:
    """Write the event of that type about an object, and enqueue its webhooks, in the call's transaction."""
    resource = call.setup.tables.catalogue.by_object.get(value["object"])
    view = resource.view if resource is not None else None
    data: Json = {"object": view(call, call.objects.copy(value)) if view is not None else split(value)[0]}
    if previous is not None:
        data["previous_attributes"] = previous
    connected = call.account != call.platform
    hearing = targets(call, type, connected)
    event: Json = {
        "id": call.ids.new("evt"),
        "object": "event",
        "api_version": LATEST,
        "created": call.real,
        "data": data,
        "livemode": call.livemode,
        "pending_webhooks": len(hearing),
        "request": {"id": call.origin.request_id, "idempotency_key": call.origin.idempotency_key},
        "type": type,
        "_about": value.get("id"),
    }
    if connected:
        event["account"] = call.account
    body = b""
    for keeper in _keepers(call, type):
        body = keeper.objects.write_once(event)
    for scope, endpoint, version in hearing:
        sent = body if version is None or is_newer(version) else _older(call, event, version)
        outbox.enqueue(call.tx, scope, event["id"], type, sent, [endpoint], call.now, call.setup.services.get("wake"))


def _older(call: Call, event: Json, version: str) -> bytes:
    """The event as a webhook endpoint of an older API version is sent it: itself, and the object in it, in that version's shape."""
    shown = call.objects.copy(event)
    shown["api_version"] = version
    versions = Versions(call.setup.tables.catalogue)
    versions.undo(call, shown["data"]["object"], version[:10])
    versions.undo(call, shown, version[:10])
    return encode(shown)


def _request_id(call: Call, event: Json) -> None:
    """Before 2017-05-25 ``request`` was the id alone."""
    event["request"] = event["request"]["id"]


def _keepers(call: Call, type: str) -> list[Call]:
    """In whose lists an event stands: the account's own; the platform's too when it is about the account object, which is theirs."""
    platform = call.within(call.platform)
    if type in _OF_THE_APPLICATION:
        return [platform]
    if platform is not call and type.startswith(_ABOUT_THE_ACCOUNT):
        return [call, platform]
    return [call]


def _matches(types: list[str], type: str) -> bool:
    return any(type == wanted or (wanted.endswith("*") and type.startswith(wanted[:-1])) for wanted in types)


def list_events(call: Call, params: Params) -> Page:
    """List events, newest first, by ``type`` or ``types`` (a trailing ``*`` matches any ending)."""
    types = params.get("types") or ([params["type"]] if params.get("type") else [])
    if types and not any("*" in name for name in types):
        return list_page(call, "event", params, {"type": types}, url="/v1/events")
    keep = (lambda event: _matches(types, event["type"])) if types else None
    return list_page(call, "event", params, url="/v1/events", keep=keep)


EVENT = Resource(
    object="event",
    prefix="evt",
    permission=PERMISSION,
    indexed=("type", "_about"),
    endpoints=(Endpoint("GET", "/v1/events", list_events), retrieve("event", "/v1/events/{id}")),
    changes=(Change("2017-05-25", _request_id),),
    title="Events",
    columns=("type", "id", "created"),
)
