from __future__ import annotations

import pytest

from tests.keys.conftest import LIVE, OTHER, TEST, World
from tollkey.db import Duplicate, StorageError
from tollkey.keys.store import exists_in_other_mode


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'admin'",
        "livemode = 2",
        "sealed = digest",  # a copy for a live key that was shown
        "digest = sealed",
        "permissions = '[1]'",  # on a secret key
        "version = 0",
    ],
)
def test_the_database_too_refuses_what_must_never_be(world: World, change: str) -> None:
    key, _ = world.make("secret")
    with pytest.raises(StorageError):
        world.database.write(lambda tx: tx.execute(f"UPDATE api_keys SET {change} WHERE id = ?", (key.id,)))


def test_two_keys_cannot_share_a_digest(world: World) -> None:
    first, _ = world.make("secret")
    second, _ = world.make("secret")
    steal = "UPDATE api_keys SET digest = (SELECT digest FROM api_keys WHERE id = ?) WHERE id = ?"
    with pytest.raises(Duplicate):
        world.database.write(lambda tx: tx.execute(steal, (first.id, second.id)))


def test_an_account_cannot_have_two_default_keys_of_a_kind(world: World) -> None:
    world.default("secret")
    key, _ = world.make("secret")
    with pytest.raises(Duplicate):
        world.database.write(lambda tx: tx.execute("UPDATE api_keys SET is_default = 1 WHERE id = ?", (key.id,)))


def test_the_other_mode_answers_only_whether_it_has_the_id(world: World) -> None:
    key, _ = world.make("secret", LIVE)
    assert world.read(lambda tx: exists_in_other_mode(tx, TEST, key.id)) is True
    assert world.read(lambda tx: exists_in_other_mode(tx, LIVE, key.id)) is False
    assert world.read(lambda tx: exists_in_other_mode(tx, OTHER._replace(livemode=False), key.id)) is False
