"""A receiver of webhooks, and waiting, for the programs of the SDK for Python."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


def until(ask: Callable[[], Any]) -> Any:
    """Ask until the answer is not empty, for 20 seconds at most."""
    end = time.monotonic() + 20
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.05)
    return answer


@contextmanager
def hook() -> Iterator[tuple[str, Callable[[], tuple[bytes, str]]]]:
    """A receiver of webhooks: its address, and a function that waits for the next one."""
    received: queue.Queue[tuple[bytes, str]] = queue.Queue()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", lambda: received.get(timeout=20)
    finally:
        server.shutdown()
