"""The short way of a plain read: it gives what the long way gives, and leaves every refusal to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.api import Api
from tollkey.db import Scope
from tollkey.platform.request_logs import find
from tollkey.wire.app import WireApp
from tollkey.wire.messages import Request, Response


def asked(api: Api, path: str, key: str = "", query: str = "", **headers: str) -> Request:
    return Request(
        "GET", path, query.encode(), {"authorization": f"Bearer {key or api.sk}", **headers}, b"", "192.0.2.1"
    )


def at_once(api: Api, path: str, key: str = "", query: str = "", **headers: str) -> Response | None:
    return api.world.server.service.at_once(asked(api, path, key, query, **headers))


@pytest.fixture
def stored(request: pytest.FixtureRequest) -> Api:
    """A merchant on SQLite, where reading waits for nobody."""
    return Api(request.getfixturevalue("sqlite_world"))


def test_a_stored_object_is_answered_as_on_the_long_way(stored: Api) -> None:
    customer = stored.ok("POST", "/v1/customers", email="jenny@example.com", metadata={"order": "6735"})
    path = f"/v1/customers/{customer['id']}"
    long, short = stored.get(path), at_once(stored, path)
    assert short is not None
    assert (short.status, short.body) == (200, long.body)
    assert {*short.headers} == {"Request-Id", "Stripe-Version"}
    old = at_once(stored, path, **{"stripe-version": "2024-06-20"})
    assert old is not None
    assert old.headers["Stripe-Version"] == "2024-06-20"
    assert old.body == stored.get(path, headers={"Stripe-Version": "2024-06-20"}).body


def test_the_app_gives_the_same_header_lines_as_by_asgi(stored: Api) -> None:
    customer = stored.ok("POST", "/v1/customers")
    app, path = WireApp(stored.world.server.service), f"/v1/customers/{customer['id']}"
    headers = [(b"authorization", f"Bearer {stored.sk}".encode())]
    answer = app.at_once(path.encode(), headers, "192.0.2.1", False)
    assert answer is not None
    names = {line.partition(b": ")[0] for line in answer[1].splitlines()}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    stored.world.runner.run(app(scope, receive, send))
    assert app.at_once(f"{path}?expand[]=sources".encode(), headers, "192.0.2.1", False) is None
    assert names == {name for name, _ in sent[0]["headers"]}
    assert (answer[0], answer[2]) == (200, sent[1]["body"])


def test_it_is_logged_and_counted_as_a_use_of_the_key(stored: Api) -> None:
    customer = stored.ok("POST", "/v1/customers")
    stored.ok("GET", f"/v1/customers/{customer['id']}")
    stored.world.write_logs()
    scope = Scope(stored.account, False)
    before = len(stored.core.database.read(lambda tx: find(tx, scope, method="GET")))
    assert at_once(stored, f"/v1/customers/{customer['id']}") is not None
    stored.world.write_logs()
    logged = stored.core.database.read(lambda tx: find(tx, scope, method="GET"))
    assert (len(logged), logged[0].object_id, logged[0].ip) == (before + 1, customer["id"], "192.0.2.1")
    stored.world.write_uses()
    (usage,) = stored.core.database.read(lambda tx: stored.core.authority.usages(tx, scope)).values()
    assert (usage.ip, usage.endpoint) == ("192.0.2.1", f"GET /v1/customers/{customer['id']}")


def test_what_is_not_plainly_right_is_left_to_the_long_way(stored: Api) -> None:
    customer, other = stored.ok("POST", "/v1/customers"), stored.another()
    path = f"/v1/customers/{customer['id']}"
    reading, lacking = stored.restricted("customer_read"), stored.restricted("charge_read")
    for key in (stored.sk, stored.live_sk, stored.pk, reading, lacking, other.sk):
        stored.get(path, key=key)  # every valid key is in memory now
    assert at_once(stored, path, reading) is not None
    for key in (stored.live_sk, stored.pk, other.sk, stored.sk[:-1] + "!"):
        assert at_once(stored, path, key) is None
    for asked_for in (f"{path}x", "/v1/customers", f"{path}/sources", "/v1/nothing/x", "/v1/balance"):
        assert at_once(stored, asked_for) is None
    assert at_once(stored, path, query="expand[]=sources") is None
    assert at_once(stored, path, **{"stripe-account": other.account}) is None
    app = WireApp(stored.world.server.service)
    for header in (lacking, stored.sk):
        sent = [
            (b"authorization", f"Bearer {header}".encode()),
            (b"stripe-version", b"yesterday" if header == stored.sk else b""),
        ]
        assert app.at_once(path.encode(), sent[: 1 if header == lacking else 2], None, False) is None


def test_a_rolled_key_and_one_that_is_over_its_rate_are_left_to_the_long_way(stored: Api) -> None:
    customer = stored.ok("POST", "/v1/customers")
    path, service = f"/v1/customers/{customer['id']}", stored.world.server.service
    policy = service.policy
    try:
        service.policy = replace(policy, limit=lambda key: False)
        assert at_once(stored, path) is None
        service.policy = replace(policy, require_https=True)
        assert at_once(stored, path) is None
    finally:
        service.policy = policy
    assert at_once(stored, path) is not None
    (secret,) = [key for key in stored.get("/v1/api_keys")["data"] if key["type"] == "secret"]
    stored.ok("POST", f"/v1/api_keys/{secret['id']}/roll", expires_in="now")
    assert at_once(stored, path) is None


def test_where_reading_means_waiting_nothing_is_answered_at_once(request: pytest.FixtureRequest) -> None:
    api = Api(request.getfixturevalue("postgres_world"))
    customer = api.ok("POST", "/v1/customers")
    assert at_once(api, f"/v1/customers/{customer['id']}") is None
    assert api.ok("GET", f"/v1/customers/{customer['id']}")["id"] == customer["id"]
