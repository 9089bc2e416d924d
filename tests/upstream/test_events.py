"""Events of an upstream account: delivered once each to the webhook endpoints of this server, signed anew."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.receiver import Receiver, receiver
from tests.upstream.conftest import Asked, There
from tollkey.db import Scope
from tollkey.outbox.signature import ValidSignature, sign, verify
from tollkey.upstream import hooks
from tollkey.upstream.events import PATH

__all__ = ["receiver"]

SECRET, OLDER = ("_".join(("whsec", "0123456789abcdef" * 2)), "_".join(("whsec", "fedcba9876543210" * 2)))


def event(id: str, type: str = "customer.created", **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "object": "event",
        "type": type,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
        **more,
    }


@pytest.fixture
def hook(api: Api, there: There) -> hooks.Hook:
    """The address that the upstream account sends the merchant's events to."""
    scope, keyring, ids = Scope(api.account, False), api.core.authority.keyring, api.core.setup.ids

    def work(tx: Any) -> hooks.Hook:
        made = hooks.make(tx, keyring, ids, scope, api.now)
        hooks.add_secret(tx, keyring, made, SECRET)
        return hooks.make(tx, keyring, ids, scope, api.now)

    return api.core.database.write(work)


def send(api: Api, path: str, body: bytes, signature: str, method: str = "POST") -> tuple[int, Any]:
    """Send a request to the whole server."""
    said: list[Any] = []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop(0)

    async def answer(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"stripe-signature", signature.encode()), (b"content-length", b"%d" % len(body))],
    }  # fmt: skip
    api.world.runner.run(api.world.server.app(scope, receive, answer))
    return said[0]["status"], json.loads(said[1]["body"])


def arrive(api: Api, hook: hooks.Hook, value: dict[str, Any], secret: str = SECRET) -> int:
    body = json.dumps(value).encode()
    return send(api, f"{PATH}{hook.token}", body, sign(body, [secret], api.now))[0]


def endpoint(api: Api, receiver: Receiver, *types: str) -> dict[str, Any]:
    """A webhook endpoint of this server."""
    return api.ok("POST", "/v1/webhook_endpoints", url=receiver.url, enabled_events=list(types) or ["*"])


def test_an_event_is_delivered_once_and_signed_with_the_secret_of_the_local_endpoint(
    api: Api, there: There, hook: hooks.Hook, receiver: Receiver
) -> None:
    made = endpoint(api, receiver, "customer.created")
    assert there.got == []  # the endpoint was made here
    value = event("evt_1")
    assert [arrive(api, hook, value), arrive(api, hook, value)] == [200, 200]
    assert arrive(api, hook, event("evt_2", "charge.succeeded")) == 200
    api.deliver()
    ((headers, body),) = receiver.got
    assert json.loads(body) == value
    signature = headers["Stripe-Signature"]
    assert isinstance(verify(body, signature, made["secret"], api.now), ValidSignature)
    assert not isinstance(verify(body, signature, SECRET, api.now), ValidSignature)


def test_an_event_without_a_valid_signature_is_refused(api: Api, hook: hooks.Hook, receiver: Receiver) -> None:
    endpoint(api, receiver)
    body = json.dumps(event("evt_1")).encode()
    path = f"{PATH}{hook.token}"
    for signature in (
        "", "t=1,v1=00", sign(body, [OLDER], api.now), sign(body, [SECRET], api.now - 301),
        sign(body + b" ", [SECRET], api.now),
    ):  # fmt: skip
        assert send(api, path, body, signature)[0] == 400
    assert send(api, f"{PATH}nothing", body, sign(body, [SECRET], api.now))[0] == 404
    assert send(api, PATH, body, sign(body, [SECRET], api.now))[0] == 404
    assert send(api, path, body, sign(body, [SECRET], api.now), "GET")[0] == 405
    for rubbish in (b"", b"[]", b'{"id": "evt_1"}', b"\xff", b'{"id": 1, "type": "x"}'):
        assert send(api, path, rubbish, sign(rubbish, [SECRET], api.now))[0] == 400
    long = b" " * (1024 * 1024 + 1)
    assert send(api, path, long, sign(long, [SECRET], api.now))[0] == 413
    api.deliver()
    assert receiver.got == []


@pytest.mark.parametrize("token", ["\0", "x\0", "\ud800", "é", "x/y", "", "x" * 60_000])
def test_an_address_of_another_form_is_none(api: Api, hook: hooks.Hook, token: str) -> None:
    """PostgreSQL takes neither the character NUL nor half a character."""
    path = PATH + token
    said: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def answer(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": b"", "query_string": b"", "headers": []}
    api.world.runner.run(api.world.server.events(scope, receive, answer))
    assert said[0]["status"] == 404


def test_both_secrets_are_valid_while_the_upstream_account_rolls_its_own(api: Api, hook: hooks.Hook) -> None:
    keyring, database = api.core.authority.keyring, api.core.database
    database.write(lambda tx: hooks.add_secret(tx, keyring, hook, OLDER))
    assert [arrive(api, hook, event("evt_1"), SECRET), arrive(api, hook, event("evt_2"), OLDER)] == [200, 200]
    for number in range(2):
        found = database.read(lambda tx: hooks.of_token(tx, keyring, hook.token))
        assert found is not None
        database.write(lambda tx, found=found, n=number: hooks.add_secret(tx, keyring, found, f"{SECRET}{n}"))  # type: ignore[misc]
    assert arrive(api, hook, event("evt_3"), SECRET) == 400


def test_secrets_are_sealed_and_not_in_any_representation(api: Api, hook: hooks.Hook) -> None:
    rows = api.core.database.read(
        lambda tx: tx.execute("SELECT * FROM upstream_hooks WHERE account = ?", (api.account,))
    )
    assert SECRET not in str(rows)
    assert SECRET not in repr(hook)


def listed(there: There, events: list[dict[str, Any]]) -> list[str]:
    """Let the server elsewhere list these events, the newest first. Returns the queries that it gets."""
    asked_for: list[str] = []

    def answer(asked: Asked) -> None:
        query = asked.line.split()[1].partition("?")[2]
        asked_for.append(query)
        given = dict(pair.split("=") for pair in query.split("&"))
        ids = [one["id"] for one in events]
        end = ids.index(given["ending_before"]) if "ending_before" in given else len(ids)
        limit = int(given["limit"])
        start = max(0, end - limit) if "ending_before" in given else 0
        page = events[start:end][:limit]
        there.body = json.dumps({"object": "list", "data": page, "has_more": start > 0}).encode()

    there.before = answer
    return asked_for


def test_what_did_not_arrive_is_asked_for_and_delivered_once_oldest_first(
    api: Api, there: There, hook: hooks.Hook, receiver: Receiver
) -> None:
    endpoint(api, receiver)
    catch_up = api.world.server.events.catch_up
    events = [event("evt_old")]
    asked_for = listed(there, events)
    api.world.runner.run(catch_up())
    assert asked_for == ["limit=1"]
    events[:0] = [event(f"evt_{number:03}") for number in range(149, -1, -1)]
    assert arrive(api, hook, event("evt_140")) == 200

    async def twice_at_once() -> None:
        await asyncio.gather(catch_up(), catch_up())

    api.world.runner.run(twice_at_once())
    find = "SELECT event FROM outbox_deliveries WHERE account = ? ORDER BY id"
    rows = api.core.database.read(lambda tx: tx.execute(find, (api.account,)))
    assert [id for (id,) in rows] == ["evt_140", *(f"evt_{n:03}" for n in range(150) if n != 140)]
    api.deliver()
    got = sorted(json.loads(body)["id"] for _, body in receiver.got)
    assert got == [f"evt_{number:03}" for number in range(150)]
    api.world.runner.run(catch_up())
    api.deliver()
    assert len(receiver.got) == 150


def test_after_an_event_that_cannot_be_found_any_more_the_newest_is_noted_again(
    api: Api, there: There, hook: hooks.Hook, receiver: Receiver
) -> None:
    endpoint(api, receiver)
    events = [event("evt_0")]
    asked_for, catch_up = listed(there, events), api.world.server.events.catch_up
    api.world.runner.run(catch_up())
    there.status = 400
    api.world.runner.run(catch_up())
    there.status = 200
    events.insert(0, event("evt_1"))
    api.world.runner.run(catch_up())
    events.insert(0, event("evt_2"))
    api.world.runner.run(catch_up())
    api.deliver()
    assert asked_for == ["limit=1", "limit=100&ending_before=evt_0", "limit=1", "limit=100&ending_before=evt_1"]
    assert [json.loads(body)["id"] for _, body in receiver.got] == ["evt_2"]


def test_an_upstream_account_that_cannot_be_asked_is_asked_again_later(
    api: Api, there: There, hook: hooks.Hook, receiver: Receiver
) -> None:
    endpoint(api, receiver)
    events = [event("evt_0")]
    listed(there, events)
    catch_up = api.world.server.events.catch_up
    api.world.runner.run(catch_up())
    events.insert(0, event("evt_1"))
    there.fails = ["cut"]
    api.world.runner.run(catch_up())
    there.status = 500
    api.world.runner.run(catch_up())
    there.status = 200
    api.world.runner.run(catch_up())
    api.deliver()
    assert [json.loads(body)["id"] for _, body in receiver.got] == ["evt_1"]


def test_events_are_not_received_without_an_upstream_account(api: Api, there: There, hook: hooks.Hook) -> None:
    assert arrive(api, hook, event("evt_1")) == 200
    api.core.database.write(lambda tx: hooks.delete(tx, hook.scope))
    assert arrive(api, hook, event("evt_2")) == 404
