"""Zero-copy reads: answer with the stored JSON of one object, without decoding it (ARCHITECTURE.md, "Life of a
request").
"""

from __future__ import annotations

from collections.abc import Callable

from tollkey.db import Scope, Tx
from tollkey.db.ahead import Question
from tollkey.db.edge import Edge
from tollkey.wire.messages import Response
from tollkey.wire.render import Renderer
from tollkey.wire.router import Route
from tollkey.wire.tables import Tables
from tollkey.wire.versions import Spoken


def shown_as_stored(renderer: Renderer, route: Route, version: str) -> bool:
    """Return whether the endpoint answers one object, which callers of that version see exactly as it is stored."""
    endpoint = route.endpoint
    return endpoint.raw and not endpoint.ended(version) and renderer.as_stored(route.resource, version)


def body_of(tables: Tables, route: Route, names: dict[str, str], scope: Scope) -> Callable[[Tx], bytes | None]:
    """Return a function that reads the JSON of the object that the path names; it returns None when there is none."""
    table, (id,) = tables.of[route.resource.object], names.values()
    return lambda tx: table.body(tx, scope, id)


def body_now(edge: Edge, tables: Tables, route: Route, names: dict[str, str], scope: Scope) -> bytes | None:
    """Return the JSON of the object that the path names; None when there is none, or when it takes waiting to know."""
    key = (route.resource.object, scope, *names.values())
    return edge.read_now(body_of(tables, route, names, scope), key)


def question_of(tables: Tables, route: Route, names: dict[str, str], scope: Scope) -> Question:
    """Return what ``body_of`` asks, for ``Edge.ask``."""
    (id,) = names.values()
    return tables.of[route.resource.object].asks_body(scope, id)


def stored_response(body: bytes, request_id: str, spoken: Spoken) -> Response:
    """Return the response with a stored object's JSON. spoken: the caller's version."""
    return Response(200, body, {"Request-Id": request_id, **spoken.headers}, request_id=request_id)
