"""``RemoteKeys``: what it answers from memory, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import NOW
from tests.keys.conftest import Ticker
from tests.keys.remote.conftest import TEXT, Make
from tests.keys.remote.scripted import Scripted, error, reply, verdict
from tollkey.keys import Key, Reason
from tollkey.keys.errors import UnknownPermission
from tollkey.keys.remote import RemoteKeys
from tollkey.keys.remote.events import Event


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
