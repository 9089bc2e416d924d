"""What one connection may make the server hold, seen from a socket."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.contract.conftest import Running

_PIECE = b"a" * 65_536
_MOST = 1_024  # of them: the buffers of the system hold some 60 that the server never reads


@pytest.mark.parametrize(
    "start",
    [
        b"GET /v1/customers HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"GET /v1/",
        b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nTransfer-Encoding:"
        b" chunked\r\n\r\n0\r\nX-Trailer: ",
    ],
    ids=["header", "path", "trailer"],
)
def test_a_head_without_end_is_cut_off(server: Running, start: bytes) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as caller:
        sent = 0
        try:
            caller.sendall(start.replace(b"%b", server.secret_key.encode()))
            while sent < _MOST:
                caller.sendall(_PIECE)
                sent += 1
        except ConnectionError:
            pass  # hung up
        assert sent < _MOST


def test_a_large_body_is_no_large_head(server: Running) -> None:
    place = urlsplit(server.url)
    body = b"description=" + b"a" * 500_000
    head = (
        f"POST /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.secret_key}\r\nContent-Length: "
        f"{len(body)}\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port), timeout=60) as caller:
        caller.sendall(head.encode())
        for at in range(0, len(body), 65_536):
            caller.sendall(body[at : at + 65_536])
        assert caller.recv(15) == b"HTTP/1.1 400 Ba"  # read, and refused for its length as a description


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/files", b"401"),
        ("/v1/customers", b"401"),
        ("/v1/tokens", b"401"),
        ("/v1/nowhere", b"401"),
        ("/3ds/nobody/complete", b"404"),
        ("/login", b"413"),
    ],
)
@pytest.mark.parametrize("declared", ["Content-Length: 20000000", "Transfer-Encoding: chunked"])
def test_a_stranger_s_body_is_answered_before_it_is_sent_and_the_connection_ends(
    server: Running, path: str, status: bytes, declared: str
) -> None:
    place = urlsplit(server.url)
    kind = "Content-Type: application/x-www-form-urlencoded"
    with socket.create_connection((place.hostname, place.port), timeout=60) as caller:
        caller.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{kind}\r\n{declared}\r\n\r\n".encode())
        some = b"card%5Bnumber%5D=%41%41" * 1_000  # 23 KB: more than is looked at for a browser's key
        caller.sendall(some if "Length" in declared else b"%x\r\n%b\r\n" % (len(some), some))
        answer = b""
        while piece := caller.recv(65_536):  # until the server has closed its half
            answer += piece
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert b"connection: close" in answer.lower()


def test_a_caller_who_sends_before_it_listens_hears_the_answer_too(server: Running) -> None:
    place = urlsplit(server.url)
    body = b"a" * 2_000_000
    with socket.create_connection((place.hostname, place.port), timeout=60) as caller:
        caller.sendall(b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert caller.recv(65_536).startswith(b"HTTP/1.1 401")


def test_after_a_short_body_that_nobody_read_the_connection_stays(server: Running) -> None:
    place = urlsplit(server.url)
    ask = b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nemail=a"
    with socket.create_connection((place.hostname, place.port), timeout=60) as caller:
        for _ in range(3):
            caller.sendall(ask)
            answer = caller.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 401")
            assert b"connection: close" not in answer.lower()
