"""The API in process: requests go through the whole wire, without a socket.

One core a kind of database serves the whole session; every test gets a merchant of its own, so
tests cannot see one another's objects.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tollkey.core import Core, open_core
from tollkey.db import Ids, Scope
from tollkey.keys.actors import SYSTEM
from tollkey.outbox.over_httpx import Posts
from tollkey.platform.merchants import create_merchant
from tollkey.platform.request_log_batches import index_oldest
from tollkey.server import Server, build
from tollkey.settings import Settings
from tollkey.wire import Endpoint
from tollkey.wire.jobs import due_jobs, failing_jobs, run_job
from tollkey.wire.messages import Request
from tollkey.wire.spec.dates import DATES
from tollkey.wire.versions import LATEST

NOW = 1_767_225_600  # 2026-01-01 00:00:00 UTC
NEVER = 2**40  # a time so late that every batch of request logs is old


class Answer(dict[str, Any]):
    """The JSON of an answer, with its ``status`` and ``headers`` (names in lower case)."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__()
        with suppress(ValueError):
            decoded = json.loads(body)
            if isinstance(decoded, dict):
                self.update(decoded)
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def error(self) -> dict[str, Any]:
        return self["error"]

    @property
    def refusal(self) -> tuple[int, str | None, str | None, str]:
        """The status of a refused request, with the code, the parameter and the message of its error."""
        error = self.error
        return self.status, error.get("code"), error.get("param"), error["message"]


def form(params: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested parameters as bracketed pairs, as the official SDKs send them."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        key = f"{prefix}[{name}]" if prefix else str(name)
        if isinstance(value, dict):
            pairs += form(value, key)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                pairs += form(item, f"{key}[{index}]") if isinstance(item, dict) else [(f"{key}[{index}]", _text(item))]
        else:
            pairs.append((key, _text(value)))
    return pairs


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)


@dataclass
class World:
    """One core that runs in one event loop, at a time that tests set."""

    core: Core
    server: Server
    runner: asyncio.Runner
    clock: list[int] = field(default_factory=lambda: [NOW])

    def write_logs(self) -> None:
        """Write and index every request log that waits, however many earlier tests left."""
        while self.server.log.waiting:
            self.server.log.flush(self.core.logs)
        while self.core.logs.write(lambda tx: index_oldest(tx, NEVER)):
            pass

    def write_uses(self) -> None:
        """Write every use of a key that was counted, however many earlier tests left."""
        verifier = self.core.verifier
        while verifier.unwritten:
            self.core.database.write(verifier.flush)
        while verifier.usage.unwritten:
            self.core.database.write(verifier.usage.flush)


class Api:
    """One merchant's view of the API.

    account: its id. sk, pk, live_sk, live_pk: its keys. now: UTC epoch seconds. version: the API version that its
    requests name, empty for none.
    """

    version = ""
    country = "US"  #: of the merchant

    def __init__(self, world: World) -> None:
        self.world, self.core = world, world.core
        world.clock[0] = NOW
        world.write_logs()  # a buffer that earlier tests have filled would drop this one's
        self.account, self.sk, self.pk, self.live_sk, self.live_pk = self._merchant()

    def _merchant(self) -> tuple[str, str, str, str, str]:
        core = self.core

        def work(tx: Any) -> list[str]:
            merchant = create_merchant(
                core.call(tx, Scope("", False)), core.authority, name="Test account", email=None, country=self.country
            )
            texts = {}
            for livemode in (False, True):
                for key in core.authority.defaults(tx, Scope(merchant.id, livemode)):
                    texts[key.kind, livemode] = core.authority.text_of(tx, key)
            return [merchant.id, *(texts[kind, mode] for mode in (False, True) for kind in ("secret", "publishable"))]

        account, sk, pk, live_sk, live_pk = core.database.write(work)
        return account, sk, pk, live_sk, live_pk

    @property
    def now(self) -> int:
        return self.world.clock[0]

    def another(self) -> Api:
        """A second merchant of the same server, at the same time."""
        now = self.now
        other = Api(self.world)
        self.world.clock[0] = now
        return other

    def under(self, version: str) -> Api:
        """The same merchant, whose requests name an API version."""
        other = copy(self)
        other.version = version
        return other

    def for_endpoint(self, endpoint: Endpoint) -> Api:
        """The same merchant, whose requests name the last API version that has the endpoint."""
        version = last_version_of(endpoint)
        return self.under(version) if version else self

    def restricted(self, *permissions: str, livemode: bool = False, **options: Any) -> str:
        """The text of a new restricted key with these permissions."""
        scope = Scope(self.account, livemode)
        made = self.core.database.write(
            lambda tx: self.core.authority.create(
                tx, scope, "restricted", actor=SYSTEM, now=self.now, permissions=permissions, **options
            )
        )
        return made[1]

    # -- requests

    def send(
        self,
        method: str,
        path: str,
        *,
        key: str | None = "",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        query: str = "",
        ip: str = "127.0.0.1",
    ) -> Answer:
        """Send one request. key: the secret test key unless given; None sends none."""
        sent = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        if key is not None:
            sent["authorization"] = f"Bearer {key or self.sk}"
        sent.update({name.lower(): value for name, value in (headers or {}).items()})
        if self.version:
            sent.setdefault("stripe-version", self.version)
        request = Request(method, path, query.encode(), sent, body, ip)
        response = self.world.runner.run(self.world.server.service.answer(request))
        return Answer(response.status, {"content-type": response.content_type, **response.headers}, response.body)

    def get(self, path: str, *, key: str | None = "", headers: dict[str, str] | None = None, **params: Any) -> Answer:
        """GET with parameters in the query."""
        return self.send("GET", path, key=key, headers=headers, query=urlencode(form(params)))

    def post(self, path: str, *, key: str | None = "", headers: dict[str, str] | None = None, **params: Any) -> Answer:
        """POST with parameters in a form, or as JSON to the v2 API."""
        if path.startswith("/v2/"):
            sent = {"content-type": "application/json", **(headers or {})}
            return self.send("POST", path, key=key, headers=sent, body=json.dumps(params).encode())
        return self.send("POST", path, key=key, headers=headers, body=urlencode(form(params)).encode())

    def delete(
        self, path: str, *, key: str | None = "", headers: dict[str, str] | None = None, **params: Any
    ) -> Answer:
        """DELETE with parameters in a form."""
        return self.send("DELETE", path, key=key, headers=headers, body=urlencode(form(params)).encode())

    def ok(self, method: str, path: str, **params: Any) -> Answer:
        """A request that must succeed."""
        answer = getattr(self, method.lower())(path, **params)
        assert answer.status == 200, answer
        return answer

    @staticmethod
    def basic(key: str) -> dict[str, str]:
        """An Authorization header of scheme Basic."""
        return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}

    # -- time

    def advance(self, seconds: int) -> None:
        """Let time pass for this merchant, and do what has become due."""
        self.world.clock[0] += seconds
        core, now = self.core, self.now
        for _ in range(1000):
            waiting = core.database.read(lambda tx: due_jobs(tx, now, 1_000_000))
            accounts = {self.account, *self._connected()} if waiting else {self.account}
            mine = [item for item in waiting if item.scope.account in accounts]
            if not mine:
                trouble = core.database.read(lambda tx: failing_jobs(tx, limit=1_000))
                assert not [one for one in trouble if one.job.scope.account in accounts], trouble
                return
            for item in mine:
                core.database.write(lambda tx, item=item: run_job(core.call(tx, item.scope, now), item))
        raise AssertionError("work never ends")

    def _connected(self) -> set[str]:
        table = self.core.setup.tables.of["account"]
        return {row.id for row in self.core.database.read(lambda tx: table.page(tx, Scope(self.account, False), 100))}

    def deliver(self) -> None:
        """Send every webhook that is due, those of other tests on this server too."""
        while self.world.runner.run(self.world.server.deliverer.run_once()):
            pass

    def events(self, type: str | None = None) -> list[dict[str, Any]]:
        """The events of this merchant's test mode, oldest first."""
        events = self.get("/v1/events", limit=100, **({"type": type} if type else {}))["data"]
        return list(reversed(events))


def last_version_of(endpoint: Endpoint) -> str:
    """The last API version that has the endpoint; empty for the newest."""
    if endpoint.until is None:
        return ""
    day = max(day for day in DATES if day < endpoint.until)
    return f"{day}.{DATES[day]}" if DATES[day] else day


class OnlyHere(httpx.AsyncHTTPTransport):
    """Reaches this machine alone: another test's webhook to example.com must not be waited for."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host not in ("127.0.0.1", "localhost"):
            raise httpx.ConnectError(f"{request.url.host} is not here", request=request)
        return await super().handle_async_request(request)


def open_node(
    url: str, folder: Path, runner: asyncio.Runner, clock: list[int], default_version: str = LATEST, **more: Any
) -> World:
    """A core on that database, begun in the runner's event loop; whoever opens it stops its edge and closes it.

    more: further settings.
    """
    settings = Settings(
        data=str(folder),
        database=url,
        lease_seconds=1e12,
        guess_limit=0,
        test_rate_limit=0,
        live_rate_limit=0,
        default_version=default_version,
        **more,
    )
    core = open_core(settings, now=lambda: clock[0], ids=Ids(), monotonic=lambda: 0.0)
    core.verifier.lease.renew(0.0)

    async def start() -> Server:
        return build(core, Posts(httpx.AsyncClient(transport=OnlyHere(), timeout=20)))

    world = World(core, runner.run(start()), runner, clock)
    runner.run(world.server.edge.start())
    return world


def open_world(url: str, folder: Path, default_version: str = LATEST) -> Iterator[World]:
    """A core on that database, running in an event loop of its own."""
    with asyncio.Runner() as runner:
        world = open_node(url, folder, runner, [NOW], default_version)
        yield world
        runner.run(world.server.edge.stop())
        world.core.close()


#: For a table of rules with many rows, none of which the database decides: SQLite alone, since tables take much of the
#: suite's time. Each operation in them has other tests on both kinds. `dev.py shuffle` runs the tables on both too.
rule_table = pytest.mark.parametrize(
    "api", ["sqlite", "postgres"] if "TOLLKEY_TEST_TABLES" in os.environ else ["sqlite"], indirect=True
)


@pytest.fixture(params=["sqlite", "postgres"])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Api:
    """A fresh merchant of a server on each kind of database."""
    return Api(request.getfixturevalue(f"{request.param}_world"))


@pytest.fixture(scope="session")
def sqlite_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sqlite-world")
    yield from open_world("", folder)


@pytest.fixture(scope="session")
def postgres_world(tmp_path_factory: pytest.TempPathFactory, postgres_server: Callable[[str], str]) -> Iterator[World]:
    import psycopg

    name = f"world_{Ids().text(12).lower()}"
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    yield from open_world(postgres_server(name), tmp_path_factory.mktemp("postgres-world"))
