"""The HTTP server: which requests are answered at once, and that nobody can tell from the answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn

from tests.cli.test_one_write import Recorder
from tollkey.cli.protocol import LARGEST_HEAD, BoundedProtocol

PLAIN = b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n"


class App:
    """Has the answer to /ready at hand; everything else takes a task."""

    def at_once(self, path: bytes, sent: Any, ip: str | None, secure: bool) -> tuple[int, bytes, bytes] | None:
        return {
            b"/ready": (200, b"content-length: 3\r\n", b"now"),
            b"/ready?for=what": (204, b"x-for: what\r\n", b""),
        }.get(path)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"] if scope["method"] == "POST" or scope["query_string"] else b""
        await asyncio.sleep(0)
        text = b"later" + body
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
        await send({"type": "http.response.body", "body": text})


class Telling(App):
    """Answers with the names of the headers that it sees; of /ready at once."""

    def at_once(self, path: bytes, sent: Any, ip: str | None, secure: bool) -> tuple[int, bytes, bytes] | None:
        return (200, b"", b" ".join(name for name, _ in sent)) if path == b"/ready" else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        text = b" ".join(name for name, _ in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
        await send({"type": "http.response.body", "body": text})


class Soon(App):
    """Answers /soon from a callback in a later iteration of the loop."""

    def soon(self, path: bytes, sent: Any, ip: str | None, secure: bool, give: Any) -> bool:
        if path != b"/soon":
            return False
        asyncio.get_running_loop().call_later(0.01, give, (200, b"content-length: 4\r\n", b"soon"))
        return True


def ask(*pieces: bytes, app: App | None = None, own: Recorder | None = None) -> tuple[list[bytes], bool]:
    """What is written for what arrives in these pieces, and whether the connection was closed."""

    async def run() -> tuple[list[bytes], bool]:
        config = uvicorn.Config(
            app or App(),
            lifespan="off",
            log_level="critical",
            proxy_headers=False,
            date_header=False,
            server_header=False,
        )
        config.load()
        server = uvicorn.Server(config)
        protocol, transport = (
            BoundedProtocol(config=config, server_state=server.server_state, app_state={}),
            own or Recorder(),
        )
        protocol.connection_made(transport)
        for piece in pieces:
            protocol.data_received(piece)
        while server.server_state.tasks:
            await asyncio.sleep(0)
        protocol.connection_lost(None if transport.closing else ConnectionResetError())
        return transport.written, transport.closing

    return asyncio.run(run())


def bodies(written: list[bytes]) -> list[bytes]:
    return [answer.rpartition(b"\r\n\r\n")[2] for answer in written]


def test_an_answer_that_is_at_hand_takes_no_task_and_keeps_the_connection() -> None:
    assert ask(PLAIN) == ([b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnow"], False)


def test_the_application_sees_the_query_and_names_the_status() -> None:
    asked = PLAIN.replace(b"/ready", b"/ready?for=what")
    assert ask(asked + PLAIN)[0] == [
        b"HTTP/1.1 204 No Content\r\nx-for: what\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnow",
    ]


def test_requests_that_come_in_one_packet_are_answered_in_their_order() -> None:
    other = PLAIN.replace(b"/ready", b"/other")
    assert bodies(ask(PLAIN + PLAIN + other)[0]) == [b"now", b"now", b"later"]
    written = b"".join(ask(other + PLAIN + PLAIN)[0])
    assert written.count(b"HTTP/1.1 200") == 3
    assert written.index(b"later") < written.index(b"HTTP/1.1", 1)


def test_a_request_that_comes_in_pieces_is_answered_once() -> None:
    assert bodies(ask(*(PLAIN[at : at + 1] for at in range(len(PLAIN))))[0]) == [b"now"]


def test_the_connection_closes_when_the_caller_asks_for_it() -> None:
    written, closed = ask(PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + PLAIN)
    assert closed
    assert [b"connection: close" in answer for answer in written] == [True]


SOON = PLAIN.replace(b"/ready", b"/soon")


def ask_soon(*pieces: bytes, closes_after: float = 0.1) -> tuple[list[bytes], bool]:
    """What is written within some seconds, while answers come later without a task."""

    async def run() -> tuple[list[bytes], bool]:
        config = uvicorn.Config(Soon(), lifespan="off", proxy_headers=False, date_header=False, server_header=False)
        config.load()
        server = uvicorn.Server(config)
        transport = Recorder()
        protocol = BoundedProtocol(config=config, server_state=server.server_state, app_state={})
        protocol.connection_made(transport)
        for piece in pieces:
            protocol.data_received(piece)
        await asyncio.sleep(closes_after)
        transport.closing |= closes_after < 0.01
        protocol.connection_lost(None if transport.closing else ConnectionResetError())
        await asyncio.sleep(0.05)
        return transport.written, transport.closing

    return asyncio.run(run())


def test_an_answer_that_comes_later_takes_no_task() -> None:
    assert ask_soon(SOON) == ([b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsoon"], False)


def test_what_is_asked_behind_an_answer_that_comes_later_waits_for_it() -> None:
    other = PLAIN.replace(b"/ready", b"/other")
    written = b"".join(ask_soon(SOON + PLAIN + other, SOON)[0])
    found = [written.index(body) for body in (b"soon", b"later")]
    assert found == sorted(found)
    assert written.count(b"HTTP/1.1 200") == 4


def test_a_connection_closes_after_an_answer_that_comes_later_when_the_caller_asks_for_it() -> None:
    written, closed = ask_soon(SOON.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert closed
    assert [b"connection: close" in answer for answer in written] == [True]


def test_an_answer_that_comes_after_its_connection_was_lost_is_dropped() -> None:
    assert ask_soon(SOON, closes_after=0.001) == ([], True)


@pytest.mark.parametrize(
    "request_", [
        PLAIN.replace(b"/ready", b"/ready?limit=1"), PLAIN.replace(b"GET", b"POST"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"GET /ready HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
        b"GET /ready HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
        PLAIN.replace(b"/ready", b"/%72eady"),
    ],
)  # fmt: skip
def test_everything_else_goes_the_long_way(request_: bytes) -> None:
    assert b"later" in b"".join(ask(request_)[0])


@pytest.mark.parametrize("path", [b"/ready", b"/other"])
@pytest.mark.parametrize(
    ("hosts", "version", "status"),
    [
        (b"", b"1.1", b"400"), (b"Host: x\r\nhost: x\r\n", b"1.1", b"400"), (b"Host: x\r\nHost: y\r\n", b"1.0", b"400"),
        (b"", b"1.0", b"200"), (b"Host:\r\n", b"1.1", b"200"),
    ],
)  # fmt: skip
def test_a_request_names_one_host(path: bytes, hosts: bytes, version: bytes, status: bytes) -> None:
    """RFC 9112, section 3.2: servers in front and behind could otherwise take different ones."""
    written, closed = ask(b"GET " + path + b" HTTP/" + version + b"\r\n" + hosts + b"\r\n", PLAIN)
    assert written[0].startswith(b"HTTP/1.1 " + status)
    assert closed == (status == b"400" or version == b"1.0")


@pytest.mark.parametrize(
    ("coding", "version", "status"),
    [(b"chunked", b"1.1", b"200"), (b"Chunked", b"1.1", b"200"), (b"identity, chunked", b"1.1", b"400"),
     (b"gzip, chunked", b"1.1", b"400"), (b"chunked", b"1.0", b"400"), (b"chunked", b"2.0", b"400")],
)  # fmt: skip
def test_the_end_of_a_body_is_read_in_one_way(coding: bytes, version: bytes, status: bytes) -> None:
    """RFC 9112, section 6.1: a proxy in front that does not know the coding could see another end of the request."""
    head = b"POST /other HTTP/" + version + b"\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n"
    written, closed = ask(head + b"2\r\nhi\r\n0\r\n\r\n")
    assert written[0].startswith(b"HTTP/1.1 " + status)
    assert closed == (status == b"400")


@pytest.mark.parametrize("path", [b"/ready", b"/other"])
@pytest.mark.parametrize("more", [b"", b"Connection: upgrade\r\nUpgrade: h2c\r\n"])
def test_trailers_do_not_pass_for_headers(path: bytes, more: bytes) -> None:
    head = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + more + b"Transfer-Encoding: chunked\r\n\r\n"
    written = b"".join(ask(head + b"0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n", app=Telling())[0])
    assert b"transfer-encoding" in written
    assert b"x-forwarded-for" not in written


@pytest.mark.parametrize("behind", [PLAIN.replace(b"GET", b"POST"), PLAIN.replace(b"/ready", b"/other"), PLAIN])
def test_nothing_is_done_behind_the_last_request_of_a_connection(behind: bytes) -> None:
    asked: list[str] = []

    class Noting(App):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            asked.append(scope["path"])
            await super().__call__(scope, receive, send)

    written, closed = ask(PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + behind, app=Noting())
    assert (bodies(written), closed, asked) == ([b"now"], True, [])


def test_nothing_more_is_read_while_requests_wait_for_their_turn() -> None:
    class Counting(Recorder):
        def resume_reading(self) -> None:
            read_on.append(b"".join(self.written).count(b"later"))

    read_on: list[int] = []

    other = PLAIN.replace(b"/ready", b"/other")
    written = b"".join(ask(other * 20, own=Counting())[0])
    assert written.count(b"later") == 20
    assert read_on == [20]


def test_a_head_without_an_end_is_refused() -> None:
    written, closed = ask(b"GET / HTTP/1.1\r\n", *[b"x: " + b"y" * 8_000 + b"\r\n"] * (LARGEST_HEAD // 8_000 + 1))
    assert closed
    assert written[0].startswith(b"HTTP/1.1 400 ")


def test_a_long_head_is_refused_when_it_comes_in_one_piece() -> None:
    written, closed = ask(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 50_000 + b"\r\n")
    assert closed
    assert written[0].startswith(b"HTTP/1.1 400 ")


def test_requests_that_come_together_are_all_answered_however_long_they_are_together() -> None:
    many = LARGEST_HEAD // len(PLAIN) * 3
    assert bodies(ask(PLAIN * many)[0]) == [b"now"] * many
