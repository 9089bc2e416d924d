from __future__ import annotations

from tests.conftest import NOW
from tests.keys.notices.conftest import World
from tests.support.many_keys import Watched
from tollkey.db import Scope
from tollkey.keys import NewKey
from tollkey.keys.notices import unused
from tollkey.keys.scanning.leaks import Leaks

DAY = 86400


def test_each_change_of_a_key_is_announced_once_and_in_order(world: World) -> None:
    world.keys.create(name="Before anybody listened")
    notices = world.notices()
    assert world.types() == []
    key = world.keys.create(account="alice", name="CI", permissions=["report_read"]).key
    key = world.keys.update(key, note="in the vault")
    key = world.keys.enable(world.keys.disable(key))
    rolled = world.keys.roll(key, 3600)
    world.keys.revoke(rolled.old)
    notices.step()
    events = world.got()
    assert [event["type"] for event in events] == [
        "key.created", "key.updated", "key.disabled", "key.enabled", "key.rolled", "key.created", "key.revoked",
    ]  # fmt: skip
    assert events[1]["data"]["details"] == {"by": "system:tollkey", "changed": ["note"]}
    assert events[0]["account"] == "alice"
    assert events[0]["data"]["object"]["permissions"] == ["report_read"]
    assert rolled.secret not in str(events)
    notices.step()
    assert world.types() == []


def test_two_nodes_announce_an_event_once(world: World) -> None:
    nodes = [world.notices(), world.notices()]
    world.keys.create()
    for node in nodes:
        node.step()
    assert world.types() == ["key.created"]


def test_an_expiry_is_announced_thirty_seven_and_one_day_before_and_when_it_came(world: World) -> None:
    notices = world.notices()
    world.keys.create(expires_at=NOW + 40 * DAY)
    notices.step()
    assert world.types() == ["key.created"]
    found = []
    for day in range(1, 42):
        world.clock.now = NOW + day * DAY
        notices.step()
        found += [(day, event["type"], event["data"].get("details", {}).get("days")) for event in world.got()]
    assert found == [
        (10, "key.expiring", 30), (33, "key.expiring", 7), (39, "key.expiring", 1), (40, "key.expired", None),
    ]  # fmt: skip


def test_a_server_that_was_off_announces_an_expiry_once_and_an_old_one_not_at_all(world: World) -> None:
    notices = world.notices()
    world.keys.create(expires_at=NOW + 40 * DAY)
    world.keys.create(expires_at=NOW + 1 * DAY)
    notices.step()
    world.got()
    world.clock.now = NOW + 39 * DAY
    notices.step()
    assert [event["data"]["details"]["days"] for event in world.got()] == [1]


def test_a_key_made_for_a_week_is_not_announced_as_if_it_had_lasted_longer(world: World) -> None:
    notices = world.notices()
    world.keys.create(expires_at=NOW + 6 * DAY)
    notices.step()
    assert world.types() == ["key.created"]
    world.clock.now = NOW + 5 * DAY
    notices.step()
    assert world.types() == ["key.expiring"]


def test_an_expiry_that_was_moved_is_announced_anew(world: World) -> None:
    notices = world.notices()
    key = world.keys.create(expires_at=NOW + 10 * DAY).key
    world.clock.now = NOW + 4 * DAY
    notices.step()
    assert world.types() == ["key.created", "key.expiring"]
    key = world.keys.roll(key, 2 * DAY).old
    notices.step()
    assert "key.expiring" not in world.types()  # two days are more than one, and seven were announced
    world.clock.now = NOW + 5 * DAY
    notices.step()
    assert world.types() == ["key.expiring"]


def test_expiries_that_were_announced_are_not_read_again(world: World) -> None:
    notices, database = world.notices(world.webhook("key.expiring")), world.keys.database
    world.keys.create_many(NewKey(expires_at=NOW + 10 * DAY) for _ in range(220))
    world.clock.now += 4 * DAY
    for waiting in (200, 220):
        notices.gather()
        assert database.read(lambda tx: tx.execute("SELECT count(*) FROM key_notices")) == [(waiting,)]
    notices.gather()
    world.keys.database = watched = Watched(database)
    notices.gather()
    world.keys.database = database
    assert sum(cost.rows for cost in watched.costs if "expires_at" in cost.sql) < 220


def test_a_step_without_news_writes_nothing_for_a_minute(world: World) -> None:
    notices, database = world.notices(), world.keys.database

    def read_so_far() -> list[tuple[object, ...]]:
        return database.read(lambda tx: tx.execute("SELECT log, seq FROM key_notices_read ORDER BY log"))

    before = read_so_far()
    world.clock.advance(59)
    notices.gather()
    assert read_so_far() == before
    world.clock.advance(1)
    notices.gather()
    assert len(set(read_so_far()) - set(before)) == 4  # three times before an expiry, and the expiry


def test_a_key_used_from_another_address_is_announced_but_not_its_first_one(world: World) -> None:
    notices = world.notices()
    _, text = world.keys.create()
    for ip in ("192.0.2.1", "192.0.2.1", "198.51.100.7", "2001:db8::1", "2001:db8::2"):
        world.keys.verify(text, ip=ip)
        world.keys.flush()
    notices.step()
    found = [event["data"]["details"]["ip"] for event in world.got() if event["type"] == "key.used_from_new_ip"]
    assert found == ["198.51.100.7", "2001:db8::/64"]
    world.keys.verify(text, ip="198.51.100.7")
    world.keys.flush()
    notices.step()
    assert world.types() == []


def test_a_leak_is_announced_with_what_was_done(world: World) -> None:
    notices = world.notices()
    _, text = world.keys.create()
    Leaks(world.keys, world.clock).report(text, source="github", url="https://github.example/a")
    notices.step()
    events = {event["type"]: event for event in world.got()}
    assert set(events) == {"key.created", "key.revoked", "key.leaked"}
    details = events["key.leaked"]["data"]["details"]
    assert details == {"source": "github", "url": "https://github.example/a", "outcome": "revoked"}


def test_a_used_up_quota_is_announced_once_a_day(world: World) -> None:
    notices = world.notices()
    key = world.keys.create().key
    for hours in (0, 1, 24):
        world.clock.now = NOW + hours * 3600
        world.keys.verifier.usage.count(key, world.clock.now, "GET /", "quota_exceeded")
        world.keys.flush()
        notices.step()
    assert world.types() == ["key.created", "key.quota_reached", "key.quota_reached"]


def test_keys_that_nobody_uses_are_listed_the_longest_unused_first(world: World) -> None:
    keys, clock = world.keys, world.clock
    idle, never = keys.create("Idle").key, keys.create("Never").key
    busy, text = keys.create("Busy")
    keys.verifier.record_use(idle, clock.now)
    clock.advance(100 * DAY)
    keys.verify(text)
    keys.create("New")
    keys.flush()
    found = keys.database.read(
        lambda tx: unused(tx, keys.authority, Scope("main", True), clock.now - 90 * DAY, clock.now)
    )
    assert [(one.key.id, one.last_used_at) for one in found] == [(never.id, None), (idle.id, NOW)]
    assert busy.id not in [one.key.id for one in found]
