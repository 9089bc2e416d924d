"""``RemoteKeys``: what it makes of servers that answer anything, or nothing."""

from __future__ import annotations

import gzip
import json
import logging
import socket

import pytest

from tests.keys.conftest import Ticker
from tests.keys.remote.conftest import TEXT, Make
from tests.keys.remote.scripted import Scripted, error, reply, scripted, verdict
from tollkey.keys import KeyRefused, Reason
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.remote import RemoteRefused


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


def test_a_key_that_an_answer_repeats_is_in_no_exception(make: Make, server: Scripted) -> None:
    key = "sk_live_" + "Abcdef0123456789" * 3
    challenge = f'Bearer error="insufficient_scope", scope="{key}"'
    for answer in (
        error("403 Forbidden", "insufficient_scope", www_authenticate=challenge),
        error("400 Bad Request", key, f"Invalid {'x' * 480} {key}", key),
    ):
        server.then(answer)
        with pytest.raises((RemoteRefused, KeyRefused)) as refused:
            make().check(TEXT)
        told = f"{refused.value} {vars(refused.value)}"
        assert key[8:40] not in told


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
