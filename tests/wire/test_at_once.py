"""A read that waits for nothing is answered without a task, with what the long way answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.api import Api
from tollkey.db import Scope, sqlite
from tollkey.db.ahead import Question
from tollkey.keys import Key
from tollkey.keys.actors import SYSTEM
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


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/customers/{id}", 200),
        ("/v1/customers", 200),
        ("/v1/customers?limit=2&email=jenny%40example.com", 200),
        ("/v1/customers?starting_after={id}", 200),
        ("/v1/customers/{id}?expand[]=sources", 200),
        ("/v1/balance", 200),
        ("/v1/invoices/{invoice}/pdf", 404),
        ("/v1/customers/cus_unknown", 404),
        ("/v1/customers?limit=0", 400),
        ("/v1/customers?colour=red", 400),
        ("/v1/customers/{id}?expand[]=colour", 400),
    ],
)
def test_the_app_answers_as_by_asgi(stored: Api, path: str, status: int) -> None:
    customer = stored.ok("POST", "/v1/customers", email="jenny@example.com")
    path, _, query = path.format(id=customer["id"], invoice="in_1").partition("?")
    app, headers = WireApp(stored.world.server.service), [(b"authorization", f"Bearer {stored.sk}".encode())]
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    stored.world.runner.run(app(scope, receive, send))
    answer = app.at_once(f"{path}?{query}".encode() if query else path.encode(), headers, "192.0.2.1", False)
    if path.endswith("/pdf"):
        assert answer is None, "no such endpoint: whether a key may know is said by the long way"
        return
    assert answer is not None
    lines = dict(line.split(b": ", 1) for line in answer[1].splitlines())
    by_asgi = dict(sent[0]["headers"])
    assert {*lines} == {*by_asgi}
    own = lines.pop(b"request-id"), by_asgi.pop(b"request-id")
    assert lines == by_asgi
    assert (answer[0], answer[2].replace(own[0], own[1])) == (status, sent[1]["body"])
    assert sent[0]["status"] == status


def test_a_file_is_answered_with_its_own_type(stored: Api) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ndispute_evidence\r\n--b\r\n'
    body += b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n1\r\n--b--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    file = stored.send("POST", "/v1/files", headers=kind, body=body)
    app = WireApp(stored.world.server.service)
    headers = [(b"authorization", f"Bearer {stored.sk}".encode())]
    answer = app.at_once(f"/v1/files/{file['id']}/contents".encode(), headers, None, False)
    assert answer is not None
    assert b"content-type: image/png\r\n" in answer[1]
    assert answer[2] == b"\x89PNG\r\n\x1a\n1"


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


def test_a_restricted_key_gets_what_it_may_see_and_the_refusal_of_what_it_may_not(stored: Api) -> None:
    path = f"/v1/customers/{stored.ok('POST', '/v1/customers')['id']}"
    reading, lacking = stored.restricted("customer_read"), stored.restricted("charge_read")
    for key in (stored.live_sk, reading, lacking):
        stored.get(path, key=key)  # every valid key is in memory now
    given = [at_once(stored, asked_for, key) for key in (reading, lacking) for asked_for in (path, "/v1/customers")]
    assert [answer and answer.status for answer in given] == [200, 200, 403, 403]
    live = at_once(stored, path, stored.live_sk)
    assert live is not None
    assert (
        live.body.partition(b'"request_log_url"')[0]
        == stored.get(path, key=stored.live_sk).body.partition(b'"request_log_url"')[0]
    )


def test_another_account_is_asked_for_like_on_the_long_way(stored: Api) -> None:
    other = stored.another()
    stored.ok("GET", "/v1/customers")
    refused = at_once(stored, "/v1/customers", **{"stripe-account": other.account})
    assert refused is not None
    assert refused.status == 403
    assert stored.account.encode() not in refused.headers.get("Stripe-Account", "").encode()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/nothing", ""),
        ("/v1/customers", "email=%zz"),
        ("/v1/customers/search", "query=email%3A%22a%22"),
        ("/v1/payment_intents", "limit=100&expand[]=data.customer.default_source&expand[]=data.latest_charge.refunds"),
    ],
)
def test_what_is_unknown_or_takes_long_is_left_to_the_long_way(stored: Api, path: str, query: str) -> None:
    stored.ok("GET", "/v1/customers")
    assert at_once(stored, path, query=query) is None


def test_keys_that_must_be_looked_up_are_left_to_the_long_way(stored: Api) -> None:
    path = f"/v1/customers/{stored.ok('POST', '/v1/customers')['id']}"
    stored.get(path, key=stored.pk)
    for key in (stored.pk, stored.another().sk, stored.sk[:-1] + "!"):
        assert at_once(stored, path, key) is None
    assert stored.world.server.service.at_once(Request("GET", path, b"", {}, b"")) is None


def test_a_read_that_turns_out_to_be_long_is_left_to_the_long_way_for_a_while(
    stored: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.ok("POST", "/v1/products", name="Gold")
    stored.ok("GET", "/v1/products")
    monkeypatch.setattr(sqlite, "BRIEF_ROWS", 1)
    assert at_once(stored, "/v1/products") is None
    monkeypatch.undo()
    assert at_once(stored, "/v1/products") is None
    assert stored.ok("GET", "/v1/products")["data"][0]["name"] == "Gold"


def test_a_rolled_key_is_refused_and_one_over_its_rate_counts_once(stored: Api) -> None:
    path, service = f"/v1/customers/{stored.ok('POST', '/v1/customers')['id']}", stored.world.server.service
    policy, counted = service.policy, list[str]()

    def limit(key: Key) -> bool:
        counted.append(key.id)
        return False

    try:
        service.policy = replace(policy, limit=limit)
        refused = at_once(stored, path)
        assert refused is not None
        assert (refused.status, refused.code, len(counted)) == (429, "rate_limit", 1)
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
    assert at_once(api, "/v1/customers") is None
    assert api.ok("GET", f"/v1/customers/{customer['id']}")["id"] == customer["id"]


# -- on PostgreSQL: without a task too, but later


@pytest.fixture
def away(request: pytest.FixtureRequest) -> Api:
    """A merchant on PostgreSQL, which answers from another process."""
    return Api(request.getfixturevalue("postgres_world"))


def soon(api: Api, request: Request, meanwhile: Callable[[], Any] = lambda: None) -> Response | None:
    """What is given later; None when the long way must be taken. meanwhile: called before the database answers."""

    async def run() -> Response | None:
        found: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(10):
            while not api.world.server.edge.ask(Question("", "SELECT ?", ("",)), lambda value, read: None):
                await asyncio.sleep(0.01)  # the line is being opened
            if not api.world.server.service.soon(request, found.set_result):
                return None
            meanwhile()
            return await found

    return api.world.runner.run(run())


def test_an_object_of_postgresql_is_answered_later_as_on_the_long_way(away: Api) -> None:
    customer = away.ok("POST", "/v1/customers", email="jenny@example.com", metadata={"order": "6735"})
    path = f"/v1/customers/{customer['id']}"
    running = away.world.server.service.admission.running
    for headers in ({}, {"stripe-version": "2024-06-20"}):
        long, short = away.get(path, headers=headers), soon(away, asked(away, path, **headers))
        assert short is not None
        assert (short.status, short.body) == (200, long.body)
        assert {*short.headers} == {"Request-Id", "Stripe-Version"}
    assert away.world.server.service.admission.running == running


def test_an_object_that_postgresql_does_not_have_is_answered_by_the_long_way(away: Api) -> None:
    away.ok("GET", "/v1/customers")  # the key is in memory now
    response = soon(away, asked(away, "/v1/customers/cus_unknown"))
    assert response is not None
    assert (response.status, response.code) == (404, "resource_missing")


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/balance", "/v1/customers/{id}?expand[]=sources", "/v1/none"])
def test_what_is_no_stored_object_is_not_answered_later(away: Api, path: str) -> None:
    customer = away.ok("POST", "/v1/customers")
    path, _, query = path.format(id=customer["id"]).partition("?")
    away.ok("GET", "/v1/customers")
    assert soon(away, asked(away, path, query=query)) is None


@pytest.mark.parametrize("header", ["stripe-account", "stripe-context"])
def test_a_request_for_another_account_is_not_answered_later(away: Api, header: str) -> None:
    other = away.another()
    path = f"/v1/customers/{other.ok('POST', '/v1/customers')['id']}"
    away.ok("GET", "/v1/customers")
    assert soon(away, asked(away, path, **{header: other.account})) is None
    assert away.get(path, headers={header: other.account}).status == 403


def test_a_key_without_permission_is_refused_on_the_long_way(away: Api) -> None:
    assert soon(away, asked(away, "/v1/customers/cus_1", key=away.pk)) is None
    assert soon(away, asked(away, "/v1/customers/cus_1", key="sk_test_unknown")) is None


def test_a_key_that_was_revoked_while_the_database_was_slow_gets_no_object(
    away: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/customers/{away.ok('POST', '/v1/customers')['id']}"
    authority, database = away.core.authority, away.core.database
    key = away.ok("POST", "/v1/api_keys", type="secret", name="short-lived")
    away.get(path, key=key["secret"])  # it is in memory now
    monkeypatch.setattr("tollkey.wire.admission.AGE_SECONDS", -1.0)

    def revoke() -> None:
        scope = Scope(away.account, False)
        database.write(lambda tx: authority.revoke(tx, scope, key["id"], actor=SYSTEM, now=away.world.clock[0]))

    response = soon(away, asked(away, path, key=key["secret"]), meanwhile=revoke)
    assert response is not None
    assert response.status == 401


def test_both_ways_of_an_app_answer_the_same_bytes(away: Api) -> None:
    path = f"/v1/customers/{away.ok('POST', '/v1/customers')['id']}"
    app, headers = WireApp(away.world.server.service), [(b"authorization", f"Bearer {away.sk}".encode())]
    assert soon(away, asked(away, path)) is not None
    given: list[tuple[int, bytes, bytes]] = []

    async def run() -> None:
        assert app.at_once(path.encode(), headers, None, False) is None
        assert app.soon(path.encode(), headers, None, False, given.append)
        async with asyncio.timeout(10):
            while not given:
                await asyncio.sleep(0.001)

    away.world.runner.run(run())
    ((status, lines, body),) = given
    assert (status, body) == (200, away.get(path).body)
    assert b"content-type: application/json\r\n" in lines
    assert b"content-length: %d\r\n" % len(body) in lines
