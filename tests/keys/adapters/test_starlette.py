"""The Starlette adapter: a gate around one route, with the parameters of its path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from tests.keys.adapters.steps import bearer, with_projects
from tollkey.keys import KeyService
from tollkey.keys.adapters.starlette import ApiKeys, key_of


async def whoami(request: Request) -> PlainTextResponse:
    return PlainTextResponse(key_of(request).account)


async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(key_of(socket).account)
    await socket.close()


@contextmanager
def client(*routes: Route | WebSocketRoute | Mount) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=list(routes)), raise_server_exceptions=False) as opened:
        yield opened


def test_each_route_needs_what_it_says(keys: KeyService) -> None:
    api = ApiKeys(keys)
    _, text = keys.create(permissions=["report_read"], account="alice")
    routes = (
        Route("/reports", whoami, middleware=[api.needs("report_read")]),
        Route("/users", whoami, middleware=[api.needs("user_read")]),
        WebSocketRoute("/live", live, middleware=[api.needs("report_read")]),
        Mount("/all", routes=[Route("/reports", whoami)], middleware=[api.needs()]),
        Route("/open", whoami),
    )
    with client(*routes) as http:
        assert http.get("/reports", headers=bearer(text)).text == "alice"
        assert http.get("/all/reports", headers=bearer(text)).text == "alice"
        assert http.get("/users", headers=bearer(text)).status_code == 403
        assert http.get("/reports").status_code == 401
        assert http.get("/open").status_code == 500, "key_of says that the route has no gate"
        with http.websocket_connect("/live", headers=bearer(text)) as socket:
            assert socket.receive_text() == "alice"
        with pytest.raises(WebSocketDenialResponse), http.websocket_connect("/live"):
            pytest.fail("it opened")


def test_a_permission_takes_its_parameter_from_the_path_and_a_request_its_cost(tmp_path: Path) -> None:
    with with_projects(tmp_path) as (keys, limits):
        api = ApiKeys(keys, header="X-API-Key", client_ip=address)
        gate = api.needs("project:{id}:write", cost=4, route="write")
        _, text = keys.create(permissions=["project:42:write"], account="alice", ip_allowlist=["192.0.2.1"])
        headers = {"X-API-Key": text, "X-Real-IP": "192.0.2.1"}
        routes = Route("/projects/{id}", whoami, middleware=[gate]), Route("/other", whoami, middleware=[gate])
        with client(*routes) as http:
            accepted = http.get("/projects/42", headers=headers)
            assert (accepted.text, accepted.headers["ratelimit"]) == ("alice", '"ten";r=6;t=30')
            assert http.get("/projects/42", headers={"X-API-Key": text}).status_code == 401
            assert http.get("/projects/43", headers=headers).status_code == 403
            assert http.get("/projects/a%22b", headers=headers).status_code == 403
            assert http.get("/other", headers=headers).status_code == 500, "its path has no id: a fault of the host"
        assert [taken for taken in limits.taken if taken[1]] == [("write", 4)]


def address(connection: HTTPConnection) -> str | None:
    return connection.headers.get("x-real-ip")


def test_a_permission_that_is_not_declared_is_refused_when_the_route_is_written(keys: KeyService) -> None:
    with pytest.raises(ValueError, match="did you mean report_read"):
        ApiKeys(keys).needs("reports_read")
