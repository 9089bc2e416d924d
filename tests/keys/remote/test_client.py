"""``RemoteKeys``: what it asks, what it answers from memory, and what it makes of servers that answer anything."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOW
from tests.keys.conftest import Ticker
from tests.keys.remote.scripted import Scripted, error, reply, scripted, verdict
from tollkey.keys import BRAND, Denied, Key, KeyRefused, Reason, UnknownPermission
from tollkey.keys.once import one_request
from tollkey.keys.remote import RemoteKeys, RemoteRefused
from tollkey.keys.remote.events import Event

TEXT = "rk_live_abcdefghijklmnop"
Make = Callable[..., RemoteKeys]


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(reply(verdict())) as running:
        yield running


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def make(server: Scripted, ticker: Ticker, slept: list[float]) -> Iterator[Make]:
    """Makes a client whose clock stands still and which hears of changes only what ``hear`` says."""
    made: list[RemoteKeys] = []

    def remote(url: str = server.url, **options: Any) -> RemoteKeys:
        settings = {"clock": lambda: NOW, "monotonic": ticker, "sleep": slept.append, "chance": lambda: 1.0}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reads no certificates, which takes a while
        keys = RemoteKeys(url, "rk_live_service", ssl_context=context, **{**settings, **options})
        keys._listener._stopped.set()
        made.append(keys)
        return keys

    yield remote
    for keys in made:
        keys.close()


def hear(keys: RemoteKeys, ticker: Ticker, name: str = "tick", **data: object) -> None:
    """Let a client hear an event at this moment; the server's clock shows the same time."""
    times = {"at": ticker.now} if name == "tick" else {}
    keys._feed.take(Event(name, json.dumps({**times, **data}), "p1"), ticker.now)


@pytest.fixture
def hearing(make: Make, ticker: Ticker) -> RemoteKeys:
    """A client that has heard the stream for more than a second, and knows one key."""
    keys = make()
    keys._feed.opened(ticker.now)
    hear(keys, ticker)
    ticker.now += 1.1
    hear(keys, ticker)
    assert keys.check(TEXT, "report_read")
    return keys


# -- asking


def test_a_valid_key_is_returned_with_what_the_server_knows_of_it(make: Make, server: Scripted) -> None:
    checked = make().check(TEXT, "report_read", ip="192.0.2.7", endpoint="GET /r\0", route="r", cost=2, account="cus_1")
    assert checked
    assert checked.key is not None
    assert (checked.key.id, checked.key.account, checked.key.metadata) == ("mk_1", "cus_1", {"machine": "7"})
    assert checked.key.allows("report_read")
    assert not checked.key.allows("report_write")
    assert server.requests == ["POST /v1/keys/verify"]
    assert server.headers[0]["authorization"] == "Bearer rk_live_service"
    assert server.bodies == [
        {"key": TEXT, "permission": "report_read", "ip": "192.0.2.7", "endpoint": "GET /r?", "route": "r", "cost": 2,
         "account": "cus_1"}
    ]  # fmt: skip


def test_verify_looks_at_the_limits_without_taking_from_them(make: Make, server: Scripted) -> None:
    assert isinstance(make().verify(TEXT), Key)
    assert server.bodies == [{"key": TEXT, "cost": 0}]


def test_a_refusal_says_why_and_when_to_come_back(make: Make, server: Scripted) -> None:
    limit = {"limit": 10, "remaining": 0, "reset": 2.5}
    server.then(reply(verdict(valid=False, code="rate_limited", ratelimit=limit, retry_after=2.5)))
    checked = make().check(TEXT)
    assert (checked.reason, checked.retry_after, bool(checked)) == (Reason.rate_limited, 2.5, False)
    assert checked.limit is not None
    assert (checked.limit.limit, checked.limit.remaining, checked.limit.reset) == (10, 0, 2.5)
    assert checked.known is not None
    denied = make().verify(TEXT)
    assert isinstance(denied, Denied)
    assert (denied.reason, denied.retry_after) == (Reason.rate_limited, 2.5)


def test_a_missing_permission_is_named(make: Make, server: Scripted) -> None:
    server.then(reply(verdict(valid=False, code="forbidden", permission="of_the_route")))
    assert make().check(TEXT, route="GET /r").permission == "of_the_route"
    server.then(reply(verdict(valid=False, code="forbidden")))
    assert make().check(TEXT, "report_read", publishable=False).permission is None
    assert server.bodies[-1]["publishable"] is False


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, Reason.missing),
        ("", Reason.missing),
        (b"", Reason.missing),
        ("x" * 513, Reason.unknown),
        ("a\0b", Reason.unknown),
        ("\ud800", Reason.unknown),
        (b"\xff\x00", Reason.unknown),
        (7, Reason.unknown),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_asking(
    make: Make, server: Scripted, text: Any, reason: Reason
) -> None:
    assert make().check(text).reason == reason
    assert server.requests == []


def test_with_a_brand_a_mistyped_key_is_refused_without_asking(make: Make, server: Scripted) -> None:
    assert make(brand=BRAND).check(f"sk_live_{'x' * 99}").reason == Reason.unknown
    assert server.requests == []


def test_what_a_caller_sends_as_its_address_is_sent_only_if_it_is_one(make: Make, server: Scripted) -> None:
    keys = make()
    for ip in ("::ffff:192.0.2.7", "unknown", "192.0.2.7\0", "x" * 10_000, ""):
        keys.check(TEXT, ip=ip)
    assert [body.get("ip") for body in server.bodies] == ["::ffff:192.0.2.7", None, None, None, None]


def test_a_request_pays_the_highest_of_its_costs_once(make: Make, server: Scripted) -> None:
    keys = make()
    with one_request():
        for cost in (1, 3, 2):
            keys.check(TEXT, cost=cost)
    keys.check(TEXT, cost=3)
    assert [body["cost"] for body in server.bodies] == [1, 2, 0, 3]


def test_the_cost_of_a_declared_route_is_paid_once_a_request(make: Make, server: Scripted) -> None:
    keys = make()
    with one_request():
        for route in ("GET /r", "GET /r", "GET /s"):
            keys.check(TEXT, route=route)
    keys.check(TEXT, route="GET /r")
    assert [body.get("cost") for body in server.bodies] == [None, 0, None, None]


def test_a_refused_request_has_paid_nothing(make: Make, server: Scripted) -> None:
    keys = make()
    server.then(reply(verdict(valid=False, code="rate_limited", retry_after=1)), reply(verdict()))
    with one_request():
        assert not keys.check(TEXT)
        assert keys.check(TEXT)
    assert [body.get("cost") for body in server.bodies] == [None, None]


# -- memory


def test_a_valid_key_is_asked_for_once_while_the_stream_is_heard(hearing: RemoteKeys, server: Scripted) -> None:
    assert hearing.check(TEXT, "report_read")
    assert isinstance(hearing.verify(TEXT), Key)
    assert isinstance(hearing.verify_cached(TEXT), Key)
    assert len(server.requests) == 1


def test_a_key_revoked_at_the_server_is_refused_once_the_stream_says_so(
    hearing: RemoteKeys, server: Scripted, ticker: Ticker
) -> None:
    server.then(reply(verdict(valid=False, code="revoked", version=4)))
    assert hearing.check(TEXT)
    hear(hearing, ticker, "change", id="mk_1", version=4)
    assert hearing.verify_cached(TEXT) is None
    assert hearing.check(TEXT).reason == Reason.revoked


def test_a_silent_stream_asks_for_every_key_and_refuses_when_that_fails(
    hearing: RemoteKeys, server: Scripted, ticker: Ticker
) -> None:
    ticker.now += 0.99
    assert hearing.check(TEXT)
    ticker.now += 0.01
    assert hearing.verify_cached(TEXT) is None
    assert hearing.check(TEXT)
    assert len(server.requests) == 2
    server.then(b"")
    assert hearing.check(TEXT).reason == Reason.unavailable


def test_an_answer_is_forgotten_after_its_time(hearing: RemoteKeys, server: Scripted, ticker: Ticker) -> None:
    for _ in range(59):
        ticker.now += 1
        hear(hearing, ticker)
    assert hearing.check(TEXT)
    assert len(server.requests) == 1
    ticker.now += 1
    hear(hearing, ticker)
    assert hearing.check(TEXT)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "changes",
    [{"ttl": 0}, {"ttl": None}, {"ratelimit": {"limit": 5, "remaining": 4, "reset": 1}}],
    ids=["no time to live", "none named", "a limit"],
)
def test_what_the_server_must_decide_each_time_is_asked_each_time(
    hearing: RemoteKeys, server: Scripted, changes: dict[str, Any]
) -> None:
    server.then(reply(verdict(**changes)))
    for _ in range(3):
        assert hearing.check("rk_live_2")
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "needs",
    [{"permission": "report_write"}, {"permission": "undeclared"}, {"account": "cus_2"}, {"route": "reports"}],
    ids=str,
)
def test_memory_accepts_only_what_the_server_has_said(
    hearing: RemoteKeys, server: Scripted, needs: dict[str, Any]
) -> None:
    server.then(reply(verdict(valid=False, code="unknown")))
    assert not hearing.check(TEXT, **needs)
    assert len(server.requests) == 2


def test_a_secret_key_is_not_thought_to_have_a_permission_that_nothing_declares(
    hearing: RemoteKeys, server: Scripted
) -> None:
    secret = verdict()
    secret["key"]["kind"] = "secret"
    server.then(reply(secret), error("400 Bad Request", "permission_unknown", "Unknown permission: reprot_read."))
    assert hearing.check("sk_live_2")
    with pytest.raises(UnknownPermission, match="reprot_read"):
        hearing.check("sk_live_2", "reprot_read")


def test_a_key_expires_in_memory_too(make: Make, server: Scripted, hearing: RemoteKeys) -> None:
    soon = verdict()
    soon["key"]["expires_at"] = NOW
    server.then(reply(soon))
    assert hearing.check("rk_live_2")
    assert hearing.verify_cached("rk_live_2") is None


def test_a_capacity_of_zero_asks_each_time(make: Make, server: Scripted) -> None:
    keys = make(capacity=0)
    assert keys.check(TEXT)
    assert keys.check(TEXT)
    assert len(server.requests) == 2
    assert keys._listener._thread is None


def test_a_closed_client_accepts_nobody(hearing: RemoteKeys) -> None:
    hearing.close()
    hearing.close()
    assert hearing.verify_cached(TEXT) is None
    assert hearing.check(TEXT).reason == Reason.unavailable


# -- servers that fail


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>"),
        reply([]),
        reply(b"[" * 100_000),
        reply(b'{"valid": ' + b"9" * 5_000 + b"}"),
        reply({}),
        reply(verdict(valid="true")),
        reply(verdict(key=None)),
        reply(verdict(key="mk_1")),
        reply(verdict(key={"id": "mk_1"})),
        reply(verdict(version="3")),
        reply(verdict(ttl=-1)),
        reply(verdict(ttl=True)),
        reply(b'{"valid": true, "ttl": NaN}'),
        reply(verdict(ratelimit=[1])),
        reply(verdict(valid=False, code="fine")),
        reply(verdict(valid=False, code=None)),
        reply(gzip.compress(json.dumps(verdict()).encode()), content_encoding="gzip"),
        reply(b" " * 5_000_000),
        reply(b"", "204 No Content"),
        reply(b"", "500 Oops"),
        reply(b"", "418 Teapot"),
        error("429 Too Many Requests", "rate_limited"),
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
    ],
    ids=lambda answer: repr(answer[-40:]),
)
def test_a_server_that_cannot_be_understood_accepts_nobody(make: Make, server: Scripted, answer: bytes) -> None:
    server.then(answer)
    assert make().check(TEXT).reason == Reason.unavailable


def test_another_account_than_was_asked_for_accepts_nobody(make: Make) -> None:
    assert make().check(TEXT, account="cus_2").reason == Reason.unavailable


def test_a_redirect_is_not_followed_so_that_the_service_key_goes_nowhere_else(make: Make, server: Scripted) -> None:
    with scripted(reply(verdict())) as elsewhere:
        server.then(reply(b"", "307 Temporary Redirect", location=f"{elsewhere.url}/v1/keys/verify"))
        assert make().check(TEXT).reason == Reason.unavailable
        assert elsewhere.requests == []


def test_nobody_listening_is_tried_twice_after_a_wait(make: Make, slept: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert make(f"http://127.0.0.1:{port}").check(TEXT).reason == Reason.unavailable
    assert slept == [0.05]


def test_a_server_that_was_busy_for_a_moment_is_asked_again(make: Make, server: Scripted, slept: list[float]) -> None:
    server.then(reply(b"", "503 Service Unavailable"), reply(verdict()))
    assert make().check(TEXT)
    assert slept == [0.05]


def test_an_answer_that_drips_ends_with_the_time_of_the_request(make: Make, server: Scripted, ticker: Ticker) -> None:
    def late(_: Scripted) -> bytes:
        ticker.now += 2
        return reply(verdict())

    server.then(late)
    assert make().check(TEXT).reason == Reason.unavailable
    assert len(server.requests) == 1


def test_a_service_key_that_may_not_verify_is_named_at_first_use(make: Make, server: Scripted) -> None:
    challenge = 'Bearer realm="API", error="insufficient_scope", scope="key_verify_write"'
    server.then(error("403 Forbidden", "insufficient_scope", www_authenticate=challenge))
    with pytest.raises(RemoteRefused, match="lacks the permission key_verify_write") as refused:
        make().check(TEXT)
    assert (refused.value.status, refused.value.permission) == (403, "key_verify_write")
    server.then(error("401 Unauthorized", "invalid_token"))
    with pytest.raises(RemoteRefused, match="does not accept the service key") as refused:
        make().check(TEXT)
    assert refused.value.status == 401


def test_an_argument_that_the_server_does_not_take_is_named(make: Make, server: Scripted) -> None:
    server.then(error("400 Bad Request", "parameter_invalid", "Invalid route.", "route"))
    with pytest.raises(KeyRefused, match="Invalid route") as refused:
        make().check(TEXT, route="r")
    assert (refused.value.code, refused.value.param) == ("parameter_invalid", "route")
    with pytest.raises(UnknownPermission):
        make().check(TEXT, "project:\0:write")
    with pytest.raises(ValueError, match="negative"):
        make().check(TEXT, cost=-1)


def test_neither_the_service_key_nor_the_caller_s_is_in_logs_and_texts(
    make: Make, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = make()
    server.then(error("401 Unauthorized", "invalid_token", f"Invalid: {TEXT} rk_live_service"))
    with pytest.raises(RemoteRefused) as refused:
        keys.check(TEXT)
    server.then(b"")
    checked = keys.check(TEXT)
    everything = f"{keys!r} {refused.value!r} {checked!r} {caplog.text}"
    assert "rk_live_service" not in everything
    assert TEXT not in everything


@pytest.mark.parametrize(
    "url",
    ["keys.example.com", "ftp://h", "https://", "https://user:pw@h", "https://h?x=1", "https://h#x"],
)
def test_an_address_that_cannot_be_right_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="URL of a key server"):
        RemoteKeys(url, "t")


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "é"])
def test_a_service_key_that_no_header_can_hold_is_refused_at_once(token: str) -> None:
    with pytest.raises(ValueError, match="service key"):
        RemoteKeys("https://h", token)


@pytest.mark.parametrize("option", [{"timeout": 0}, {"attempts": 0}, {"connections": 0}, {"capacity": -1}], ids=str)
def test_numbers_that_cannot_be_right_are_refused_at_once(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        RemoteKeys("https://h", "t", **option)


def test_the_path_of_the_address_is_kept(make: Make, server: Scripted) -> None:
    make(f"{server.url}/keys/").check(TEXT)
    assert server.requests == ["POST /keys/v1/keys/verify"]


def test_the_door_of_the_library_does_not_need_httpx() -> None:
    source = (Path(__file__).parents[3] / "src" / "tollkey" / "keys" / "__init__.py").read_text()
    assert "remote" not in source
