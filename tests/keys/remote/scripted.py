"""A server that answers what a test writes, also what no key server would."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Answer = bytes | Callable[["Scripted"], bytes]


@dataclass
class Scripted:
    """A running server. Each request is answered with the next of ``answers``; the last one stays.

    requests: their first lines. bodies: their JSON. headers: in lower case. stream: answers requests for changes.
    parts: sent one after the other, with pauses, instead of an answer. whole: all of them were sent.
    """

    port: int
    answers: list[Answer]
    requests: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stream: Callable[[socket.socket], None] | None = None
    parts: list[bytes] = field(default_factory=list)
    whole: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def then(self, *answers: Answer) -> None:
        """Answer these from now on."""
        self.answers[:] = answers

    def answer(self, connection: socket.socket) -> None:
        """Read one request and answer it; the connection is closed after it."""
        reader = connection.makefile("rb")
        first = reader.readline().decode()
        if not first:
            return
        headers = {}
        while (line := reader.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", "0")))
        self.requests.append(first.rsplit(" ", 1)[0])
        self.headers.append(headers)
        self.bodies.append(json.loads(body or b"{}"))
        if self.stream is not None and first.startswith("GET /v1/keys/changes "):
            self.stream(connection)
            return
        for part in self.parts:
            connection.sendall(part)
            time.sleep(0.02)
        if self.parts:
            self.whole = True
            return
        chosen = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        connection.sendall(chosen if isinstance(chosen, bytes) else chosen(self))


@contextmanager
def scripted(*answers: Answer) -> Iterator[Scripted]:
    """Run a server until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Scripted(listener.getsockname()[1], list(answers))

    def run() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            server.answer(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def reply(body: bytes | dict[str, Any] | list[Any], status: str = "200 OK", **headers: str) -> bytes:
    """An HTTP answer. headers: with underscores for dashes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    given |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + content


def error(status: str, code: str, message: str = "No.", param: str | None = None, **headers: str) -> bytes:
    """An error of a key server."""
    fields = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
    return reply({"error": fields}, status, **headers)


def verdict(**changes: Any) -> dict[str, Any]:
    """The answer of a key server to ``verify`` about a valid key."""
    key = {
        "id": "mk_1", "account": "cus_1", "environment": "live", "livemode": True, "kind": "restricted", "name": "CI",
        "permissions": ["report_read"], "metadata": {"machine": "7"}, "expires_at": None,
    }  # fmt: skip
    plain = {
        "valid": True,
        "code": "valid",
        "key": key,
        "ratelimit": None,
        "retry_after": None,
        "ttl": 60,
        "permission": None,
    }
    return {**plain, "version": 3, **changes}
