"""Limits and declared routes at the gates: headers on every response, 429 with a true Retry-After."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import Clock
from tollkey.keys import KeyService, asgi, wsgi
from tollkey.keys.config import parse

TEXT = """
[service]
default_plan = "free"
[permissions.report]
[[routes]]
match = "GET /reports/*"
needs = "report_read"
[[routes]]
match = "POST /reports"
cost = 3
[[routes]]
match = "* /public/*"
publishable = true
[plans.free]
rate = "1/s"
burst = 4
quota = "100/day"
"""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


Ask = Callable[..., Answer]


def through_asgi(keys: KeyService, text: str, method: str, path: str, **settings: Any) -> Answer:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"fine"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "client": None,
        "headers": [(b"authorization", f"Bearer {text}".encode())],
    }  # fmt: skip
    inner = asgi.KeyGate(app, keys, **settings)
    asyncio.run(asgi.KeyGate(inner, keys, **settings)(scope, None, send))  # type: ignore[arg-type]
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, sent[1]["body"])


def through_wsgi(keys: KeyService, text: str, method: str, path: str, **settings: Any) -> Answer:
    found: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("x-own", "1")])
        return [b"fine"]

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        found.extend([int(status.split()[0]), dict(headers)])

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "RAW_URI": path, "HTTP_AUTHORIZATION": f"Bearer {text}"}
    gate = wsgi.KeyGate(wsgi.KeyGate(app, keys, **settings), keys, **settings)
    body = b"".join(gate(environ, start_response))
    return Answer(found[0], found[1], body)


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> Iterator[KeyService]:
    with KeyService.open(str(tmp_path / "keys.db"), config=parse(TEXT), clock=clock, flush_seconds=0) as opened:
        yield opened


@pytest.fixture(params=[through_asgi, through_wsgi], ids=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest, keys: KeyService) -> Ask:
    return lambda *given, **settings: request.param(keys, *given, **settings)


def test_an_accepted_response_says_what_is_left_beside_its_own_headers(ask: Ask, keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_read"])
    answer = ask(text, "GET", "/reports/1")
    assert (answer.status, answer.body) == (200, b"fine")
    assert answer.headers == {
        "x-own": "1",
        "ratelimit-policy": '"free";q=4;w=4, "free.day";q=100;w=86400',
        "ratelimit": '"free";r=3;t=1, "free.day";r=99;t=86400',
    }


def test_a_request_above_the_limit_is_answered_429_and_accepted_after_retry_after(
    ask: Ask, keys: KeyService, clock: Clock
) -> None:
    _, text = keys.create()
    assert ask(text, "POST", "/reports").status == 200
    refused = ask(text, "POST", "/reports")
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (429, "rate_limited")
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["ratelimit"].startswith('"free";r=1;t=3, ')
    clock.advance(1)
    assert ask(text, "POST", "/reports").status == 429
    clock.advance(1)
    assert ask(text, "POST", "/reports").status == 200


def test_a_used_up_quota_has_its_own_code(ask: Ask, keys: KeyService, clock: Clock) -> None:
    _, text = keys.create(permissions=["report_read"])
    for _ in range(25):
        keys.check(text, cost=4)
        clock.advance(4)
    refused = ask(text, "GET", "/reports/1")
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (429, "quota_exceeded")
    assert refused.headers["retry-after"] == str(86400 - 100)


def test_a_request_that_can_never_be_accepted_is_not_told_to_try_again(ask: Ask, keys: KeyService) -> None:
    _, text = keys.create()
    refused = ask(text, "POST", "/reports", cost=5)
    assert refused.status == 429
    assert "retry-after" not in refused.headers


def test_a_request_through_two_gates_is_counted_once(ask: Ask, keys: KeyService) -> None:
    _, text = keys.create()
    answers = [ask(text, "GET", "/public/x") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 429]
    assert answers[0].headers["ratelimit"].startswith('"free";r=3;')


def test_the_declared_routes_say_what_a_request_needs(ask: Ask, keys: KeyService) -> None:
    _, text = keys.create()
    for method in ("GET", "HEAD"):
        refused = ask(text, method, "/reports/1")
        assert refused.status == 403
        assert 'scope="report_read"' in refused.headers["www-authenticate"]
        assert "ratelimit" not in refused.headers, "it took nothing"


@pytest.mark.parametrize(
    "path", ["/other", "/public/../reports/1", "/public/%2e%2e/x", "/public/x?/reports", "/publi%63/x"]
)
def test_a_request_that_no_route_matches_is_refused(ask: Ask, keys: KeyService, path: str) -> None:
    _, text = keys.create(kind="secret")
    refused = ask(text, "GET", path)
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (403, "route_unknown")


def test_a_word_outside_of_ascii_is_found_in_the_path(tmp_path: Path) -> None:
    text = """[permissions.size]\n[[routes]]\nmatch = "GET /größe"\nneeds = "size_read"\n[[routes]]\nmatch = "* /*"\n"""
    with KeyService.open(str(tmp_path / "keys.db"), config=parse(text), flush_seconds=0) as keys:
        _, key = keys.create()
        assert through_asgi(keys, key, "GET", "/größe").status == 403
        assert through_wsgi(keys, key, "GET", "/größe".encode().decode("latin-1")).status == 403


def test_a_publishable_key_is_accepted_where_its_route_says_so(ask: Ask, keys: KeyService) -> None:
    _, text = keys.create(kind="publishable")
    assert ask(text, "GET", "/public/x").status == 200
    refused = ask(text, "POST", "/reports")
    assert (refused.status, json.loads(refused.body)["error"]["code"]) == (403, "publishable_key_refused")
    assert ask(text, "GET", "/public/x", permission_for="report_read").status == 403


def test_a_request_for_the_permission_of_the_gate_costs_what_its_route_says(ask: Ask, keys: KeyService) -> None:
    _, text = keys.create(permissions=["report_write"])
    answer = ask(text, "POST", "/reports", permission_for="report_write")
    assert answer.headers["ratelimit"].startswith('"free";r=1;')
