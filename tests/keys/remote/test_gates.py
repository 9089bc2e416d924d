"""The gates and adapters take a ``RemoteKeys`` in place of a ``KeyService``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.keys.remote.scripted import Scripted, error, reply, scripted, verdict
from tollkey.keys import Key, asgi, wsgi
from tollkey.keys.adapters.fastapi import ApiKeys
from tollkey.keys.remote import RemoteKeys

HEADER = "Bearer rk_live_abcdefghijklmnop"
Ask = Callable[..., tuple[int, str | None]]


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(reply(verdict())) as running:
        yield running


@pytest.fixture
def keys(server: Scripted) -> Iterator[RemoteKeys]:
    with RemoteKeys(server.url, "rk_live_service", capacity=0) as opened:
        yield opened


def through_asgi(keys: RemoteKeys, header: str | None) -> tuple[int, str | None]:
    """The status of a request through the ASGI gate, and the id of the key that the application saw."""
    seen: list[str] = []
    statuses: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        key: Key = scope["tollkey.key"]
        seen.append(key.id)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    headers = [] if header is None else [(b"authorization", header.encode())]
    scope = {"type": "http", "method": "GET", "path": "/r", "headers": headers, "client": ("192.0.2.7", 1)}
    asyncio.run(asgi.KeyGate(app, keys, "report_read")(scope, receive, send))
    return statuses[0], seen[0] if seen else None


def through_wsgi(keys: RemoteKeys, header: str | None) -> tuple[int, str | None]:
    """The same through the WSGI gate."""
    seen: list[str] = []
    statuses: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["tollkey.key"].id)
        start_response("200 OK", [])
        return [b""]

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/r", "REMOTE_ADDR": "192.0.2.7"}
    if header is not None:
        environ["HTTP_AUTHORIZATION"] = header
    list(wsgi.KeyGate(app, keys, "report_read")(environ, lambda status, headers: statuses.append(int(status[:3]))))
    return statuses[0], seen[0] if seen else None


@pytest.fixture(params=[through_asgi, through_wsgi], ids=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest) -> Ask:
    function: Ask = request.param
    return function


def test_the_server_decides_what_a_gate_lets_through(ask: Ask, keys: RemoteKeys, server: Scripted) -> None:
    assert ask(keys, HEADER) == (200, "mk_1")
    assert server.bodies[0]["permission"] == "report_read"
    assert server.bodies[0]["ip"] == "192.0.2.7"
    assert server.bodies[0]["endpoint"] == "GET /r"
    assert ask(keys, None) == (401, None)
    for code, status in (("revoked", 401), ("forbidden", 403), ("rate_limited", 429)):
        server.then(reply(verdict(valid=False, code=code, permission="report_read", retry_after=1)))
        assert ask(keys, HEADER) == (status, None)


@pytest.mark.parametrize(
    "answer",
    [b"", error("403 Forbidden", "insufficient_scope"), error("400 Bad Request", "permission_unknown", "Unknown.")],
    ids=["away", "the service key may not verify", "an undeclared permission"],
)
def test_what_the_server_cannot_decide_is_answered_with_503_and_a_line_in_the_log(
    ask: Ask, keys: RemoteKeys, server: Scripted, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server.then(answer)
    assert ask(keys, HEADER) == (503, None)
    assert [record for record in caplog.records if record.levelno == logging.ERROR] != []


def test_an_adapter_takes_it_too(keys: RemoteKeys, server: Scripted) -> None:
    api = ApiKeys(keys)
    app = FastAPI()

    @app.get("/projects/{id}", dependencies=[api.needs("project:{id}:read")])
    def project(id: int) -> int:
        return id

    client = TestClient(app)
    assert client.get("/projects/42", headers={"authorization": HEADER}).status_code == 200
    assert server.bodies[0]["permission"] == "project:42:read"
