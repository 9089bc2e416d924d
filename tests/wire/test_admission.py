"""What a request waits for is bounded: others, its own time, and how old the verdict on its key is."""

from __future__ import annotations

import asyncio
import itertools
import threading
from functools import partial
from typing import Any

import pytest

from tests.support.api import Api
from tollkey.db import Scope, SQLite, StorageError, Tx
from tollkey.db.engine import LockTimeout, OutcomeUnknown
from tollkey.db.queued import Outcome, QueuedWrite
from tollkey.keys import Denied, Key, Reason
from tollkey.keys.actors import SYSTEM
from tollkey.wire import admission, refusals, service
from tollkey.wire.admission import AGE_SECONDS, Admission, Recheck
from tollkey.wire.errors import ApiError
from tollkey.wire.idempotency import InFlight
from tollkey.wire.messages import Incoming, Request


def test_a_request_that_finds_the_queue_full_gets_503_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.world.server.service, "admission", Admission(0, 30))
    search = "query=email:'a'"
    for method, path, query in (("GET", "/v1/customers/search", search), ("POST", "/v1/customers", "")):
        answer = api.send(method, path, query=query)
        assert (answer.status, answer.error["type"]) == (503, "api_error")
        assert answer.headers["retry-after"] == "1"
    monkeypatch.undo()
    assert api.get("/v1/customers")["data"] == []


def test_the_queue_lets_in_as_many_as_it_may_and_again_when_they_are_done() -> None:
    async def run() -> None:
        queue, ends = Admission(2, 30), asyncio.Event()
        waiting = [asyncio.create_task(queue.run(ends.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as refused:
            await queue.run(ends.wait)
        assert refused.value.status == 503
        ends.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await queue.run(ends.wait)

    asyncio.run(run())


@pytest.mark.parametrize(("writes", "said"), [(False, "Nothing was changed."), (True, "is not known")])
def test_a_request_whose_time_is_over_gets_503_and_says_what_is_known_of_its_change(writes: bool, said: str) -> None:
    async def run() -> None:
        queue = Admission(1, 0)
        with pytest.raises(ApiError, match=said) as late:
            await queue.run(asyncio.Event().wait, writes=writes)
        assert (late.value.status, late.value.headers) == (503, {"Retry-After": "1"})
        for _ in range(3):
            await asyncio.sleep(0)
        assert queue.running == 0

    asyncio.run(run())


def test_a_write_that_goes_on_after_its_time_is_counted_and_has_its_idempotency_key_until_it_ends() -> None:
    scope = Scope("acct_1", False)

    async def run() -> None:
        queue, keys, outcome = Admission(1, 0), InFlight(), Outcome()
        QueuedWrite(lambda tx: None, outcome).begin()

        async def write() -> object:
            return await outcome

        with pytest.raises(ApiError, match="is not known"):
            await queue.run(lambda: keys.run(write, scope, "k"), writes=True)
        for _ in range(3):
            await asyncio.sleep(0)
        assert queue.running == 1
        with pytest.raises(ApiError) as full:
            await queue.run(write)
        assert full.value.status == 503
        with pytest.raises(ApiError) as used:
            await keys.run(write, scope, "k")
        assert (used.value.status, used.value.code) == (409, "idempotency_key_in_use")
        outcome.set_exception(StorageError("of the disk"))
        for _ in range(3):
            await asyncio.sleep(0)
        assert queue.running == 0
        done = asyncio.get_running_loop().create_future()
        done.set_result("again")
        assert await keys.run(lambda: done, scope, "k") == "again"

    asyncio.run(run())


def held_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Hold up the commit of the next writes: whether one has begun, and what lets them end."""
    begun, going, database = threading.Event(), threading.Event(), api.core.database
    name = "fsync" if isinstance(database, SQLite) else "write"
    real = getattr(database, name)

    def wait(*given: object) -> object:
        begun.set()
        assert going.wait(20)
        return real(*given)

    monkeypatch.setattr(database, name, wait)
    return begun, going


def test_a_repetition_learns_the_truth_of_a_request_whose_time_was_over(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.ok("GET", "/v1/customers")  # the key is known by now
    service = api.world.server.service

    def asked(number: int) -> Request:
        headers = {"authorization": f"Bearer {api.sk}", "idempotency-key": f"late-{number}"}
        return Request("POST", "/v1/customers", b"", headers, b"", "127.0.0.1")

    async def late_one() -> int:
        """The number of a request that was answered 503 while its transaction was being committed."""
        for number in itertools.count():
            queue = Admission(1000, 0.01 * 2**number)
            monkeypatch.setattr(service, "admission", queue)
            assert (await service.answer(asked(number))).status == 503
            while queue.running and not begun.is_set():
                await asyncio.sleep(0.001)
            if queue.running:  # it was not cancelled in time, so it goes on
                return number
        raise AssertionError

    async def run() -> tuple[list[tuple[int, bool]], int]:
        number = await late_one()
        late = service.admission
        monkeypatch.setattr(service, "admission", Admission(1000, 30))
        answers, counted = [await service.answer(asked(number))], late.running
        going.set()
        while late.running:
            await asyncio.sleep(0.001)
        answers += [await service.answer(asked(number)) for _ in range(2)]
        return [(one.status, "Idempotent-Replayed" in one.headers) for one in answers], counted

    begun, going = held_up(api, monkeypatch)
    answers, counted = api.world.runner.run(run())
    assert (answers, counted) == ([(409, False), (200, True), (200, True)], 1)
    assert len(api.get("/v1/customers")["data"]) == 1


def test_a_time_out_of_the_work_itself_is_no_deadline() -> None:
    async def late() -> None:
        raise TimeoutError("of a socket")

    with pytest.raises(TimeoutError, match="of a socket"):
        asyncio.run(Admission(1, 30).run(late))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(LockTimeout("x"), 429, "lock_timeout"), (OutcomeUnknown("x"), 503, None), (StorageError("x"), 503, None)],
)
def test_a_lock_that_another_request_holds_is_told_from_a_database_that_fails(
    error: StorageError, status: int, code: str | None
) -> None:
    refused = refusals.storage_failed(error)
    assert (refused.status, refused.code, refused.retry) == (status, code, True)
    assert ("nothing was changed" in refused.message) is (type(error) is StorageError)


def known(api: Api) -> int:
    """How many customers the merchant has."""
    customers = api.core.setup.tables.of["customer"]
    return api.core.database.read(lambda tx: customers.count(tx, Scope(api.account, False)))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/customers/{id}"),
        ("GET", "/v1/customers"),
        ("POST", "/v1/customers"),
        ("POST", "/v1/customers/{id}"),
    ],
)
def test_a_key_that_was_revoked_while_its_request_waited_gets_no_data(
    api: Api, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = api.ok("POST", "/v1/customers", email="jenny@example.com")
    path = path.format(id=customer["id"])
    monkeypatch.setattr(service, "Recheck", partial(Recheck, monotonic=lambda: 0.0))
    assert api.send(method, path).status == 200  # the key is in memory now
    revoke = "UPDATE api_keys SET revoked_at = ?, sealed = NULL WHERE account = ? AND livemode = ? AND kind = 'secret'"
    api.core.database.write(lambda tx: tx.execute(revoke, (api.now, api.account, False)))  # not announced yet
    assert api.send(method, path).status == 200
    monkeypatch.setattr(admission, "AGE_SECONDS", -1.0)  # each verdict is too old
    before = known(api)
    answer = api.send(method, path)
    assert (answer.status, answer.error["code"]) == (401, "api_key_expired")
    assert known(api) == before


def test_a_key_is_verified_again_only_when_the_verdict_is_too_old(api: Api) -> None:
    now, verified = [0.0], []
    (key,) = api.core.database.read(lambda tx: api.core.authority.list(tx, Scope(api.account, False), kind="secret"))

    def verify(tx: Tx) -> Key | Denied | None:
        verified.append(now[0])
        return key if len(verified) == 1 else Denied(Reason.revoked, key.masked, key) if len(verified) == 2 else None

    recheck = Recheck(verify, lambda: now[0])
    read = api.core.database.read
    read(recheck)
    assert verified == []
    now[0] = AGE_SECONDS + 0.01
    read(recheck)
    read(recheck)
    assert verified == [now[0]]
    now[0] = 1
    for _ in ("revoked", "gone"):
        with pytest.raises(ApiError, match="Expired API Key"):
            read(recheck)


def test_a_key_that_ends_while_its_body_arrives_changes_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = api.ok("POST", "/v1/customers", email="jenny@example.com")["id"]
    phone = api.post("/v1/ephemeral_keys", customer=customer, headers={"Stripe-Version": "2020-08-27"})["secret"]
    page = "/" + api.ok("POST", "/v1/billing_portal/sessions", customer=customer)["url"].split("/", 3)[3]
    now = [0.0]
    monkeypatch.setattr(service, "Recheck", partial(Recheck, monotonic=lambda: now[0]))
    ended = "UPDATE api_keys SET expires_at = ? WHERE account = ?"  # not announced yet

    def status(path: str, key: str | None, body: str) -> int:
        async def receive() -> dict[str, object]:
            now[0] += 1.0
            api.core.database.write(lambda tx: tx.execute(ended, (api.now, api.account)))
            return {"type": "http.request", "body": body.encode(), "more_body": False}

        sent = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        sent |= {} if key is None else {"authorization": f"Bearer {key}"}
        request = Request("POST", path, b"", sent, incoming=Incoming(receive, sent), ip="127.0.0.1")
        found = api.world.runner.run(api.world.server.service.answer(request)).status
        api.core.database.write(
            lambda tx: tx.execute("UPDATE api_keys SET expires_at = NULL WHERE account = ?", (api.account,))
        )
        return found

    before = known(api)
    assert {
        "secret": status("/v1/customers", api.sk, "name=x"),
        "publishable": status("/v1/tokens", api.pk, "pii[id_number]=000000000"),
        "in a form": status("/v1/tokens", None, f"key={api.pk}&pii[id_number]=000000000"),
        "ephemeral": status(f"/v1/customers/{customer}", phone, "shipping[name]=x&shipping[address][line1]=x"),
        "a page": status(f"{page}/details", None, "email=other%40example.com"),
    } == {"secret": 401, "publishable": 401, "in a form": 401, "ephemeral": 401, "a page": 404}
    assert known(api) == before


@pytest.mark.parametrize(
    "change", [{"permissions": ("customer_read",)}, {"metadata": {"cap_amount": "usd:1"}}, {"permissions": ()}]
)
def test_a_key_that_may_do_less_once_its_body_has_arrived_changes_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    scope, authority, now = Scope(api.account, False), api.core.authority, [0.0]
    key = api.restricted("customer_write")
    monkeypatch.setattr(service, "Recheck", partial(Recheck, monotonic=lambda: now[0]))
    (found,) = api.core.database.read(lambda tx: authority.list(tx, scope, kind="restricted"))

    async def receive() -> dict[str, object]:
        now[0] += 1.0
        api.core.database.write(lambda tx: authority.update(tx, scope, found.id, actor=SYSTEM, now=api.now, **change))
        return {"type": "http.request", "body": b"name=x", "more_body": False}

    sent = {
        "content-type": "application/x-www-form-urlencoded",
        "content-length": "6",
        "authorization": f"Bearer {key}",
    }
    request = Request("POST", "/v1/customers", b"", sent, incoming=Incoming(receive, sent), ip="127.0.0.1")
    before = known(api)
    assert api.world.runner.run(api.world.server.service.answer(request)).status == 403
    assert known(api) == before
