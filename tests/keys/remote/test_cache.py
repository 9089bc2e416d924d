"""What a remote cache remembers: never more than the change stream can correct."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tollkey.keys import Key
from tollkey.keys.key import Checked
from tollkey.keys.remote.cache import AnswerCache, Entry

Make = Callable[..., Key]


@pytest.fixture
def cache() -> AnswerCache:
    return AnswerCache(3, lambda count: b"r" * count)


def entry(key: Key, until: float) -> Entry:
    return Entry(key, Checked(key), until)


def store(cache: AnswerCache, key: Key, text: str | None = None, *, began: float = 10.0, until: float = 100.0) -> bool:
    return cache.store(cache.digest(text or key.id, None), entry(key, until), cache.begin(began))


def found(cache: AnswerCache, text: str, now: float = 20.0) -> str | None:
    entry = cache.get(cache.digest(text, None), now)
    return None if entry is None else entry.key.id


def test_an_answer_is_found_until_its_time_is_over(cache: AnswerCache, key: Make) -> None:
    store(cache, key("mk_1"), until=30.0)
    assert found(cache, "mk_1", 29.9) == "mk_1"
    assert found(cache, "mk_1", 30.0) is None


def test_the_text_of_a_key_is_nowhere_in_the_cache(cache: AnswerCache, key: Make) -> None:
    store(cache, key("mk_1"), "sk_live_of_mk_1")
    assert "sk_live_of_mk_1" not in repr(vars(cache))


def test_two_processes_store_one_key_under_different_digests() -> None:
    first, second = (AnswerCache(3, lambda count, fill=fill: fill * count) for fill in (b"a", b"b"))
    assert first.digest("sk", None) != second.digest("sk", None)


def test_an_answer_about_a_route_is_one_of_its_own(cache: AnswerCache) -> None:
    assert (
        len({cache.digest("sk", None), cache.digest("sk", ""), cache.digest("sk", "GET /"), cache.digest("s", "k")})
        == 4
    )


def test_the_answer_used_longest_ago_makes_room(cache: AnswerCache, key: Make) -> None:
    for id in ("mk_1", "mk_2", "mk_3"):
        store(cache, key(id))
    assert found(cache, "mk_1") == "mk_1"
    store(cache, key("mk_4"))
    assert [found(cache, id) for id in ("mk_1", "mk_2", "mk_3", "mk_4")] == ["mk_1", None, "mk_3", "mk_4"]


def test_a_capacity_of_zero_remembers_nothing(key: Make) -> None:
    cache = AnswerCache(0)
    assert not store(cache, key("mk_1"))
    assert len(cache) == 0


def test_a_change_drops_every_answer_about_its_key(cache: AnswerCache, key: Make) -> None:
    store(cache, key("mk_1"), "plain")
    store(cache, key("mk_1"), "with a route")
    store(cache, key("mk_2"))
    cache.changed("mk_1", 2, 20.0)
    assert [found(cache, text) for text in ("plain", "with a route", "mk_2")] == [None, None, "mk_2"]


def test_an_answer_older_than_an_announced_change_is_not_stored(cache: AnswerCache, key: Make) -> None:
    """Also not if it was asked for after the change: another node may not have heard of it."""
    cache.changed("mk_1", 3, 20.0)
    assert not store(cache, key("mk_1", version=2), began=20.5)
    assert store(cache, key("mk_1", version=4), began=20.5)


def test_an_answer_that_may_be_of_the_plan_before_is_not_stored(cache: AnswerCache, key: Make) -> None:
    """A plan that changes is no new version of a key, and a node may answer with the one before for a second."""
    cache.changed("mk_1", 3, 20.0)
    for began, stored in ((19.0, False), (20.9, False), (21.0, True)):
        assert store(cache, key("mk_1", version=3), began=began) is stored


def test_versions_may_be_announced_out_of_order(cache: AnswerCache, key: Make) -> None:
    cache.changed("mk_1", 3, 20.0)
    cache.changed("mk_1", 2, 20.1)
    assert not store(cache, key("mk_1", version=2))


def test_after_a_reset_nothing_is_stored_that_was_asked_for_in_the_next_second(cache: AnswerCache, key: Make) -> None:
    store(cache, key("mk_1"))
    cache.reset(20.0)
    assert found(cache, "mk_1") is None
    assert not store(cache, key("mk_1"), began=20.9)
    assert store(cache, key("mk_1"), began=21.0)


def test_an_answer_asked_for_before_a_reset_is_not_stored(cache: AnswerCache, key: Make) -> None:
    ticket = cache.begin(30.0)
    cache.reset(20.0)
    assert not cache.store(b"d", entry(key("mk_1"), 100.0), ticket)


def test_more_changes_than_can_be_remembered_stop_the_storing_for_a_minute(cache: AnswerCache, key: Make) -> None:
    store(cache, key("mk_1"))
    for number in range(1_001):
        cache.changed(f"mk_other_{number}", 2, 20.0)
    assert found(cache, "mk_1") is None
    assert not store(cache, key("mk_1"), began=79.9)
    assert store(cache, key("mk_1"), began=80.0)


def test_changes_of_more_than_a_minute_ago_take_no_memory(cache: AnswerCache, key: Make) -> None:
    store(cache, key("mk_1"))
    for number in range(3_000):
        cache.changed(f"mk_other_{number}", 2, 20.0 + number)
    assert found(cache, "mk_1") == "mk_1"


def test_a_child_process_begins_with_nothing(cache: AnswerCache, key: Make) -> None:
    store(cache, key("mk_1"))
    ticket = cache.begin(10.0)
    cache._lock.acquire()  # by a thread that the child does not have
    cache.forget()
    assert found(cache, "mk_1") is None
    assert not cache.store(b"d", entry(key("mk_1"), 100.0), ticket)
