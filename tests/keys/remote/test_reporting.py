"""What a client has answered from memory is reported in batches, once each, and bounded."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from tests.conftest import NOW
from tests.keys.conftest import Ticker
from tests.keys.remote.conftest import TEXT, Make
from tests.keys.remote.scripted import Scripted, error, reply
from tests.keys.remote.test_client_memory import hear
from tollkey.keys import Key
from tollkey.keys.once import one_request
from tollkey.keys.remote import RemoteKeys, reporting
from tollkey.keys.remote.answers import Question

COUNTED = reply({"object": "use_report", "counted": 1})


@pytest.fixture
def hearing(make: Make, ticker: Ticker, server: Scripted) -> RemoteKeys:
    """A client that knows one key, and has reported nothing."""
    keys = make(report_seconds=3600.0)
    keys._feed.opened(ticker.now)
    hear(keys, ticker)
    ticker.now += 1.1
    hear(keys, ticker)
    assert keys.check(TEXT, "report_read")
    server.then(COUNTED)
    return keys


def test_what_was_answered_from_memory_is_reported_and_what_the_server_was_asked_is_not(
    hearing: RemoteKeys, server: Scripted
) -> None:
    for number in range(3):
        assert hearing.check(TEXT, "report_read", ip="192.0.2.7", endpoint=f"GET /reports/{number}", cost=2)
    assert hearing.verify(TEXT)
    hearing._uses.report()
    hearing._uses.report()
    assert server.requests[1:] == ["POST /v1/keys/uses"]
    about = {"id": "mk_1", "at": NOW}
    assert server.bodies[-1] == {
        "uses": [
            {
                **about, "requests": 3, "cost": 2, "ip": "192.0.2.7", "endpoint": "GET /reports/2",
                "permission": "report_read",
            },
            {**about, "requests": 1, "cost": 0},
        ]
    }  # fmt: skip


def test_a_batch_that_may_have_arrived_is_sent_again_under_its_name(hearing: RemoteKeys, server: Scripted) -> None:
    hearing.check(TEXT)
    server.then(reply(b"", "503 Service Unavailable"))
    hearing._uses.report()
    hearing.check(TEXT)  # belongs to the next one
    server.then(COUNTED)
    before = len(server.requests)
    hearing._uses.report()
    sent = [(body["uses"][0]["requests"], headers["idempotency-key"]) for body, headers in _reports(server)]
    assert [requests for requests, _ in sent[-2:]] == [1, 1]
    assert len({name for _, name in sent}) == 2
    assert sent[0][1] == sent[-2][1]
    assert len(server.requests) == before + 2


def _reports(server: Scripted) -> list[tuple[dict[str, list[dict[str, int]]], dict[str, str]]]:
    pairs = zip(server.requests, server.bodies, server.headers, strict=True)
    return [(body, headers) for first, body, headers in pairs if first == "POST /v1/keys/uses"]


def test_in_one_request_a_use_is_counted_once(hearing: RemoteKeys, server: Scripted) -> None:
    with one_request():
        hearing.check(TEXT)
        hearing.check(TEXT)
    hearing._uses.report()
    assert server.bodies[-1]["uses"][0]["requests"] == 1


def test_closing_reports_what_is_left(hearing: RemoteKeys, server: Scripted) -> None:
    hearing.check(TEXT)
    hearing.close()
    hearing.close()
    assert server.requests[1:] == ["POST /v1/keys/uses"]


def test_closing_waits_for_a_server_that_is_away_once(hearing: RemoteKeys, server: Scripted) -> None:
    hearing.check(TEXT)
    server.then(reply(b"", "503 Service Unavailable"))
    hearing._connecting = hearing._uses._transport._connecting
    hearing.close()
    assert len(_reports(server)) == hearing._connecting.attempts


def test_a_server_that_takes_no_reports_is_not_asked_again(
    hearing: RemoteKeys, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    hearing.check(TEXT)
    server.then(error(403, "insufficient_scope"))
    with caplog.at_level(logging.ERROR):
        hearing._uses.report()
        hearing.check(TEXT)
        hearing._uses.report()
    assert len(_reports(server)) == 1
    assert caplog.text.count("are not reported") == 1


def test_a_batch_that_is_refused_does_not_stop_the_others(hearing: RemoteKeys, server: Scripted) -> None:
    hearing.check(TEXT)
    server.then(error(400, "parameter_invalid"), COUNTED)
    hearing._uses.report()
    hearing.check(TEXT)
    hearing._uses.report()
    assert len(_reports(server)) == 2


def test_the_memory_for_it_and_each_report_are_bounded(
    hearing: RemoteKeys, server: Scripted, monkeypatch: pytest.MonkeyPatch, key: Callable[..., Key]
) -> None:
    monkeypatch.setattr(reporting, "_MOST", 3)
    monkeypatch.setattr(reporting, "_WAITING", 2)
    for number in range(20):  # paths and keys without end
        hearing._uses.count(key("mk_1"), Question(TEXT, route=f"GET /reports/{number}"))
        hearing._uses.count(key(f"mk_{number}"), Question(TEXT))
    assert len(hearing._uses._counts) <= 2 * 3 + 1
    hearing._uses.report()
    assert sum(use["requests"] for body, _ in _reports(server) for use in body["uses"]) > 20
    monkeypatch.undo()
    for number in range(500):
        hearing._uses.count(key(f"mk_{number}"), Question(TEXT, route="GET /" + "é" * 1_900))
    hearing._uses.report()
    assert all(int(headers["content-length"]) < 64 * 1024 for _, headers in _reports(server))
    assert sum(len(body["uses"]) for body, _ in _reports(server)) > 500


def test_what_no_server_takes_is_reported_in_another_form(hearing: RemoteKeys, server: Scripted) -> None:
    hearing.check(TEXT, ip="nowhere", endpoint="GET /\0\ud800" + "a" * 600, cost=10**7)
    hearing._uses.report()
    (use,) = server.bodies[-1]["uses"]
    assert use["cost"] == 10**6
    assert use["endpoint"].startswith("GET /??aaa")
    assert len(use["endpoint"]) <= 500
    asked = Question(TEXT, endpoint="GET /\0\ud800").request().body  # a question, too, must not fail for its path
    assert asked is not None
    assert asked["endpoint"] == "GET /??"
    assert "ip" not in use


def test_nothing_is_reported_where_that_is_not_wanted(make: Make) -> None:
    with pytest.raises(ValueError):
        make(report_seconds=-1.0)
    keys = make(report_seconds=0.0)
    assert keys._uses._off


def test_a_child_leaves_its_parent_s_uses_to_the_parent(hearing: RemoteKeys, server: Scripted) -> None:
    hearing.check(TEXT)
    hearing._uses.after_fork_in_child()  # as in the child
    hearing._uses.report()
    assert _reports(server) == []
