"""Health and readiness: what a load balancer is told, without a key."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from tests.support.wire import Wire
from tollkey.core import open_core
from tollkey.db import SQLite
from tollkey.db.bounds import Bounds
from tollkey.db.postgres import Postgres
from tollkey.health import Health, unready
from tollkey.server import build
from tollkey.settings import Settings


async def ask(app: Any, path: str, method: str = "GET") -> tuple[int, Any]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "http", "path": path, "method": method, "headers": [], "query_string": b""}, receive, send)
    body = sent[1]["body"]
    return sent[0]["status"], json.loads(body) if body else None


def test_a_server_that_stops_is_healthy_and_not_ready(tmp_path: Path) -> None:
    async def run() -> list[tuple[int, Any]]:
        server = build(open_core(Settings(data=str(tmp_path))))
        await server.start()
        told = [await ask(server.app, "/healthz"), await ask(server.app, "/readyz")]
        server.drain()
        told += [await ask(server.app, "/healthz"), await ask(server.app, "/readyz")]
        await server.stop()
        return told

    healthy = (200, {"status": "ok"})
    assert asyncio.run(run()) == [
        healthy,
        (200, {"status": "ready"}),
        healthy,
        (503, {"status": "unavailable", "reason": "the server is stopping"}),
    ]


def test_a_server_whose_database_is_away_is_not_ready(postgres_url: str) -> None:
    wire = Wire(postgres_url)
    database = Postgres(wire.url, bounds=Bounds(away=0.05))
    database.listen(lambda began: None)
    assert unready(database) is None
    wire.cut()
    while unready(database) is None:
        time.sleep(0.01)
    assert unready(database) == "the database cannot be used"
    wire.heal()
    database.close()
    wire.close()


def test_a_database_in_a_file_is_there_until_its_disk_fails(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "a.db")
    assert unready(database) is None
    database.close()


def test_other_methods_than_get_and_head_are_refused() -> None:
    app = Health(lambda: None)
    assert asyncio.run(ask(app, "/readyz", "POST")) == (405, {"status": "refused", "reason": "use GET"})
    assert asyncio.run(ask(app, "/readyz", "HEAD")) == (200, None)
