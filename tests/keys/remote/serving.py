"""A key server in this process: on a real port, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from tollkey.db import Ids
from tollkey.keys import KeyService
from tollkey.keys.http import SERVICE_ACCOUNT, KeyServer


@dataclass
class Serving:
    """A server that answers."""

    url: str
    app: KeyServer

    def service_key(self, *permissions: str) -> str:
        """The text of a new service key with these permissions."""
        return self.app.server.callers.keys.create("service", permissions=permissions, account=SERVICE_ACCOUNT)[1]


@contextmanager
def serving(keys: KeyService) -> Iterator[Serving]:
    """Serve keys until the block ends."""
    app = KeyServer(keys, clock=time.time, monotonic=time.monotonic, new_id=Ids().new)
    http = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    listener = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()

    async def run() -> None:
        await app.start()
        serving = asyncio.create_task(http._serve([listener]))
        while not http.started:
            await asyncio.sleep(0.005)
        ready.set()
        await serving
        await app.stop()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield Serving(f"http://127.0.0.1:{listener.getsockname()[1]}", app)
    finally:
        app.stop_accepting()
        http.should_exit = True
        thread.join(10)
