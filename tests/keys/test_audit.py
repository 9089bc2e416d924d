from __future__ import annotations

import pytest

from tests.keys.conftest import ALICE, LIVE, OTHER, TEST, World
from tollkey.db import StorageError, migrate
from tollkey.keys import KeyRefused, audit
from tollkey.keys.audit import guard
from tollkey.keys.schema import MIGRATIONS


def test_every_verb_writes_one_line(world: World) -> None:
    key, _ = world.make("restricted", hides_after_reveal=False)
    world.on("reveal", key)
    world.on("hide", key)
    world.on("update", key, name="Other", permissions=["charge_read"])
    world.on("roll", key, 3600)
    world.on("cancel_expiry", key)
    world.on("roll", key, 3600)
    world.on("expire_now", key)
    other, _ = world.make("secret")
    world.on("revoke", other)
    lines = world.read(lambda tx: audit.entries(tx, LIVE, key.id))
    assert [line.action for line in lines] == [
        "expired", "rolled", "expiry_cancelled", "rolled", "updated", "hidden", "revealed", "created",
    ]  # fmt: skip
    assert [line.action for line in world.read(lambda tx: audit.entries(tx, LIVE, other.id))] == ["revoked", "created"]


def test_a_line_says_who_what_when_from_where(world: World) -> None:
    key, _ = world.make("secret", name="Old")
    world.clock.advance(5)
    world.on("update", key, name="New")
    line = world.read(lambda tx: audit.entries(tx, LIVE))[0]
    assert (line.actor, line.at, line.key_id) == (ALICE, world.clock.now, key.id)
    assert (line.was, line.became) == ({"name": "Old"}, {"name": "New"})


def test_a_refused_change_leaves_no_line(world: World) -> None:
    key = world.default("publishable")
    before = world.read(lambda tx: audit.entries(tx, LIVE))
    with pytest.raises(KeyRefused):
        world.on("revoke", key)
    assert world.read(lambda tx: audit.entries(tx, LIVE)) == before


def test_the_log_is_read_within_one_account_and_mode(world: World) -> None:
    world.make("secret", OTHER)
    world.make("secret", TEST)
    assert world.read(lambda tx: audit.entries(tx, LIVE)) == []


def test_the_log_is_paged_by_its_sequence(world: World) -> None:
    for _ in range(5):
        world.make("secret")
    first = world.read(lambda tx: audit.entries(tx, LIVE, limit=2))
    rest = world.read(lambda tx: audit.entries(tx, LIVE, before=first[-1].seq))
    assert (len(first), len(rest)) == (2, 3)


@pytest.mark.parametrize("change", ["UPDATE key_audit SET actor_id = 'mallory'", "DELETE FROM key_audit"])
def test_the_database_refuses_to_change_the_log(world: World, change: str) -> None:
    world.make("secret")
    with pytest.raises(StorageError, match="append-only"):
        world.database.write(lambda tx: tx.execute(change))
    assert len(world.read(lambda tx: audit.entries(tx, LIVE))) == 1


def test_migrating_and_guarding_again_changes_nothing(world: World) -> None:
    assert migrate(world.database, MIGRATIONS) == 0
    world.database.write(lambda tx: guard(tx, world.keyring, world.clock.now))
