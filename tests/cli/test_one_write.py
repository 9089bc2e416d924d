from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

from tollkey.cli.one_write import OneWrite


class Recorder(asyncio.Transport):
    """What a protocol writes, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closing = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        """Everything has arrived already."""

    def resume_reading(self) -> None:
        """See above."""


def ask(request: bytes, pause: float = 0) -> list[bytes]:
    """What is written for one request to an app that waits so many seconds between head and body."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        if pause:
            await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": b"hello"})

    async def run() -> list[bytes]:
        config = uvicorn.Config(app, lifespan="off", log_level="warning")
        config.load()
        server = uvicorn.Server(config)
        protocol, transport = OneWrite(config=config, server_state=server.server_state, app_state={}), Recorder()
        protocol.connection_made(transport)
        protocol.data_received(request)
        while server.server_state.tasks:
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        return transport.written

    return asyncio.run(run())


def test_an_answer_is_one_write() -> None:
    (written,) = ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert written.endswith(b"\r\n\r\nhello")


def test_a_head_whose_body_takes_its_time_goes_out_before_it() -> None:
    head, body = ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", pause=0.001)
    assert head.endswith(b"\r\n\r\n")
    assert body == b"hello"


def test_an_answer_without_a_body_goes_out() -> None:
    (head,) = ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", pause=0.001)
    assert head.endswith(b"\r\n\r\n")


def test_the_last_answer_of_a_connection_goes_out_before_it_closes() -> None:
    (written,) = ask(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert written.endswith(b"hello")
