"""Requests over kept connections: what servers answer, and when a connection is used again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

import httpx
import pytest

from tollkey.outbox.connections import Connections, NotSent, Poster, usual
from tollkey.outbox.over_httpx import Posts

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Served:
    """What one server got. connections: how many it accepted. requests: head and body of each."""

    def __init__(self, *answers: bytes) -> None:
        self.connections, self.requests = 0, list[bytes]()
        self._answers = answers

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Give the answers in turn; an empty one closes the connection."""
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
                writer.write(answer)
                await writer.drain()
                if not answer or b"Connection: close" in answer or answer.startswith(b"HTTP/1.0"):
                    return
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()


def posted(served: Served, times: int = 1, path: str = "/hook", poster: Poster | None = None) -> list[object]:
    """Post so many times, one after the other, and return the answers or errors."""

    async def main() -> list[object]:
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        found: list[object] = []
        async with aclosing(poster or Connections()) as opened:
            for _ in range(times):
                sending = opened.post(f"http://127.0.0.1:{port}{path}", b"{}", {"X-One": "1"}, 10)
                found += await asyncio.gather(asyncio.wait_for(sending, 10), return_exceptions=True)
        server.close()
        return found

    return asyncio.run(main())


@pytest.mark.parametrize("of_httpx", [False, True])
@pytest.mark.parametrize(
    ("answer", "connections", "expected"),
    [
        (OK, 1, (200, b"ok")),
        (b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 1, (500, b"no")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 1, (204, b"")),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 1, (302, b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 1, (200, b"ok")),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2, (200, b"ok")),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 2, (200, b"until the ")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 50, 2, (200, b"x" * 10)),
    ],
)
def test_answers_are_read_and_connections_kept_where_that_is_allowed(
    answer: bytes, connections: int, expected: tuple[int, bytes], of_httpx: bool
) -> None:
    served = Served(answer)
    poster: Poster = Posts(httpx.AsyncClient()) if of_httpx else Connections()
    assert posted(served, 2, poster=poster) == [expected, expected]
    assert served.connections == connections


def test_a_request_is_whole() -> None:
    served = Served(OK)
    posted(served, path="/a b/%C3%A9/é?q=1&r=ü#part")
    head, _, body = served.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /a%20b/%C3%A9/%C3%A9?q=1&r=%C3%BC HTTP/1.1"
    assert b"\r\nHost: 127.0.0.1:" in head
    assert b"\r\nX-One: 1\r\nContent-Length: 2" in head
    assert body == b"{}"


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    served = Served(OK, b"", OK)
    assert posted(served, 2) == [(200, b"ok"), (200, b"ok")]
    assert (served.connections, len(served.requests)) == (2, 3)


def test_a_host_s_name_is_resolved_again_when_a_connection_in_use_has_lived_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The host may have moved, or its name may lead elsewhere now."""
    looked_up: list[object] = []

    class Resolving(asyncio.SelectorEventLoop):
        async def getaddrinfo(self, host: object, port: object, **named: object) -> list[object]:  # type: ignore[override]
            looked_up.append(host)
            return await super().getaddrinfo(host, port, **named)  # type: ignore[arg-type, return-value]

    served, ended = Served(OK), list[int]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await served(reader, writer)
        with suppress(OSError):
            await writer.wait_closed()
        ended.append(1)

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://localhost:{server.sockets[0].getsockname()[1]}/"
        looked_up.clear()
        async with aclosing(Connections()) as opened:
            for expected in (1, 1, 1, 2):
                await opened.post(url, b"{}", {}, 10)
                assert looked_up == ["localhost"] * expected
                now[0] += 29.0  # it is never idle for thirty seconds
        while len(ended) < 2:
            await asyncio.sleep(0)
        server.close()

    now = [0.0]
    monkeypatch.setattr(Resolving, "time", lambda loop: now[0])
    with asyncio.Runner(loop_factory=Resolving) as runner:
        runner.run(main())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nConten",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nConten",
    ],
)
def test_what_is_no_response_is_an_error(answer: bytes) -> None:
    cut = answer.startswith(b"HTTP") and b"Connection: close" not in answer
    served = Served(answer + b"\r\nConnection: close" if cut else answer)
    (problem,) = posted(served)
    assert isinstance(problem, ConnectionError | TimeoutError)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    ],
)
def test_a_head_that_never_ends_is_an_error_and_not_kept_in_memory(start: bytes) -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        with suppress(OSError):
            while sent < 64 * 1024 * 1024:
                writer.write(b"x" * 65536)
                await writer.drain()
                sent += 65536
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(endless, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with aclosing(Connections()) as opened:
            with pytest.raises(ConnectionError, match="too large"):
                await opened.post(f"http://127.0.0.1:{port}/", b"{}", {}, 10)
        server.close()

    asyncio.run(main())
    assert sent < 32 * 1024 * 1024


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://", "http://a b/", "http://x:99999/", "/hook", "http://\u2100.example/"]
)
def test_an_address_that_no_request_can_be_sent_to_is_an_error(url: str) -> None:
    with pytest.raises(ValueError):
        asyncio.run(Connections().post(url, b"", {}, 10))


@pytest.mark.parametrize("of_httpx", [False, True])
@pytest.mark.parametrize(
    ("base", "target"), [("http://127.0.0.1:1", b"/"), ("ftp://127.0.0.1", b"/"), ("http://127.0.0.1:1", b"/\x01")]
)
def test_what_was_never_sent_is_told_apart(base: str, target: bytes, of_httpx: bool) -> None:
    async def main() -> None:
        async with aclosing(Posts(httpx.AsyncClient()) if of_httpx else Connections()) as opened:
            with pytest.raises(NotSent):
                await opened.exchange("GET", base, target, b"", {}, 10)

    asyncio.run(main())


@pytest.mark.parametrize("of_httpx", [False, True])
def test_nothing_is_sent_when_its_sender_is_not_ready_once_there_is_a_connection(of_httpx: bool) -> None:
    served = Served(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    asked: list[bool] = []

    async def ready() -> None:
        asked.append(True)
        if len(asked) > 1:
            raise KeyError

    async def main() -> None:
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with aclosing(Posts(httpx.AsyncClient()) if of_httpx else Connections()) as opened:
            assert (await opened.exchange("POST", base, b"/", b"x", {}, 10, ready)).status == 200
            with pytest.raises(KeyError):
                await opened.exchange("POST", base, b"/", b"x", {}, 10, ready)
            assert (len(served.requests), len(asked)) == (1, 2)
            assert (await opened.exchange("POST", base, b"/", b"x", {}, 10)).status == 200
        server.close()

    asyncio.run(main())


def test_an_exchange_returns_headers_without_trailers_and_a_long_body_whole() -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nX-One: a\r\nX-One: b\r\nTransfer-Encoding: chunked\r\n\r\n"
    served = Served(head + chunk * 40 + b"0\r\nX-One: trailer\r\n\r\n")

    async def main() -> None:
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with aclosing(Connections()) as opened:
            for most, whole in ((40 * 0x10000, True), (40 * 0x10000 - 1, False)):
                answer = await opened.exchange("PUT", base, b"/a?b=%20", b"", {}, most)
                assert answer.headers == [(b"x-one", b"a"), (b"x-one", b"b"), (b"transfer-encoding", b"chunked")]
                assert (answer.status, len(answer.body), answer.whole) == (200, most, whole)
        server.close()

    asyncio.run(main())
    assert served.requests[0].startswith(b"PUT /a?b=%20 HTTP/1.1\r\n")


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert isinstance(usual(), Connections)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    assert isinstance(usual(), Posts)
