"""The service over HTTP, called in process on an event loop whose steps the tests take."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.conftest import Clock
from tollkey.db import Ids, StorageError
from tollkey.keys import Key, KeyService, Permission
from tollkey.keys.brake import Brake
from tollkey.keys.config import parse
from tollkey.keys.http import SERVICE_ACCOUNT, KeyServer

T = TypeVar("T")
PERMISSIONS = (Permission("report", "Reports"), Permission("user", "Users"))


class Ticker:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    """What came back. parts: the pieces of the body, as they were sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Status and code of an error in the envelope."""
        assert set(self.json) == {"error"}, self.body
        assert {"type", "code", "message"} <= set(self.json["error"])
        return self.status, self.json["error"]["code"]


@dataclass
class Web:
    """One node. admin: the text of a service key that may do everything."""

    keys: KeyService
    app: KeyServer
    runner: asyncio.Runner
    admin: str
    ticker: Ticker

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def service_key(self, *permissions: str, name: str = "") -> tuple[Key, str]:
        """A service key with these permissions."""
        return self.app.server.callers.keys.create(name, permissions=permissions, account=SERVICE_ACCOUNT)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = "admin",
        headers: dict[str, str] | None = None,
        ip: str = "192.0.2.9",
    ) -> Answer:
        """The answer to a request. body: JSON, or bytes as they are. key: None for no Authorization header."""
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if key is not None:
            sent.setdefault("authorization", f"Bearer {self.admin if key == 'admin' else key}")
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if raw and "content-type" not in sent:
            sent["content-type"] = "application/json"
        return self.run(ask(self.app, method, path, sent, raw, ip))

    def get(self, path: str, **given: Any) -> Answer:
        return self.call("GET", path, **given)

    def post(self, path: str, body: object = None, **given: Any) -> Answer:
        return self.call("POST", path, {} if body is None else body, **given)

    def form(self, path: str, body: str, **given: Any) -> Answer:
        headers = {"content-type": "application/x-www-form-urlencoded", **given.pop("headers", {})}
        return self.call("POST", path, body.encode(), headers=headers, **given)


def away(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the database away from a node."""

    def fails(*_: Any, **__: Any) -> Any:
        raise StorageError("away")

    monkeypatch.setattr(web.keys.database, "read", fails)
    monkeypatch.setattr(web.keys.database, "write", fails)


def scope_of(method: str, target: str, headers: dict[str, str], ip: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "client": (ip, 1),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip


async def ask(app: KeyServer, method: str, target: str, headers: dict[str, str], body: bytes, ip: str) -> Answer:
    answer, events = Answer(), [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not events:
            await asyncio.Event().wait()
        return events.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.parts.append(message["body"])

    await app(scope_of(method, target, headers, ip), receive, send)
    return answer


@dataclass
class Open:
    """A connection that stays open. events: (name, data) of what came so far."""

    task: asyncio.Task[None]
    answer: Answer
    hang_up: asyncio.Event

    @property
    def events(self) -> list[tuple[str, Any]]:
        found = []
        for block in self.answer.body.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in lines:
                found.append((lines["event"], json.loads(lines["data"])))
        return found

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def drain(self) -> list[tuple[str, Any]]:
        """What came since the last call."""
        found = self.events
        self.answer.parts.clear()
        return found


async def connect(app: KeyServer, target: str, key: str, headers: dict[str, str] | None = None) -> Open:
    """Open a stream; it runs in a task beside the test."""
    answer, hang_up = Answer(), asyncio.Event()
    begun: list[bool] = []

    async def receive() -> dict[str, Any]:
        if not begun:
            begun.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.parts.append(message["body"])

    scope = scope_of("GET", target, {"authorization": f"Bearer {key}", **(headers or {})}, "192.0.2.9")
    task = asyncio.ensure_future(app(scope, receive, send))
    return Open(task, answer, hang_up)  # type: ignore[arg-type]


Start = Callable[[], Web]
Declare = Callable[..., Web]


def node_of(keys: KeyService, runner: asyncio.Runner, clock: Clock, **options: Any) -> Web:
    """A node that serves these keys, with a service key that may do everything. options: further ones of KeyServer."""
    ticker = Ticker()
    app = KeyServer(keys, clock=clock, monotonic=time.monotonic, new_id=Ids.seeded(7).new, **options)
    app.server.callers.brake = Brake(ticker, 30)
    admin = app.server.callers.keys.create("Admin", kind="secret", account=SERVICE_ACCOUNT)[1]
    runner.run(app.server.changes.step())
    return Web(keys, app, runner, admin, ticker)


@pytest.fixture
def start(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Start]:
    """Starts nodes on one database, in one event loop."""
    opened: list[Web] = []
    with asyncio.Runner() as runner:

        def node() -> Web:
            keys = KeyService.open(
                database_url, PERMISSIONS, keyring=str(tmp_path / "keyring"), clock=clock, flush_seconds=0
            )
            web = node_of(keys, runner, clock)
            opened.append(web)
            return web

        yield node
        for web in opened:
            runner.run(web.app.stop())
            web.keys.close()


@pytest.fixture
def web(start: Start) -> Web:
    """One node, on a database of each kind."""
    return start()


@pytest.fixture
def declare(tmp_path: Path, clock: Clock) -> Iterator[Declare]:
    """Starts a node with a configuration, on SQLite: ``declare(CONFIG, key_header="x-api-key")``."""
    with asyncio.Runner() as runner, ExitStack() as opened:

        def node(config: str, **options: Any) -> Web:
            path = str(tmp_path / "declared.db")
            keys = KeyService.open(path, config=parse(config), clock=clock, flush_seconds=0)
            opened.enter_context(keys)
            web = node_of(keys, runner, clock, **options)
            opened.callback(lambda: runner.run(web.app.stop()))
            return web

        yield node
