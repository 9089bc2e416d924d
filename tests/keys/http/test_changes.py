"""The stream of changes: every change in order, silence when it cannot be known, and no listener without permission."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.keys.http.conftest import Declare, Open, Start, Web, connect
from tollkey.db import StorageError
from tollkey.keys.http import SERVICE_ACCOUNT, changes
from tollkey.keys.lease import Lease

CHANGES = "/v1/keys/changes"


@pytest.fixture(autouse=True)
def ticks_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "TICK_SECONDS", 1e-9)


async def settle(web: Web) -> None:
    """Wait until every listener has said what there is to say and waits for the next step."""
    stream = web.app.server.changes
    while len(stream.turn._waiters) < stream._listeners.total():  # type: ignore[attr-defined]
        await asyncio.sleep(0.001)


async def step(web: Web) -> None:
    """One step of the node, with announcements that arrive."""
    lease = web.keys.verifier.lease
    if web.keys.database.dialect == "sqlite":
        lease.expire()  # so that the poll is not taken to be too early
    else:
        lease.renew(time.monotonic())  # what the listening thread does four times a second
    await web.app.server.changes.step()
    await settle(web)


async def opened(web: Web, key: str, target: str = CHANGES, headers: dict[str, str] | None = None) -> Open:
    """A stream that has begun, or an answer."""
    listeners = web.app.server.changes._listeners
    stream, before = await connect(web.app, target, key, headers), listeners.total()
    while web.app.server.changes._listeners.total() == before and not stream.task.done():
        await asyncio.sleep(0.001)
    await settle(web)
    return stream


def listening(web: Web, work: Callable[[Open], Coroutine[Any, Any, None]], target: str = CHANGES, **given: Any) -> None:
    """Run a test within an open stream."""

    async def main() -> None:
        stream = await opened(web, web.admin, target, **given)
        try:
            await work(stream)
        finally:
            stream.hang_up.set()
            await asyncio.wait_for(stream.task, 5)

    web.run(main())


def test_a_new_listener_drops_what_it_has_and_then_hears_of_each_change(web: Web) -> None:
    key, _ = web.keys.create(account="cus_1")

    async def work(stream: Open) -> None:
        await step(web)
        first = stream.drain()
        assert [name for name, _ in first] == ["reset", "tick"]
        changed = await asyncio.to_thread(web.keys.update, key, name="other")
        await step(web)
        events = stream.drain()
        assert events[0] == ("change", {"id": key.id, "version": changed.version})
        assert [name for name, _ in events] == ["change", "tick"]
        assert stream.answer.headers["content-type"] == "text/event-stream"
        await step(web)
        ((name, tick),) = stream.drain()
        assert (name, set(tick)) == ("tick", {"position", "at"})
        await step(web)
        ((_, later),) = stream.drain()
        assert 0 < later["at"] - tick["at"] < 60

    listening(web, work)


def test_a_client_goes_on_at_another_node_where_it_stopped(start: Start) -> None:
    first, second = start(), start()
    keys = [first.keys.create(account="cus_1")[0] for _ in range(3)]
    first.run(step(first))
    position = first.app.server.changes.text(first.app.server.changes.position)
    for key in keys:
        first.keys.revoke(key)

    async def work(stream: Open) -> None:
        await step(second)
        assert stream.drain()[:-1] == [("change", {"id": key.id, "version": 2}) for key in keys]

    listening(second, work, f"{CHANGES}?after={position}")
    listening(second, work, CHANGES, headers={"last-event-id": position})


def test_a_gap_that_is_too_long_another_server_s_position_and_a_future_one_reset(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "KEPT", 2)
    stream = web.app.server.changes
    key, _ = web.keys.create(account="cus_1")
    web.run(step(web))
    old = stream.text(0)
    for name in "abc":
        web.keys.update(key, name=name)
    stream._floor = stream.position  # as after a restart: nothing is in memory
    for position in (old, "0-00000000", "garbage", stream.text(10**6), "-1", "9" * 40 + old[1:]):

        async def work(listener: Open) -> None:
            await step(web)
            assert listener.names[0] == "reset"

        listening(web, work, f"{CHANGES}?after={position}")


def test_there_is_no_tick_while_announcements_do_not_arrive_or_the_log_cannot_be_read(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(stream: Open) -> None:
        await step(web)
        stream.drain()
        with monkeypatch.context() as deaf:
            deaf.setattr(Lease, "renew", lambda *_: None)
            await step(web)
            await step(web)
            assert stream.drain() == []
        with monkeypatch.context() as away:

            def fails(*_: Any) -> Any:
                raise StorageError("away")

            web.app.server.changes._announced = True
            away.setattr(changes, "changes_after", fails)
            await step(web)
            assert stream.drain() == []
        await step(web)
        assert [name for name, _ in stream.drain()] == ["tick"]

    listening(web, work)


def test_a_change_is_told_by_the_other_node_too(start: Start) -> None:
    first, second = start(), start()
    key, _ = first.keys.create(account="cus_1")

    async def work(stream: Open) -> None:
        await step(second)
        stream.drain()
        await asyncio.to_thread(first.keys.revoke, key)
        for _ in range(200):  # PostgreSQL delivers the announcement to the listening thread
            await step(second)
            if "change" in stream.names:
                break
            await asyncio.sleep(0.001)
        assert ("change", {"id": key.id, "version": 2}) in stream.drain()

    listening(second, work)


def test_a_key_revoked_at_one_node_is_refused_by_the_other_as_soon_as_it_is_told(start: Start) -> None:
    first, second = start(), start()
    made = first.post("/v1/keys", {"account": "cus_1"}).json
    ask = {"key": made["secret"]}
    assert second.post("/v1/keys/verify", ask).json["code"] == "valid"
    assert second.post("/v1/keys/verify", ask).json["code"] == "valid"  # from memory
    first.post(f"/v1/keys/{made['id']}/revoke")
    assert first.post("/v1/keys/verify", ask).json["code"] == "revoked"
    codes = []
    for _ in range(500):  # PostgreSQL delivers the announcement to the listening thread
        second.run(step(second))
        codes.append(second.post("/v1/keys/verify", ask).json["code"])
        if codes[-1] != "valid":
            break
    assert codes[-1] == "revoked"


@pytest.mark.parametrize("how", ["revoke", "permissions"])
def test_a_listener_whose_key_ended_or_lost_its_permission_is_closed_at_the_next_step(web: Web, how: str) -> None:
    key, text = web.service_key("key_verify_write")
    own = web.app.server.callers.keys

    async def main() -> None:
        stream = await opened(web, text)
        await step(web)
        assert not stream.task.done()
        if how == "revoke":
            await asyncio.to_thread(own.revoke, key)
        else:
            await asyncio.to_thread(lambda: own.update(key, permissions=["usage_read"]))
        await step(web)
        await asyncio.wait_for(stream.task, 5)

    web.run(main())
    assert web.app.server.changes._listeners.total() == 0


def test_a_key_without_the_permission_hears_nothing(web: Web) -> None:
    assert web.get(CHANGES, key=web.service_key("usage_read")[1]).error == (403, "insufficient_scope")


def test_the_number_of_listeners_is_limited_for_a_key_and_in_total(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    other = web.app.server.callers.keys.create(kind="secret", account=SERVICE_ACCOUNT)[1]

    async def work(stream: Open) -> None:
        monkeypatch.setattr(changes, "MOST_LISTENERS_OF_KEY", 1)
        refused = await opened(web, web.admin)
        await asyncio.wait_for(refused.task, 5)
        assert refused.answer.error == (429, "too_many_listeners")
        monkeypatch.setattr(changes, "MOST_LISTENERS", 1)
        refused = await opened(web, other)
        await asyncio.wait_for(refused.task, 5)
        assert refused.answer.error == (503, "too_many_listeners")
        assert refused.answer.headers["retry-after"] == "5"

    listening(web, work)
    assert web.app.server.changes._listeners.total() == 0


def poll(web: Web, query: str = "", during: Callable[[], object] | None = None) -> Any:
    """The answer to a long poll, during which something happens."""

    async def main() -> Any:
        stream = await opened(web, web.admin, f"{CHANGES}{query}", {"accept": "application/json"})
        if during is not None:
            await asyncio.to_thread(during)
        await step(web)
        await asyncio.wait_for(stream.task, 5)
        return stream.answer

    return web.run(main())


def test_a_long_poll_answers_at_the_first_change(web: Web) -> None:
    key, _ = web.keys.create(account="cus_1")
    first = poll(web)
    assert (first.json["reset"], first.json["changes"]) == (True, [])
    position = first.json["position"]
    answer = poll(web, f"?after={position}", lambda: web.keys.revoke(key))
    assert (answer.json["reset"], answer.json["changes"]) == (False, [{"id": key.id, "version": 2}])
    again = poll(web, f"?after={answer.json['position']}&wait=0")
    assert (again.json["changes"], again.json["position"]) == ([], answer.json["position"])


def test_a_long_poll_never_claims_that_nothing_changed_without_knowing(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = poll(web).json["position"]
    monkeypatch.setattr(Lease, "renew", lambda *_: None)
    monkeypatch.setattr("tollkey.keys.http.streaming._TICK_SECONDS", 0.01)
    assert poll(web, f"?after={position}&wait=0").error == (503, "unavailable")


def test_what_a_long_poll_does_not_take(web: Web) -> None:
    assert web.get(f"{CHANGES}?wait=21", headers={"Accept": "application/json"}).error[0] == 400
    assert web.get(f"{CHANGES}?wait=1").error == (400, "parameter_unknown")
    assert web.call("HEAD", CHANGES).headers["content-type"] == "text/event-stream"


def test_a_stopping_server_ends_its_streams_and_takes_no_more(web: Web) -> None:
    async def main() -> None:
        stream = await opened(web, web.admin)
        web.app.stop_accepting()
        await asyncio.wait_for(stream.task, 5)

    web.run(main())
    assert web.get(CHANGES).error == (503, "unavailable")
    assert web.get("/readyz", key=None).error == (503, "unavailable")


def test_the_following_task_wakes_at_a_change_and_ends_with_the_server(web: Web) -> None:
    async def main() -> None:
        task = asyncio.create_task(web.app.server.changes.run())
        stream = await opened(web, web.admin)
        key, _ = await asyncio.to_thread(web.keys.create)
        await asyncio.to_thread(web.keys.revoke, key)
        async with asyncio.timeout(5):
            while "change" not in stream.names:
                await asyncio.sleep(0.001)
        web.app.stop_accepting()
        await asyncio.wait_for(task, 5)
        await asyncio.wait_for(stream.task, 5)

    web.run(main())


def test_a_plan_that_changes_is_a_change_of_all_keys_of_its_account(declare: Declare) -> None:
    web = declare('[plans.paid]\nrate = "100/minute"\n')
    mine = [web.keys.create(account="a").key for _ in range(3)]
    web.keys.create(account="a", livemode=False)
    web.keys.create(account="b")

    async def hears(stream: Open) -> None:
        stream.drain()
        web.keys.set_plan("a", "paid")
        await step(web)
        changed = [data["id"] for name, data in stream.events if name == "change"]
        assert changed == [key.id for key in mine]
        ids = [line for line in stream.answer.body.decode().splitlines() if line.startswith("id: ")]
        places = [int(line[4:].partition("-")[0]) for line in ids]
        assert places[:3] == [places[2] - 1, places[2] - 1, places[2]]  # who is cut off in between hears all again

    listening(web, hears)


def test_a_plan_of_more_keys_than_are_kept_is_a_reset_and_reads_no_more_keys(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = declare('[plans.paid]\nrate = "100/minute"\n')
    monkeypatch.setattr(changes, "KEPT", 3)
    stream = web.app.server.changes
    stream._recent = deque(maxlen=changes.KEPT)
    for _ in range(6):
        web.keys.create(account="a")

    async def hears(listener: Open) -> None:
        await step(web)
        listener.drain()
        web.keys.set_plan("a", "paid")
        found, _ = await stream._after(stream.position, 1_000)
        assert len(found) == changes.KEPT + 1
        await step(web)
        assert listener.names[0] == "reset"
        assert "change" not in listener.names

    listening(web, hears)
