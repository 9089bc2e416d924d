from __future__ import annotations

import pytest

from tests.conftest import NOW
from tests.keys.http.conftest import Web


@pytest.fixture
def used(web: Web) -> Web:
    """Two accounts whose keys were used twice each."""
    for account in ("alice", "bob"):
        key = web.keys.create(account=account).key
        for route in ("GET /a", "GET /b"):
            web.keys.verifier.usage.count(key, NOW, route, cost=2)
    web.keys.flush()
    return web


def test_use_is_reported_as_json_and_csv(used: Web) -> None:
    answer = used.get("/v1/usage?by=account,route,day&account=alice").json
    assert answer["object"] == "list"
    assert answer["has_more"] is False
    assert answer["data"] == [
        {"account": "alice", "route": "GET /a", "day": NOW, "requests": 1, "cost": 2},
        {"account": "alice", "route": "GET /b", "day": NOW, "requests": 1, "cost": 2},
    ]
    csv = used.get("/v1/usage?by=account&format=csv")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.body.decode().splitlines() == ["account,requests,cost", "alice,2,4", "bob,2,4"]


def test_a_long_report_comes_in_pages(used: Web) -> None:
    first = used.get("/v1/usage?by=account,route&limit=3").json
    assert (len(first["data"]), first["has_more"], first["next_page"]) == (3, True, 3)
    second = used.get("/v1/usage?by=account,route&limit=3&page=3").json
    assert (len(second["data"]), second["has_more"], second["next_page"]) == (1, False, None)
    assert used.get("/v1/usage?by=account&limit=1&format=csv").headers["x-next-page"] == "1"


def test_the_service_s_own_keys_are_left_out_unless_asked_for(used: Web) -> None:
    used.app.server.callers.keys.flush()
    assert {row["account"] for row in used.get("/v1/usage?by=account").json["data"]} == {"alice", "bob"}
    used.app.server.callers.keys.flush()
    assert [row["account"] for row in used.get("/v1/usage?by=account&account=tollkey").json["data"]] == ["tollkey"]


@pytest.mark.parametrize(
    ("query", "param"),
    [("by=colour", "by"), ("by=hour,day", "by"), ("environment=prod", "environment"), ("limit=0", "limit"),
     ("since=yesterday", "since"), ("format=xml", "format")],
)  # fmt: skip
def test_a_report_that_makes_no_sense_is_refused(used: Web, query: str, param: str) -> None:
    answer = used.get(f"/v1/usage?{query}")
    assert (answer.status, answer.json["error"]["param"]) == (400, param)


def test_it_needs_a_permission_of_its_own(used: Web) -> None:
    _, key = used.service_key("key_write")
    assert used.get("/v1/usage", key=key).error == (403, "insufficient_scope")
    _, key = used.service_key("usage_read")
    assert used.get("/v1/usage", key=key).status == 200
