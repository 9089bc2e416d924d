"""The zero-copy read: the bytes of one object, as they were answered when it was written (ARCHITECTURE.md, "Life of a request")."""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Scope, Tx
from tollkey.wire.messages import Response
from tollkey.wire.objects import Tables
from tollkey.wire.render import Renderer
from tollkey.wire.router import Route
from tollkey.wire.versions import LATEST, parse_version


def date_of(version: str | None) -> str:
    """The date of the API version that a caller speaks. version: the header ``Stripe-Version``. Raises ApiError 400 for an unknown one."""
    return parse_version(version) if version else LATEST[:10]


def shown_as_stored(renderer: Renderer, route: Route, version: str) -> bool:
    """Whether the endpoint answers one object, which callers of that version see exactly as it is stored."""
    return route.endpoint.raw and renderer.as_stored(route.resource, version)


def body_of(tables: Tables, route: Route, names: dict[str, str], scope: Scope) -> Callable[[Tx], bytes | None]:
    """Reads the object that the path names; None when there is none."""
    table, (id,) = tables.of[route.resource.object], names.values()
    return lambda tx: table.body(tx, scope, id)


def plain(body: bytes, request_id: str, version: str | None) -> Response:
    """The answer. version: the header that was sent."""
    return Response(200, body, {"Request-Id": request_id, "Stripe-Version": version or LATEST}, request_id=request_id)
