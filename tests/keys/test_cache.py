"""The verifier's cache: what is kept, what is dropped, and that no old key is ever used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.keys.conftest import PERMISSIONS, World
from tollkey.keys import Key
from tollkey.keys.cache import KeyCache, cached
from tollkey.keys.permissions import PermissionCatalogue

CATALOGUE = PermissionCatalogue(PERMISSIONS)


@pytest.fixture
def key(world: World) -> Key:
    return world.make("secret")[0]


def text(number: int) -> str:
    return f"sk_live_{number:024}"


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def filled(key: Key, count: int, capacity: int) -> KeyCache:
    cache = KeyCache(capacity, CATALOGUE)
    for number in range(count):
        put(cache, key, number)
    return cache


def put(cache: KeyCache, key: Key, number: int, version: int = 1, epoch: int | None = None) -> None:
    one = replace(key, id=f"mk_{number}", version=version)
    cache.store(digest(number), cached(one), cache.epoch if epoch is None else epoch, text(number))


def found(cache: KeyCache, number: int) -> bool:
    return (cache.whole.get(digest(number)) or cache.compact(digest(number), text(number))) is not None


def test_keys_that_are_no_longer_whole_are_still_there(key: Key) -> None:
    cache = filled(key, 1500, 2000)
    assert (len(cache), len(cache.whole) <= 1000) == (1500, True)
    assert digest(0) not in cache.whole
    assert all(found(cache, number) for number in range(1500))
    assert len(cache.whole) <= 1000


def test_a_full_cache_drops_the_keys_not_presented_for_the_longest_time(key: Key) -> None:
    cache = filled(key, 2000, 2000)
    assert found(cache, 0)
    for number in range(2000, 2000 + 62):
        put(cache, key, number)
    assert len(cache) <= 2000
    assert found(cache, 0), "it was presented again before the others"
    assert not found(cache, 1)
    assert found(cache, 500)


@pytest.mark.parametrize("capacity", [0, 1, 3])
def test_a_small_cache_keeps_its_bound(key: Key, capacity: int) -> None:
    cache = filled(key, 10, capacity)
    assert (len(cache), len(cache.whole)) == (capacity, capacity)


@pytest.mark.parametrize("number", [0, 1499], ids=["compact", "whole"])
def test_a_changed_key_is_not_used_any_more_and_its_new_version_is(key: Key, number: int) -> None:
    cache = filled(key, 1500, 2000)
    cache.evict(f"mk_{number}", 2)
    assert not found(cache, number)
    put(cache, key, number, version=1)
    assert not found(cache, number), "it was read before the change"
    put(cache, key, number, version=2)
    assert found(cache, number)


def test_announcements_out_of_order_do_not_bring_an_old_version_back(key: Key) -> None:
    cache = filled(key, 1, 2000)
    cache.evict("mk_0", 3)
    cache.evict("mk_0", 2)
    put(cache, key, 0, version=2)
    assert not found(cache, 0)


def test_after_very_many_changes_everything_is_read_again(key: Key) -> None:
    cache = filled(key, 1, 2000)
    epoch = cache.epoch
    for number in range(1, 1002):
        cache.evict(f"mk_{number}", 2)
    assert not found(cache, 0)
    put(cache, key, 0, epoch=epoch)
    assert not found(cache, 0), "it was read before the changes were forgotten"


def test_a_change_without_a_version_drops_all_keys_and_those_being_read(key: Key) -> None:
    cache = filled(key, 3, 10)
    epoch = cache.epoch
    cache.evict("mk_9")
    put(cache, key, 1, epoch=epoch)
    assert [found(cache, number) for number in range(3)] == [False] * 3


def test_new_keys_are_no_changes(key: Key) -> None:
    cache = filled(key, 1, 2000)
    for number in range(5000):
        cache.evict(f"mk_new_{number}", 1)
    assert found(cache, 0)
