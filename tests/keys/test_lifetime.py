"""Pausing and resuming keys. Rolling, expiring and revoking are in ``test_authority.py``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.keys.conftest import ALICE, LIVE, TEST, World, refused
from tollkey.db import Database, Ids, Migration, Scope, Tx, migrate
from tollkey.keys import Denied, Key, Reason, audit
from tollkey.keys.authority import Authority
from tollkey.keys.keyring import Keyring
from tollkey.keys.permissions import PermissionCatalogue
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.token import generate


def test_a_paused_key_is_refused_until_it_is_resumed(world: World) -> None:
    key, text = world.make("restricted", permissions=["charge_read"])
    assert world.verify(text) == key
    paused = world.on("disable", key)
    assert paused.disabled_at == world.clock.now
    assert paused.status(world.clock.now) == "disabled"
    for _ in range(2):  # from the database, then from the cache
        answer = world.verify(text)
        assert isinstance(answer, Denied)
        assert (answer.reason, answer.key) == (Reason.disabled, paused)
    resumed = world.on("enable", key)
    assert resumed.disabled_at is None
    assert resumed.status(world.clock.now) == "active"
    assert world.verify(text) == resumed


def test_a_paused_key_costs_no_database_when_it_is_presented_again(world: World) -> None:
    key, text = world.make("secret")
    world.on("disable", key)
    world.verify(text)
    assert isinstance(world.verifier.verify_cached(text, world.clock.now), Denied)


def test_pausing_and_resuming_are_in_the_audit_log_once(world: World) -> None:
    key, _ = world.make("secret")
    for verb in ("disable", "disable", "enable", "enable"):
        world.on(verb, key)
    entries = world.read(lambda tx: audit.entries(tx, LIVE, key.id))
    assert [entry.action for entry in entries] == ["enabled", "disabled", "created"]
    assert (entries[1].was, entries[1].became) == ({"disabled_at": None}, {"disabled_at": world.clock.now})


@pytest.mark.parametrize(("verb", "arguments"), [("reveal", ()), ("roll", (0,))])
def test_a_paused_key_cannot_hand_out_a_text(world: World, verb: str, arguments: tuple[Any, ...]) -> None:
    key, _ = world.make("secret", TEST)
    world.on("disable", key)
    with refused("api_key_disabled"):
        world.on(verb, key, *arguments)
    world.on("enable", key)
    world.on(verb, key, *arguments)


def test_a_paused_key_can_be_changed_and_ended(world: World) -> None:
    key, _ = world.make("restricted", permissions=["charge_read"])
    world.on("disable", key)
    assert world.on("update", key, name="Renamed").disabled_at == world.clock.now
    assert world.on("revoke", key).status(world.clock.now) == "expired"


def test_a_paused_key_still_expires(world: World) -> None:
    key, text = world.make("secret", expires_at=world.clock.now + 60)
    world.on("disable", key)
    world.clock.now += 60
    assert world.verify(text).reason is Reason.expired
    for verb in ("enable", "disable"):
        with refused("api_key_expired"):
            world.on(verb, key)


@pytest.mark.parametrize("verb", ["disable", "enable"])
def test_a_key_pauses_and_resumes_only_what_it_could_grant(world: World, verb: str) -> None:
    strong, _ = world.make("restricted", permissions=["charge_write"])
    weak, _ = world.make("restricted", permissions=["charge_read"])
    with refused("api_key_grant_exceeded"):
        world.on(verb, strong, granter=weak)
    world.on(verb, weak, granter=strong)


def test_a_paused_default_test_key_is_in_no_example(world: World) -> None:
    key = world.default("secret", TEST)
    world.on("disable", key)
    texts = world.read(lambda tx: world.authority.default_test_texts(tx, TEST.account, world.clock.now))
    assert set(texts) == {"publishable"}


def test_a_database_from_before_metadata_and_pausing_is_upgraded_with_its_keys(
    database: Database, clock: Callable[[], int]
) -> None:
    owner = next(migration for migration in MIGRATIONS if migration.module == "keys")
    added = next(n for n, statement in enumerate(owner.statements) if "ADD COLUMN metadata" in statement)
    migrate(database, [Migration("keys", owner.statements[:added]), *MIGRATIONS[1:]])
    keyring = Keyring.fresh()
    text = generate("restricted", True, keyring.account_mark(LIVE.account), Ids())
    old = {
        "id": "mk_old", "account": LIVE.account, "livemode": 1, "kind": "restricted", "name": "Old", "note": "",
        "permissions": json.dumps(["charge_read"]), "connect_permissions": "[]", "ip_allowlist": "[]", "created": 1,
        "created_by": "user:alice", "redacted": "r", "masked": "m", "hides_after_reveal": 1, "is_default": 0,
        "imported": 0, "version": 1, "digest": keyring.digest(text), "digest_key": keyring.digest_current,
    }  # fmt: skip
    sql = f"INSERT INTO api_keys ({', '.join(old)}) VALUES ({', '.join('?' * len(old))})"
    database.write(lambda tx: tx.execute(sql, tuple(old.values())))

    migrate(database, MIGRATIONS)

    authority = Authority(keyring, PermissionCatalogue(()))
    key = database.read(lambda tx: authority.find(tx, text))
    assert key is not None
    assert (key.metadata, key.disabled_at) == ({}, None)
    database.write(lambda tx: audit.guard(tx, keyring, 2))
    changed = database.write(
        lambda tx: authority.update(tx, LIVE, key.id, actor=ALICE, now=2, metadata={"team": "billing"})
    )
    assert changed.metadata == {"team": "billing"}


class Late(Authority):
    """Reads a key as it was a moment ago the first time, as a transaction does beside another one on PostgreSQL."""

    before: list[Key]

    def get(self, tx: Tx, scope: Scope, key_id: str) -> Key | None:
        return self.before.pop() if self.before else super().get(tx, scope, key_id)


def late(world: World, key: Key) -> Late:
    made = Late(world.keyring, world.catalogue)
    made.before = [key]
    return made


@pytest.mark.parametrize("other", ["roll", "update", "disable"])
@pytest.mark.parametrize("verb", ["revoke", "expire_now", "disable"])
def test_what_ends_or_pauses_a_key_wins_over_a_change_of_the_same_moment(world: World, verb: str, other: str) -> None:
    key, text = world.make("secret")
    world.on(other, key, **{"roll": {"expires_in_seconds": 3600}, "update": {"name": "renamed"}}.get(other, {}))
    authority = late(world, key)
    operation = getattr(authority, verb)
    world.database.write(lambda tx: operation(tx, key.scope, key.id, actor=ALICE, now=world.clock.now))
    refusal = world.verify(text)
    assert isinstance(refusal, Denied)
    assert world.get(key).name == ("renamed" if other == "update" else key.name)
    assert (world.get(key).replaced_by is not None) == (other == "roll")


def test_what_gives_a_key_more_life_does_not_win(world: World) -> None:
    key, _ = world.make("secret")
    paused = world.on("disable", key)
    world.on("revoke", key)
    with refused("api_key_changed"):
        world.database.write(
            lambda tx: late(world, paused).enable(tx, key.scope, key.id, actor=ALICE, now=world.clock.now)
        )
