"""What is of the ASGI gate alone: WebSockets, other kinds of connections, headers that are sent twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tollkey.keys import KeyService, asgi


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database: what a gate answers does not depend on it."""
    return f"sqlite:///{tmp_path / 'keys.db'}"


METHODS = {"GET": "report_read", "*": "report_write"}


def test_a_connection_of_an_unknown_kind_is_not_let_through(service: KeyService) -> None:
    with pytest.raises(RuntimeError, match="does not support connections"):
        asyncio.run(asgi.KeyGate(None, service)({"type": "webtransport", "headers": []}, None, None))  # type: ignore[arg-type]


def test_two_authorization_headers_are_none(service: KeyService) -> None:
    _, text = service.create()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    header = (b"authorization", f"Bearer {text}".encode())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [header, header], "client": None}
    asyncio.run(asgi.KeyGate(None, service)(scope, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 401


def through_websocket(keys: KeyService, text: str | None, **settings: Any) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept", "key": scope["tollkey.key"].id})

    extensions = settings.pop("extensions", None)
    headers = [] if text is None else [(b"authorization", f"Bearer {text}".encode())]
    scope = {"type": "websocket", "path": "/live", "headers": headers, "client": None, "extensions": extensions}
    asyncio.run(asgi.KeyGate(app, keys, **settings)(scope, receive, send))
    return sent


def test_a_websocket_without_a_key_is_closed_before_it_opens(service: KeyService) -> None:
    assert through_websocket(service, None) == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_a_refused_websocket_is_answered_as_http_where_the_server_can_do_that(service: KeyService) -> None:
    _, text = service.create(permissions=["report_read"])
    for given, status in ((None, 401), (text, 403)):
        start, body = through_websocket(
            service, given, extensions={"websocket.http.response": {}}, permission_for="report_write"
        )
        assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
        assert (body["type"], "error" in json.loads(body["body"])) == ("websocket.http.response.body", True)


@pytest.mark.parametrize(
    "permission_for",
    ["report_read", METHODS, lambda scope: "report_read" if scope["method"] == "GET" else "report_write"],
    ids=["name", "by method", "function"],
)
def test_a_websockets_handshake_is_a_get(service: KeyService, permission_for: Any) -> None:
    key, text = service.create(permissions=["report_read"])
    assert through_websocket(service, text, permission_for=permission_for) == [
        {"type": "websocket.accept", "key": key.id}
    ]
    service.flush()
    usage = service.usage(key)
    assert usage is not None
    assert usage.endpoint == "WEBSOCKET /live"
