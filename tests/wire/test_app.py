"""The edge of HTTP: whose address counts, and what a header may hold."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from tollkey.wire.app import WireApp, forwarded, headers_of
from tollkey.wire.messages import Request, Response
from tollkey.wire.service import Service


def headers(*pairs: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in pairs]


def test_of_forwarding_headers_only_what_the_proxy_itself_added_counts() -> None:
    one = headers(("x-forwarded-for", "10.0.0.1, 192.0.2.7"), ("x-forwarded-proto", "https"))
    assert forwarded(one, "127.0.0.1", False) == ("192.0.2.7", True)
    theirs, ours = ("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "192.0.2.7")
    further = headers(theirs, ours, ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http"))
    assert forwarded(further, "127.0.0.1", False) == ("192.0.2.7", False)
    assert forwarded(headers(), "127.0.0.1", True) == ("127.0.0.1", True)


def test_a_header_of_an_answer_is_one_line() -> None:
    class Answers:
        async def answer(self, request: Request) -> Response:
            return Response(303, b"", {"Location": "app:x\r\nSet-Cookie: a=b"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    sent: list[Any] = []
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(WireApp(cast(Service, Answers()))(scope, receive, send))
    assert dict(sent[0]["headers"])[b"location"] == b"app:xSet-Cookie: a=b"


def test_a_repeated_header_is_a_list_and_no_key_and_no_account() -> None:
    sent = headers(("authorization", "Bearer a"), ("cookie", "a=1"), ("authorization", "Bearer b"), ("cookie", "b=2"))
    assert headers_of(sent) == {"authorization": "Bearer a, Bearer b", "cookie": "a=1; b=2"}
