"""What is kept of deliveries: claims of several servers, resending, failures, forgetting; on both databases."""

from __future__ import annotations

import threading

import pytest

from tests.outbox.conftest import BODY, LIVE, NOW, TEST, Receiver, World
from tollkey.db import Scope, Tx
from tollkey.outbox import UnknownDelivery, attempts, deliveries, enqueue, failing_since, pending, resend
from tollkey.outbox.store import Claim, Result, claim, delete_settled, record


def test_an_event_that_was_rolled_back_is_not_delivered(world: World, receiver: Receiver) -> None:
    endpoint = world.add(receiver.url)

    def work(tx: Tx) -> None:
        enqueue(tx, TEST, "evt_1", "charge.succeeded", BODY, [endpoint], NOW)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        world.database.write(work)
    assert world.deliver() == 0
    assert receiver.got == []


def test_resending_makes_a_new_delivery_of_the_same_body(world: World, receiver: Receiver) -> None:
    (id,) = world.send(world.add(receiver.url))
    world.deliver()
    world.now += 5
    again = world.database.write(lambda tx: resend(tx, TEST, id, world.now))
    assert again != id
    world.deliver()
    assert [body for _, body in receiver.got] == [BODY, BODY]
    assert len(world.database.read(lambda tx: attempts(tx, TEST, id))) == 1


def test_another_scopes_delivery_cannot_be_seen_or_resent(world: World, receiver: Receiver) -> None:
    (id,) = world.send(world.add(receiver.url))
    world.deliver()
    for stranger in (LIVE, Scope("acct_2", False)):
        assert world.database.read(
            lambda tx, s=stranger: (deliveries(tx, s), attempts(tx, s, id), pending(tx, s, "evt_1"))
        ) == ([], [], 0)  # type: ignore[misc]
        with pytest.raises(UnknownDelivery):
            world.database.write(lambda tx, s=stranger: resend(tx, s, id, NOW))  # type: ignore[misc]


def test_an_endpoint_is_failing_since_its_first_failure_after_its_last_success(
    world: World, receiver: Receiver
) -> None:
    endpoint = world.add(receiver.url)

    def since() -> int | None:
        return world.database.read(lambda tx: failing_since(tx, TEST, "we_1"))

    assert since() is None
    for status, after in ((500, 10), (200, 20), (500, 30), (500, 40)):
        receiver.status, world.now = status, NOW + after
        world.send(endpoint, event=f"evt_{after}")
        world.deliver()
        assert since() == {10: NOW + 10, 20: None, 30: NOW + 30, 40: NOW + 30}[after]


def test_old_settled_deliveries_are_forgotten_and_pending_ones_are_not(world: World, receiver: Receiver) -> None:
    world.send(world.add(receiver.url))
    world.deliver()
    receiver.status = 500
    world.send(world.endpoints["we_1"], world.add(receiver.url, "we_2"), event="evt_2")
    world.deliver()
    assert world.database.write(lambda tx: delete_settled(tx, NOW)) == 0
    assert world.database.write(lambda tx: delete_settled(tx, NOW + 1)) == 1
    assert [d.event_id for d in world.database.read(lambda tx: deliveries(tx, TEST))] == ["evt_2", "evt_2"]
    assert world.database.read(lambda tx: tx.execute("SELECT event FROM outbox_messages")) == [("evt_2",)]


def taken(world: World, now: int, lease: str, limit: int = 10, busy: tuple[str, ...] = ()) -> list[Claim]:
    return world.database.write(lambda tx: claim(tx, now, lease, now + 60, limit, busy))


def test_a_delivery_is_claimed_by_one_server_until_its_lease_ends(world: World) -> None:
    world.send(world.add("http://x"))
    assert len(taken(world, NOW, "first")) == 1
    assert taken(world, NOW + 59, "second") == []
    assert len(taken(world, NOW + 60, "third")) == 1


def test_who_lost_the_lease_records_nothing(world: World) -> None:
    (id,) = world.send(world.add("http://x"))
    (late,) = taken(world, NOW, "first")
    (timely,) = taken(world, NOW + 60, "second")
    result = Result(NOW, True, 200, "", None, 1)
    assert world.database.write(lambda tx: record(tx, timely, result, "delivered", None))
    assert not world.database.write(lambda tx: record(tx, late, result, "pending", NOW))
    assert world.database.read(lambda tx: deliveries(tx, TEST))[0].state == "delivered"
    assert len(world.database.read(lambda tx: attempts(tx, TEST, id))) == 1


def test_many_servers_at_once_share_the_work_without_overlap(world: World) -> None:
    world.send(*(world.add("http://x", f"we_{number}") for number in range(40)))
    found: list[int] = []
    lock = threading.Lock()

    def serve(name: str) -> None:
        while mine := taken(world, NOW, name, 3):
            with lock:
                found.extend(one.id for one in mine)

    threads = [threading.Thread(target=serve, args=(f"server_{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A server may come away empty while others hold rows; what counts is that nothing was taken twice.
    found += [one.id for one in taken(world, NOW, "last", 40)]
    assert sorted(found) == sorted(set(found))
    assert len(found) == 40


def test_a_busy_endpoint_is_left_alone(world: World) -> None:
    world.send(world.add("http://x", "we_slow"), world.add("http://x", "we_quick"))
    assert [one.endpoint_id for one in taken(world, NOW, "first", busy=("we_slow",))] == ["we_quick"]
