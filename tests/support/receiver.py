"""A receiver of webhooks on this machine."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest


@dataclass
class Receiver:
    """A webhook endpoint: keeps what it gets (headers, body), and answers as it was told to.

    arrived: the same, for those who wait for it.
    """

    url: str = ""
    status: int = 200
    answer: bytes = b"thanks"
    location: str | None = None
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: SimpleQueue[tuple[dict[str, str], bytes]] = field(default_factory=SimpleQueue)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append((dict(self.headers), body))
            told.arrived.put(told.got[-1])
            self.send_response(told.status)
            if told.location is not None:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", str(len(told.answer)))
            self.end_headers()
            self.wfile.write(told.answer)

        def log_message(self, format: str, *args: object) -> None:
            return None

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 256  # as many as two deliverers may open at once; the usual 5 would drop some

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()
