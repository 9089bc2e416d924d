"""An ASGI application on a real port of this process, for clients that tests do not write: browsers and proxies."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import uvicorn


class Serving:
    """A server in a thread, which answers once it is made. port: where it listens, at 127.0.0.1."""

    def __init__(self, app: Any) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server ended before it listened"
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        """End the server, and wait for it."""
        self._server.should_exit = True
        self._thread.join(timeout=120)
