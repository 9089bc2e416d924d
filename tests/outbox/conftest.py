"""A receiver of webhooks on this machine, and one server's outbox with a clock set by hand."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import pytest

from tollkey.db import Database, Scope, edge_for, migrate
from tollkey.outbox import (
    MIGRATION,
    Deliverer,
    Endpoint,
    Limits,
    Outcome,
    enqueue,
)

T = TypeVar("T")
NOW = 1_767_225_600
TEST = Scope("acct_1", False)
LIVE = Scope("acct_1", True)
BODY = b'{"id": "evt_1"}'
SECRET = "whsec_" + "s" * 32


@dataclass
class Receiver:
    """A webhook endpoint: keeps what it gets, answers what it is told."""

    url: str = ""
    status: int = 200
    answer: bytes = b"thanks"
    location: str | None = None
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append((dict(self.headers), body))
            self.send_response(told.status)
            if told.location is not None:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", str(len(told.answer)))
            self.end_headers()
            self.wfile.write(told.answer)

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class World:
    """One server's outbox: its database, its clock, its endpoints, what it was told."""

    database: Database
    now: int = NOW
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    #: Kept for the whole of ``run``.
    deliverer: Deliverer | None = None

    def add(self, url: str, id: str = "we_1", events: tuple[str, ...] = ("*",)) -> Endpoint:
        self.endpoints[id] = Endpoint(id, url, (SECRET,), events)
        return self.endpoints[id]

    def send(self, *endpoints: Endpoint, scope: Scope = TEST, event: str = "evt_1", type: str = "charge.succeeded") -> list[int]:
        return self.database.write(lambda tx: enqueue(tx, scope, event, type, BODY, endpoints, self.now))

    def run(self, work: Callable[[Deliverer], Awaitable[T]], limits: Limits | None = None) -> T:
        async def main() -> T:
            edge = edge_for(self.database)
            async with httpx.AsyncClient() as client:
                deliverer = Deliverer(
                    edge,
                    client,
                    lambda: self.now,
                    lambda tx, scope, id: self.endpoints.get(id),
                    lambda tx, outcome: self.outcomes.append(outcome),
                    limits=limits,
                    headers={"User-Agent": "Tollkey/1.0"},
                )
                return await work(deliverer)

        return asyncio.run(main())

    def deliver(self, limits: Limits | None = None) -> int:
        return self.run(lambda deliverer: deliverer.run_once(), limits)


@pytest.fixture
def world(database: Database) -> World:
    migrate(database, [MIGRATION])
    return World(database)
