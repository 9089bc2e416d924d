"""What one connection may make the server hold, seen from a socket."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.contract.conftest import Running

_PIECE = b"a" * 65_536


@pytest.mark.parametrize(
    "start",
    [
        b"GET /v1/customers HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"GET /v1/",
        b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ",
    ],
    ids=["header", "path", "trailer"],
)
def test_a_head_without_end_is_cut_off(server: Running, start: bytes) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as caller:
        sent = 0
        try:
            caller.sendall(start)
            while sent < 64 * len(_PIECE):
                caller.sendall(_PIECE)
                sent += len(_PIECE)
        except OSError:
            pass  # hung up
        assert sent < 64 * len(_PIECE)


def test_a_large_body_is_no_large_head(server: Running) -> None:
    place = urlsplit(server.url)
    body = b"description=" + b"a" * 1_000_000
    head = f"POST /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.secret_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=10) as caller:
        caller.sendall(head.encode())
        for at in range(0, len(body), 65_536):
            caller.sendall(body[at : at + 65_536])
        assert caller.recv(15) == b"HTTP/1.1 400 Ba"  # read, and refused for its length as a description
