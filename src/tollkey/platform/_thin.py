"""Thin events: what a snapshot event looks like in the v2 API, which types have such a form, and the paths in them.

A thin event names its object and does not contain it. That of a snapshot event is computed when it is needed; only
events that have no snapshot (``v2.…``) are stored (``thin_events.py``).
Source: Stripe's documentation, "Event destinations"; the event classes of the official packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tollkey.wire import Json
from tollkey.wire.params import Array, Choice, operation_params
from tollkey.wire.resource import Catalogue, path_names
from tollkey.wire.rfc3339 import written

_MARK = "65"  # what follows the prefix of a thin event's id that stands for a snapshot event
_ID = re.compile(rf"evt_(?:test_)?{_MARK}([0-9A-Za-z]+)")

#: Snapshot events without a thin form, by the beginning of their type (stripe-python 16.1, ``stripe/events``).
_SNAPSHOT_ONLY = (
    "apps.", "customer.source.", "file_link.", "financial_connections.authorization.", "invoiceitem.updated",
    "payment.created", "quote.updated", "reporting.", "reserve.", "source.mandate_notification", "source.transaction.",
    "source.updated", "three_d_secure.", "treasury.",
)  # fmt: skip
#: Types without a snapshot that this server sends.
NATIVE = frozenset(
    {
        "v2.core.account.closed",
        "v2.core.account.created",
        "v2.core.account.updated",
        "v2.core.account[configuration.merchant].capability_status_updated",
        "v2.core.account[configuration.merchant].updated",
        "v2.core.account[configuration.recipient].capability_status_updated",
        "v2.core.account[defaults].updated",
        "v2.core.account[future_requirements].updated",
        "v2.core.account[identity].updated",
        "v2.core.account[requirements].updated",
        "v2.core.account_person.created",
        "v2.core.account_person.deleted",
        "v2.core.account_person.updated",
        "v2.core.event_destination.ping",
    }
)
_REPORTS = ("v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found")
#: Fields of a report that its thin event has in ``data``.
_REPORT_FIELDS = ("developer_message_summary", "reason", "validation_end", "validation_start")


@cache
def snapshot_types() -> frozenset[str]:
    """Return the types of snapshot events that a webhook endpoint may name."""
    node = operation_params("POST", "/v1/webhook_endpoints").fields["enabled_events"]
    assert isinstance(node, Array)
    assert isinstance(node.item, Choice)
    return frozenset(node.item.words) - {"*", *_REPORTS}


def thin_type(type: str) -> str | None:
    """Return the thin type of a snapshot event's type, None when it has none."""
    if type in _REPORTS:
        return type
    return None if type.startswith(_SNAPSHOT_ONLY) else f"v1.{type}"


def snapshot_type(type: str) -> str:
    """Return the type under which the snapshot of a thin type is stored."""
    return type if type in _REPORTS else type.removeprefix("v1.")


@cache
def thin_types() -> frozenset[str]:
    """Return the types of thin events that this server sends."""
    found = (thin_type(type) for type in (*snapshot_types(), *_REPORTS))
    return frozenset({type for type in found if type is not None} | NATIVE)


def thin_id(id: str, livemode: bool) -> str:
    """Return the id of a snapshot event's thin form."""
    return f"evt_{'' if livemode else 'test_'}{_MARK}{id.removeprefix('evt_')}"


def snapshot_id(id: str) -> str | None:
    """Return the id of the snapshot event that a thin event stands for; None for an id of another form."""
    match = _ID.fullmatch(id)
    return None if match is None else f"evt_{match[1]}"


def thin_of(catalogue: Catalogue, event: Mapping[str, Any]) -> Json:
    """Return a snapshot event's thin form, with all that ``GET /v2/core/events/{id}`` answers."""
    about = event["data"]["object"]
    report = event["type"] in _REPORTS
    return {
        "id": thin_id(event["id"], event["livemode"]),
        "object": "v2.core.event",
        "changes": None,
        "context": event.get("account"),
        "created": written(event["created"]),
        "data": _report_data(about) if report else None,
        "livemode": event["livemode"],
        "reason": reason_of(event["request"]["id"], event["request"]["idempotency_key"]),
        "related_object": about["related_object"] if report else related_object(catalogue, about),
        "snapshot_event": None if report else event["id"],
        "type": thin_type(event["type"]),
    }


def _report_data(report: Mapping[str, Any]) -> Json:
    data = {name: report[name] for name in _REPORT_FIELDS}
    return {**data, **{name: written(data[name]) for name in ("validation_end", "validation_start")}}


def reason_of(request_id: str | None, idempotency_key: str | None) -> Json | None:
    """Return the reason of an event: the request that caused it, None when none did."""
    if request_id is None:
        return None
    return {"type": "request", "request": {"id": request_id, "idempotency_key": idempotency_key or ""}}


def related_object(catalogue: Catalogue, about: Mapping[str, Any]) -> Json | None:
    """Return id, type and URL of an event's object; without an id for an object that its account has once."""
    resource = catalogue.by_object.get(about["object"])
    if resource is None:
        return None
    paths = [endpoint.path for endpoint in resource.endpoints if endpoint.method == "GET" and not endpoint.public]
    url = next((url for path in paths if (url := _filled(path, about, about.get("id"))) is not None), None)
    named = {} if about.get("id") is None else {"id": about["id"]}
    return {**named, "type": about["object"], "url": url or ""}


def _filled(path: str, about: Mapping[str, Any], id: str | None) -> str | None:
    """Return the path of one object; None when it is the path of a list, or names what the object does not."""
    names = path_names(path)
    if id is None:
        return None if names else path
    if not path.endswith("}"):
        return None
    values: Iterable[object] = (*(about.get(name) for name in names[:-1]), id)
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str):
            return None
        path = path.replace("{" + name + "}", value)
    return path


def notification(thin: Mapping[str, Any]) -> Json:
    """Return what is sent to a destination: the event without its data."""
    return {name: value for name, value in thin.items() if name not in ("data", "changes") and value is not None}
