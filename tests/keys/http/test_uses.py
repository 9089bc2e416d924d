"""Uses that a service reports, since it answered them from its own memory."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import NOW, Clock
from tests.keys.http.conftest import Declare, Web
from tollkey.keys import Key
from tollkey.keys.usage import UsageQuery, report

CONFIG = """
[permissions.report]
[[routes]]
match = "GET /reports/{id}"
needs = "report_read"
cost = 3
"""


def use(key: Key, requests: int = 1, at: int = NOW, **about: Any) -> dict[str, Any]:
    return {"id": key.id, "requests": requests, "at": at, **about}


def test_reported_uses_count_as_if_each_had_been_asked(web: Web, clock: Clock) -> None:
    key = web.keys.create(permissions=["report_read"]).key
    clock.now = NOW
    sent = [use(key, 5, NOW - 60, ip="192.0.2.1"), use(key, 2, NOW - 5, ip="192.0.2.2", endpoint="GET /reports/1")]
    assert web.post("/v1/keys/uses", {"uses": sent}).json == {"object": "use_report", "counted": 7}
    web.keys.flush()
    last = web.keys.usage(key)
    assert last is not None
    assert (last.uses, last.last_used_at, last.ip, last.endpoint) == (7, NOW - 5, "192.0.2.2", "GET /reports/1")
    rows = web.keys.database.read(lambda tx: report(tx, UsageQuery(("key",), key=key.id)))
    assert [(row.requests, row.cost) for row in rows] == [(7, 7)]


def test_a_report_that_arrives_twice_counts_once(web: Web) -> None:
    key = web.keys.create().key
    name = {"Idempotency-Key": "batch_1"}
    for _ in range(2):
        assert web.post("/v1/keys/uses", {"uses": [use(key, 5)]}, headers=name).json["counted"] == 5
    web.keys.flush()
    last = web.keys.usage(key)
    assert last is not None
    assert last.uses == 5
    assert web.post("/v1/keys/uses", {"uses": [use(key, 6)]}, headers=name).error == (400, "idempotency_key_in_use")


def test_uses_are_counted_for_the_declared_route_and_what_it_costs(declare: Declare) -> None:
    web = declare(CONFIG)
    key = web.keys.create(permissions=["report_read"]).key
    web.post("/v1/keys/uses", {"uses": [use(key, 2, route="GET /reports/7?page=2"), use(key, permission="gone_read")]})
    web.keys.flush()
    rows = web.keys.database.read(lambda tx: report(tx, UsageQuery(("route", "permission"), key=key.id)))
    found = {(row.route, row.permission, row.requests, row.cost) for row in rows}
    assert found == {("GET /reports/{id}", "report_read", 2, 6), ("other", "", 1, 1)}


def test_times_that_cannot_be_are_those_that_could(web: Web, clock: Clock) -> None:
    clock.now = NOW
    for at, counted in ((NOW + 9_000, NOW), (1, NOW - 86_400)):
        key = web.keys.create().key
        web.post("/v1/keys/uses", {"uses": [use(key, at=at)]})
        last = web.keys.usage(key)
        assert last is not None
        assert last.last_used_at == counted


def test_unknown_keys_and_service_keys_are_left_out(web: Web) -> None:
    service, _ = web.service_key("key_read")
    unknown = {"id": "mk_unknown", "requests": 3, "at": NOW}
    by_text = {"id": web.keys.create().secret[:100], "requests": 3, "at": NOW}
    assert web.post("/v1/keys/uses", {"uses": [use(service), unknown, by_text]}).json["counted"] == 0
    assert web.app.server.callers.keys.usage(service) is None


def test_it_needs_the_permission_to_verify(web: Web) -> None:
    key = web.keys.create().key
    _, other = web.service_key("usage_read")
    assert web.post("/v1/keys/uses", {"uses": [use(key)]}, key=other).error == (403, "insufficient_scope")
    assert web.post("/v1/keys/uses", {"uses": [use(key)]}, key=web.service_key("key_verify_write")[1]).status == 200


@pytest.mark.parametrize(
    "wrong", [{"requests": 0}, {"requests": 1.5}, {"at": "now"}, {"ip": 7}, {"colour": "red"}, {"id": None}]
)
def test_a_report_that_makes_no_sense_is_refused_as_a_whole(web: Web, wrong: dict[str, Any]) -> None:
    key = web.keys.create().key
    answer = web.post("/v1/keys/uses", {"uses": [use(key), {**use(key), **wrong}]})
    assert (answer.status, answer.json["error"]["param"]) == (400, f"uses[1][{next(iter(wrong))}]")
    assert web.keys.usage(key) is None
