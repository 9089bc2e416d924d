"""What a key costs in front of a FastAPI application, in microseconds of processor time a request.

    PYTHONPATH=src python bench/adapters.py [--rounds 15]

In process, without an HTTP server, interleaved: the application behind a middleware that does nothing, behind a
``KeyGate``, with an asynchronous dependency that does nothing, with a security scheme that does nothing (a class whose
scope FastAPI resolves, as it does that of ``api.needs``), and with ``api.needs``. The last two lines are the check
alone, around an application that does nothing and in a loop that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase

from tollkey.keys import Key, KeyService, Permission
from tollkey.keys.adapters.fastapi import ApiKeys
from tollkey.keys.asgi import KeyGate

TIMES = 400
COMPARED = {
    "KeyGate": ("a middleware that does nothing",),
    "a scheme that does nothing": ("a dependency that does nothing",),
    "api.needs": ("a dependency that does nothing", "a scheme that does nothing", "a middleware that does nothing"),
    "KeyGate around it": ("an empty application",),
}


class Nothing:
    """A middleware that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, send)


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/reports")
    async def reports() -> dict[str, int]:
        return {"reports": 1}

    return app


def depending(dependency: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/reports")
    async def reports(key: Any = dependency) -> dict[str, int]:
        return {"reports": 1}

    return app


async def nobody() -> Key | None:
    return None


class NoScheme(SecurityBase):
    """A security scheme that does nothing. FastAPI reads the annotation of its parameter."""

    model, scheme_name = HTTPBearer(), "none"

    async def __call__(self, connection: HTTPConnection) -> Key | None:
        return None


async def empty(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def request(app: Any, text: str) -> None:
    """Send one request. Raises AssertionError if it is refused."""
    headers = [(b"host", b"bench"), (b"accept", b"*/*"), (b"authorization", b"Bearer " + text.encode())]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/reports", "raw_path": b"/reports",
        "query_string": b"", "headers": headers, "client": ("192.0.2.1", 1), "server": ("127.0.0.1", 80),
        "scheme": "http", "root_path": "",
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200, message

    await app(scope, receive, send)


async def taken(app: Any, text: str) -> float:
    began = time.process_time()
    for _ in range(TIMES):
        await request(app, text)
    return (time.process_time() - began) / TIMES * 1e6


def looped(check: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(TIMES):
        assert check()
    return (time.process_time() - began) / TIMES * 1e6


async def measure(keys: KeyService, rounds: int) -> None:
    """Print the medians, and the medians of the differences to the first of each pair."""
    text = keys.create(permissions=["report_read"]).secret
    keys.verifier.lease.bound_seconds = 3600.0  # a server renews it in the background
    assert keys.check(text)
    apps = {
        "a middleware that does nothing": Nothing(application()),
        "KeyGate": KeyGate(application(), keys, "report_read"),
        "a dependency that does nothing": depending(Depends(nobody)),
        "a scheme that does nothing": depending(Security(NoScheme(), scopes=["report_read"])),
        "api.needs": depending(ApiKeys(keys).needs("report_read")),
        "an empty application": Nothing(empty),
        "KeyGate around it": KeyGate(empty, keys, "report_read"),
    }
    found: dict[str, list[float]] = {name: [] for name in [*apps, "the check alone"]}
    check = partial(keys.check_at_once, text, "report_read", ip="192.0.2.1", endpoint="GET /reports")
    for _ in range(rounds):
        for name, app in apps.items():
            found[name].append(await taken(app, text))
        found["the check alone"].append(looped(check))
    for name, times in found.items():
        more = [
            f", {statistics.median(one - other for one, other in zip(times, found[base], strict=True)):+5.1f} to {base}"
            for base in COMPARED.get(name, ())
        ]
        print(f"{name:32} {statistics.median(times):6.1f} µs{''.join(more)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "keys.db")
        with KeyService.open(database, [Permission("report", "Reports")], flush_seconds=0) as keys:
            asyncio.run(measure(keys, rounds))


if __name__ == "__main__":
    main()
