"""Clients that keep a server waiting: half-sent requests, trickling bodies, responses that nobody reads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn

from tests.cli.test_one_write import Recorder
from tollkey.cli.protocol import BoundedProtocol
from tollkey.cli.slow_clients import Sweeper

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"


class Line(Recorder):
    """A transport whose client reads as much as a test says. unsent: bytes that it has not taken."""

    unsent = 0
    aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def can_write_eof(self) -> bool:
        return False

    def abort(self) -> None:
        self.aborted = self.closing = True


class Talk:
    """A connection to an application that reads the body, and a clock. told: what the application received."""

    def __init__(self) -> None:
        self.now, self.told = 0.0, [""]
        config = uvicorn.Config(
            self._app, interface="asgi3", lifespan="off", log_level="critical", proxy_headers=False, date_header=False
        )
        config.load()
        self.server = uvicorn.Server(config)
        self.line = Line()
        self.protocol = BoundedProtocol(config=config, server_state=self.server.server_state, app_state={})
        self.protocol.connection_made(self.line)
        self.sweeper = Sweeper(20, 30, lambda: self.now)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        self.told[0] = message["type"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def pass_seconds(self, seconds: float) -> int:
        """Sweep, let time pass, and sweep again. How many connections ended."""
        for _ in range(3):
            await asyncio.sleep(0)
        self.sweeper.sweep([self.protocol])
        self.now += seconds
        ended = self.sweeper.sweep([self.protocol])
        for _ in range(3):
            await asyncio.sleep(0)
        return ended

    def written(self) -> bytes:
        return b"".join(self.line.written)


@pytest.mark.parametrize("begun", [b"", b"GET / HT", GET + b"GET / HTT"])
def test_a_request_that_does_not_arrive_ends_its_connection(begun: bytes) -> None:
    async def run() -> None:
        talk = Talk()
        talk.protocol.data_received(begun)
        assert await talk.pass_seconds(19.9) == 0
        assert await talk.pass_seconds(0.1) == 1
        assert talk.line.closing
        assert (b"408" in talk.written()) is bool(begun)

    asyncio.run(run())


def test_a_connection_between_two_requests_is_left_to_the_keep_alive_time_out() -> None:
    async def run() -> None:
        talk = Talk()
        talk.protocol.data_received(GET)
        assert await talk.pass_seconds(1000) == 0
        assert not talk.line.closing

    asyncio.run(run())


def test_the_rest_of_a_body_gets_one_more_second_for_each_thousand_bytes() -> None:
    async def run() -> None:
        talk = Talk()
        talk.protocol.data_received(POST + b"x" * 3000)
        assert await talk.pass_seconds(22.9) == 0
        assert await talk.pass_seconds(0.1) == 1
        assert talk.written().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"The request did not arrive in time." in talk.written()
        assert talk.told == ["http.disconnect"]
        assert b"ok" not in talk.written()

    asyncio.run(run())


def test_a_body_that_has_arrived_is_no_longer_waited_for() -> None:
    async def run() -> None:
        talk = Talk()
        talk.protocol.data_received(POST + b"x" * 4999)
        assert await talk.pass_seconds(19) == 0
        talk.protocol.data_received(b"x")
        assert await talk.pass_seconds(1000) == 0
        assert talk.written().endswith(b"ok")

    asyncio.run(run())


def test_a_client_that_reads_nothing_of_its_response_is_cut_off() -> None:
    async def run() -> None:
        talk = Talk()
        talk.protocol.data_received(GET)
        await talk.pass_seconds(0)
        talk.protocol.pause_writing()
        talk.line.unsent = 70_000
        assert await talk.pass_seconds(29) == 0
        talk.line.unsent = 69_000  # it reads a little
        assert await talk.pass_seconds(29) == 0
        assert await talk.pass_seconds(1) == 1
        assert talk.line.aborted

    asyncio.run(run())


def test_a_closed_connection_whose_rest_nobody_reads_is_cut_off() -> None:
    async def run() -> None:
        talk = Talk()
        talk.line.unsent = 10
        talk.protocol.transport.close()
        assert await talk.pass_seconds(30) == 1
        assert talk.line.aborted

    asyncio.run(run())
