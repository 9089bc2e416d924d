"""The gate around real frameworks and servers, under asyncio and trio."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import hypercorn.config
import hypercorn.trio
import pytest
import trio
import uvicorn
import websockets.asyncio.client
from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient, WebSocketDenialResponse
from websockets.exceptions import InvalidStatus

from tollkey.keys import KeyService, Permission
from tollkey.keys.asgi import KeyGate

METHODS = {"GET": "report_read", "*": "report_write"}
ORIGIN = "https://app.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyService]:
    with KeyService.open(str(tmp_path / "keys.db"), [Permission("report", "Reports")], flush_seconds=0) as opened:
        yield opened


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def report(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.scope["tollkey.key"].id)


def starlette(*middleware: Middleware) -> Starlette:
    return Starlette(routes=[Route("/reports/{id}", report, methods=["GET"])], middleware=list(middleware))


def test_what_stands_around_the_gate_sees_the_route_that_starlette_found(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_read"])
    routes: list[Any] = []

    class Tracing:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)
            routes.append((getattr(scope.get("endpoint"), "__name__", None), scope.get("path_params")))

    client = TestClient(starlette(Middleware(Tracing), Middleware(KeyGate, keys=keys, permission_for=METHODS)))
    with closing(client):
        assert client.get("/reports/7", headers=bearer(text)).status_code == 200
    assert routes == [("report", {"id": "7"})]


@pytest.mark.parametrize("cors_outside", [True, False])
def test_a_browser_gets_through_its_preflight_and_reads_refusals_when_cors_is_outside(
    keys: KeyService, cors_outside: bool
) -> None:
    _, text = keys.create(permissions=["report_read"])
    cors = Middleware(CORSMiddleware, allow_origins=[ORIGIN], allow_headers=["authorization"])
    gate = Middleware(KeyGate, keys=keys, permission_for=METHODS)
    with closing(TestClient(starlette(*((cors, gate) if cors_outside else (gate, cors))))) as client:
        preflight = client.options("/reports/7", headers=PREFLIGHT)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
        accepted = client.get("/reports/7", headers={**bearer(text), "Origin": ORIGIN})
        assert (accepted.status_code, accepted.headers["access-control-allow-origin"]) == (200, ORIGIN)
        refused = client.get("/reports/7", headers={"Origin": ORIGIN})
        assert refused.status_code == 401
        assert ("access-control-allow-origin" in refused.headers) is cors_outside


def fastapi(keys: KeyService) -> FastAPI:
    app = FastAPI()
    app.add_middleware(
        KeyGate, keys=keys, permission_for=lambda scope: "report_read" if scope["method"] == "GET" else "report_write"
    )

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(socket.scope["tollkey.key"].id)
        await socket.close()

    @app.get("/reports/{id}")
    async def reports(id: str) -> dict[str, str]:
        return {"id": id}

    return app


def test_fastapis_websockets_are_behind_the_gate(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])
    _, weak_text = keys.create()
    with closing(TestClient(fastapi(keys))) as client:
        with client.websocket_connect("/live", headers=bearer(text)) as socket:
            assert socket.receive_text() == key.id
        for headers, status in (({}, 401), (bearer(weak_text), 403)):
            with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/live", headers=headers):
                pytest.fail("it opened")
            assert refused.value.status_code == status


def test_fastapi_answers_a_head_request_of_a_reader(keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_read"])
    with closing(TestClient(fastapi(keys))) as client:
        assert client.head("/reports/7", headers=bearer(text)).status_code == 405, (
            "it reached FastAPI, which has no HEAD here"
        )
        assert client.post("/reports/7", headers=bearer(text)).status_code == 403


@asynccontextmanager
async def served(app: Any) -> Any:
    """A real uvicorn; yields its port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def test_a_websocket_over_uvicorn_is_refused_with_the_status_of_the_refusal(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])
    _, weak = keys.create()

    async def go() -> None:
        async with served(fastapi(keys)) as port:
            address = f"ws://127.0.0.1:{port}/live"
            async with websockets.asyncio.client.connect(address, additional_headers=bearer(text)) as socket:
                assert await socket.recv() == key.id
            for headers, status in (({}, 401), (bearer(weak), 403)):
                with pytest.raises(InvalidStatus) as refused:
                    await websockets.asyncio.client.connect(address, additional_headers=headers)
                assert refused.value.response.status_code == status
                assert b'"error"' in refused.value.response.body

    asyncio.run(go())


def test_the_gate_runs_under_trio_and_asks_the_database_on_a_thread(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await trio.lowlevel.checkpoint()
        assert await trio.to_thread.run_sync(keys.verify, text)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["tollkey.key"].id.encode()})

    async def go() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        for headers in ([(b"authorization", f"Bearer {text}".encode())], [(b"authorization", b"Bearer " + b"a" * 40)]):
            scope = {"type": "http", "method": "GET", "path": "/reports", "headers": headers, "client": None}
            await KeyGate(app, keys, METHODS)(scope, None, send)  # type: ignore[arg-type]
        assert [message.get("status") or message["body"] for message in sent[:3]] == [200, key.id.encode(), 401]

    trio.run(go)
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert usage.uses == 1


def test_the_gate_runs_on_hypercorn_with_trio(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"])
    config = hypercorn.config.Config()
    config.bind, config.errorlog = ["127.0.0.1:0"], None

    async def go() -> None:
        stopping = trio.Event()
        async with trio.open_nursery() as nursery:
            app = starlette(Middleware(KeyGate, keys=keys, permission_for=METHODS))
            (address,) = await nursery.start(lambda task_status: hypercorn.trio.serve(
                app, config, shutdown_trigger=stopping.wait, task_status=task_status))  # fmt: skip
            async with httpx.AsyncClient(base_url=address) as client:
                assert (await client.get("/reports/7", headers=bearer(text))).text == key.id
                assert (await client.get("/reports/7")).status_code == 401
            stopping.set()

    trio.run(go)
