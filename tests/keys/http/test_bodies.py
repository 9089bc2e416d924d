"""A body that arrives a byte at a time costs its length, not the square of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import Request

from tollkey.keys.http import dispatch
from tollkey.keys.scanning import routes

LENGTH = 1_000_000  # bytes, each an event of its own: joined anew for each, they take twenty seconds and more
MOST_SECONDS = 6.0  # of processor time, on a busy machine; a fifth of it on an idle one
Receive = Callable[[], Awaitable[dict[str, Any]]]


def _byte_by_byte() -> Receive:
    left = iter(range(LENGTH, 0, -1))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x", "more_body": next(left) > 1}

    return receive


#: Who reads bodies of strangers, or of many kilobytes.
READERS: dict[str, Callable[[Receive], Awaitable[bytes]]] = {
    "the key server": lambda receive: dispatch.read_body({}, receive, LENGTH),
    "reports of leaks": lambda receive: routes._body(
        Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, receive), LENGTH
    ),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_body_in_single_bytes_costs_its_length(
    read: Callable[[Receive], Awaitable[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "BODY_SECONDS", 600)
    monkeypatch.setattr(routes, "_BODY_SECONDS", 600)
    began = time.process_time()
    body = asyncio.run(_whole(read))
    assert (len(body), time.process_time() - began < MOST_SECONDS) == (LENGTH, True)


async def _whole(read: Callable[[Receive], Awaitable[bytes]]) -> bytes:
    return await read(_byte_by_byte())
