"""Deliveries are claimed with leases by several servers, and their results recorded many at once; on both databases."""

from __future__ import annotations

import threading
from collections import Counter

from tests.outbox.conftest import NOW, TEST, World
from tollkey.outbox import attempts, deliveries
from tollkey.outbox.claims import Attempt, Claim, claim, record, waiting
from tollkey.outbox.store import Result


def taken(world: World, now: int, lease: str, limit: int = 10) -> list[Claim]:
    """Claim as a server does that may have so many attempts of each endpoint."""
    endpoints = world.database.read(lambda tx: waiting(tx, now))
    return world.database.write(lambda tx: claim(tx, now, lease, now + 60, dict.fromkeys(endpoints, limit)))


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
    assert world.database.write(lambda tx: record(tx, [Attempt(timely, result, "delivered", None)])) != []
    assert world.database.write(lambda tx: record(tx, [Attempt(late, result, "pending", NOW)])) == []
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


def test_as_many_deliveries_of_each_endpoint_are_claimed_as_it_has_room_for_the_oldest_first(world: World) -> None:
    quick, slow = world.add("http://x", "we_quick"), world.add("http://x", "we_slow")
    for number in range(5):
        world.send(quick, slow, event=f"evt_{number}")
    most = {"we_quick": 3, "we_slow": 1}
    claims = world.database.write(lambda tx: claim(tx, NOW, "lease", NOW + 60, most))
    found = [(one.endpoint_id, one.event_id) for one in claims]
    assert sorted(found) == [("we_quick", "evt_0"), ("we_quick", "evt_1"), ("we_quick", "evt_2"), ("we_slow", "evt_0")]


def test_endpoints_wait_until_their_deliveries_are_due_and_not_claimed(world: World) -> None:
    world.send(*(world.add("http://x", f"we_{name}") for name in "abc"))
    world.database.write(lambda tx: claim(tx, NOW, "lease", NOW + 60, {"we_b": 1}))
    assert world.database.read(lambda tx: waiting(tx, NOW - 1)) == []
    assert world.database.read(lambda tx: waiting(tx, NOW)) == ["we_a", "we_c"]
    assert world.database.read(lambda tx: waiting(tx, NOW + 60)) == ["we_a", "we_b", "we_c"]


def test_attempts_of_all_results_are_recorded_together(world: World) -> None:
    world.send(*(world.add("http://x", f"we_{number}") for number in range(250)))
    claims = taken(world, NOW, "lease")
    good, bad = Result(NOW, True, 200, "ok", None, 1), Result(NOW, False, 500, "", None, 2)
    results = [
        Attempt(one, bad, "pending", NOW + 9) if number % 5 == 0 else Attempt(one, good, "delivered", None)
        for number, one in enumerate(claims)
    ]
    assert world.database.write(lambda tx: record(tx, results)) == results
    stored = world.database.read(lambda tx: deliveries(tx, TEST, limit=300))
    assert Counter((one.state, one.attempts, one.next_attempt_at) for one in stored) == {
        ("delivered", 1, None): 200,
        ("pending", 1, NOW + 9): 50,
    }
    assert all(len(world.database.read(lambda tx, id=one.id: attempts(tx, TEST, id))) == 1 for one in stored[::50])
