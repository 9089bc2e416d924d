"""Events, written in the transaction of the change they record.

An event contains a snapshot of the object, with ``previous_attributes`` for an update. Webhook deliveries are
enqueued in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey import outbox
from tollkey.db import Scope, Tx
from tollkey.keys import Permission
from tollkey.keys.header import without_secret_keys
from tollkey.platform import event_destinations
from tollkey.platform._cli_sessions import replay
from tollkey.platform._thin import notification, thin_of
from tollkey.platform.webhook_endpoints import PERMISSION as WEBHOOKS
from tollkey.platform.webhook_endpoints import targets
from tollkey.wire import Call, Endpoint, Json, P, Page, Resource, invalid
from tollkey.wire.errors import exclusive
from tollkey.wire.live import records
from tollkey.wire.objects import encode, split
from tollkey.wire.pages import list_page
from tollkey.wire.refusals import account_invalid
from tollkey.wire.versions import LATEST, Change, is_newer

if TYPE_CHECKING:
    from tollkey.wire import operations

PERMISSION = Permission("event", "Events", "Core", levels=("read",))

_RESENDABLE_SECONDS = 30 * 86400  # as long as the real system keeps events

#: Events for the platform only.
_OF_THE_APPLICATION = frozenset({"account.application.authorized", "account.application.deauthorized"})

#: Events about the account object (with its capabilities and persons), which the platform stores.
_ABOUT_THE_ACCOUNT = ("account.updated", "account.external_account.", "capability.", "person.")


def record_event(call: Call, type: str, value: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> None:
    """Write an event about an object and enqueue its webhook deliveries, in the call's transaction.

    type: such as ``charge.succeeded``. previous: ``previous_attributes`` of an update.
    """
    resource = call.setup.tables.catalogue.by_object.get(value["object"])
    view = resource.view if resource is not None else None
    data: Json = {
        "object": view(call, call.objects.copy(cast(Json, value))) if view is not None else split(cast(Json, value))[0]
    }
    if previous is not None:
        data["previous_attributes"] = previous
    connected = call.account != call.owner
    hearing, destinations = targets(call, type, connected), event_destinations.hearing(call, type, connected)
    event: Json = {
        "id": call.ids.new("evt"),
        "object": "event",
        "api_version": LATEST,
        "created": call.real,
        "data": data,
        "livemode": call.livemode,
        "pending_webhooks": len(hearing) + len(destinations),
        "request": {"id": call.origin.request_id, "idempotency_key": _shown(call.origin.idempotency_key)},
        "type": type,
        "_about": value.get("id"),
    }
    if connected:
        event["account"] = call.account
    body = b""
    for keeper in _keepers(call, type):
        body = keeper.objects.write_once(event)
    bodies = {LATEST: body}
    for scope, endpoint, version in hearing:
        sent = in_version(call, event, bodies, version)
        outbox.enqueue(call.tx, scope, event["id"], type, sent, [endpoint], call.real, call.services.wake)
    for one in destinations:
        _send_to(call, one, event, bodies)


def _send_to(call: Call, one: event_destinations.Hearing, event: Json, bodies: dict[str, bytes]) -> None:
    """Enqueue an event for an event destination: its thin form, or its snapshot.

    bodies: see ``in_version``.
    """
    id, type = event["id"], event["type"]
    if one.thin:
        shown = thin_of(call.setup.tables.catalogue, event)
        id, type, body = shown["id"], shown["type"], encode(notification(shown))
    else:
        body = in_version(call, event, bodies, one.version)
    outbox.enqueue(call.tx, one.scope, id, type, body, [one.target], call.real, call.services.wake)


def _shown(idempotency_key: str | None) -> str | None:
    """The idempotency key of a request, with API keys in it masked: events go to other systems."""
    return None if idempotency_key is None else without_secret_keys(idempotency_key)


def in_version(call: Call, event: Json, bodies: dict[str, bytes], version: str | None) -> bytes:
    """Return the event as a webhook endpoint receives it.

    bodies: the event by API version, with that of ``LATEST``; converted ones are added. version: the endpoint's; None
        for the default.
    """
    version = _built(version or call.services.settings.default_version)
    if version not in bodies:
        bodies[version] = encode(_older(call, event, version))
    return bodies[version]


def _built(version: str) -> str:
    """The version whose shapes are sent for that one."""
    return LATEST if is_newer(version) else version


def _answered(call: Call, event: Json) -> Json:
    """An event as it is retrieved: in the default version, whichever version the request names."""
    version = _built(call.services.settings.default_version)
    return event if version == LATEST else _older(call, event, version)


def _older(call: Call, event: Json, version: str) -> Json:
    """A copy of an event in an older API version: event and object are converted to it."""
    shown = call.objects.copy(event)
    shown["api_version"] = version
    versions = call.setup.tables.versions
    versions.undo(call, shown["data"]["object"], version[:10])
    versions.undo(call, shown, version[:10])
    return shown


def _request_id(call: Call, event: Json) -> None:
    """Before 2017-05-25 ``request`` was the id alone."""
    event["request"] = event["request"]["id"]


def _keepers(call: Call, type: str) -> list[Call]:
    """The calls in whose scopes an event is stored: the account's, and the platform's for events about the account."""
    platform = call.within(call.owner)
    if type in _OF_THE_APPLICATION:
        return [platform]
    if platform is not call and type.startswith(_ABOUT_THE_ACCOUNT):
        return [call, platform]
    return [call]


def delete_old_events(tx: Tx, before: int, most: int = 500) -> bool:
    """Delete up to ``most`` events older than ``before`` (UTC epoch seconds). Returns whether there may be more.

    Events are numbered in the order of their time, so the oldest are looked at without an index for it.
    """
    tx.cached.pop("obj_event", None)
    return bool(
        tx.execute(
            "DELETE FROM obj_event WHERE seq IN (SELECT seq FROM (SELECT seq, created FROM obj_event ORDER BY seq"
            " LIMIT ?) AS oldest WHERE created < ?) RETURNING 1",
            (most, before),
        )
    )


def _matches(types: list[str], type: str) -> bool:
    return any(type == wanted or (wanted.endswith("*") and type.startswith(wanted[:-1])) for wanted in types)


def _was_delivered(call: Call, id: str) -> bool:
    """Return whether no delivery of an event waits, and every endpoint that one of them failed at has got another."""
    states: dict[str, set[str]] = {}
    for one in outbox.deliveries(call.tx, call.scope, id):
        states.setdefault(one.state, set()).add(one.endpoint_id)
    return "pending" not in states and states.get("failed", set()) <= states.get("delivered", set())


def list_events(call: Call, params: operations.GetEvents) -> Page:
    """List events, newest first, by ``type``, ``types`` (``*`` at the end fits any) and ``delivery_success``."""
    if params.get("type") and params.get("types"):
        raise exclusive("type", "types", code="parameters_exclusive")
    types = params.get("types") or ([params["type"]] if params.get("type") else [])
    whole = not any("*" in name for name in types)
    wanted = params.get("delivery_success")

    def keep(event: Json) -> bool:
        fits = whole or _matches(types, event["type"])
        return fits and (wanted is None or _was_delivered(call, event["id"]) == wanted)

    equal = {"type": types} if types and whole else None
    page = list_page(call, "event", params, equal, url="/v1/events", keep=None if whole and wanted is None else keep)
    if _built(call.services.settings.default_version) != LATEST:
        page.data = [_answered(call, event) for event in page.data]
    return page


def retrieve_event(call: Call, params: operations.GetEventsId) -> Json:
    """Retrieve an event by its id, in the default API version."""
    return _answered(call, call.objects.get("event", call.path["id"]))


def retry(call: Call, params: operations.PostEventsIdRetry) -> Json:
    """Send an event once more: to the ``webhook_endpoint`` that is named, to every ``stripe listen``
    (``for_stripecli``), else to all endpoints that hear of such events. ``account`` names the connected account that
    the event is of.

    The parameters are those of ``stripe events resend`` (stripe-cli, pkg/cmd/resource/events_resend.go).
    """
    source = _account_of(call, params.get("account"))
    event = source.objects.get("event", call.path["id"])
    if event["created"] < call.real - _RESENDABLE_SECONDS:
        raise invalid("Only events of the last 30 days can be sent again.")
    hearing = _resend_targets(call, source, event, params)
    bodies = {LATEST: encode(split(event)[0])}
    for scope, endpoint, version in hearing:
        sent = in_version(call, event, bodies, version)
        outbox.enqueue(call.tx, scope, event["id"], event["type"], sent, [endpoint], call.real, call.services.wake)
    if params.get("for_stripecli"):
        replay(call, event["id"], source.account)
    elif not hearing:
        raise invalid("No webhook endpoint is enabled that hears of this event.", "webhook_endpoint")
    return {**_answered(call, event), "pending_webhooks": outbox.pending(call.tx, call.scope, event["id"])}


def _account_of(call: Call, account: str | None) -> Call:
    """The call in the account that the event is of.

    Raises ApiError 403 for one that is not connected, or where the key may not.
    """
    if account in (None, call.account):
        return call
    assert call.key is not None
    abroad = call.key.kind == "secret" or call.key.allows(f"{WEBHOOKS.name}_write", connected=True)
    if not abroad or call.objects.find("account", account or "") is None:
        raise account_invalid(call.key, account or "")
    return call.within(account or "")


def _resend_targets(
    call: Call, source: Call, event: Json, params: operations.PostEventsIdRetry
) -> list[tuple[Scope, outbox.Destination, str | None]]:
    """The caller's endpoints that an event is resent to."""
    named = params.get("webhook_endpoint")
    if named is None:
        hearing = [] if params.get("for_stripecli") else targets(source, event["type"], source is not call)
        return [one for one in hearing if one[0] == call.scope]
    endpoint = call.objects.get("webhook_endpoint", named, "webhook_endpoint")
    if endpoint["status"] != "enabled":
        raise invalid("This webhook endpoint is disabled.", "webhook_endpoint")
    return [(call.scope, outbox.Destination(endpoint["id"], endpoint["url"], ()), endpoint.get("api_version"))]


EVENT = Resource(
    object="event",
    prefix="evt",
    permission=PERMISSION,
    indexed=("type", "_about"),
    live=records(),
    endpoints=(
        Endpoint("GET", "/v1/events", list_events),
        Endpoint("GET", "/v1/events/{id}", retrieve_event),
        Endpoint(
            "POST",
            "/v1/events/{id}/retry",
            retry,
            permission=WEBHOOKS,
            params=P.object(webhook_endpoint=P.string(), account=P.string(), for_stripecli=P.boolean()),
        ),
    ),
    changes=(Change("2017-05-25", _request_id),),
    title="Events",
    columns=("type", "id", "created"),
)
