"""What is kept of deliveries: resending, failures, forgetting; on both databases."""

from __future__ import annotations

import pytest

from tests.outbox.conftest import BODY, LIVE, NOW, TEST, Receiver, World
from tollkey.db import Scope, Tx
from tollkey.outbox import UnknownDelivery, attempts, deliveries, enqueue, failing_since, pending, resend
from tollkey.outbox.store import delete_settled


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
