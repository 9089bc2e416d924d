"""What the events of the change stream do to a remote cache."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tollkey.keys import Key
from tollkey.keys.key import Checked
from tollkey.keys.lease import Lease
from tollkey.keys.remote.cache import AnswerCache, Entry
from tollkey.keys.remote.events import Event, StreamBroken
from tollkey.keys.remote.feed import ChangeFeed
from tollkey.keys.remote.freshness import Freshness


class Stream:
    """A feed with its cache; the server's clock shows 90 seconds less than the client's."""

    def __init__(self) -> None:
        self.cache, self.freshness = AnswerCache(10), Freshness(Lease())
        self.feed = ChangeFeed(self.cache, self.freshness)

    def say(self, name: str, moment: float, position: str = "", **data: object) -> None:
        self.feed.take(Event(name, json.dumps(data), position), moment)

    def tick(self, now: float, position: str = "") -> None:
        self.say("tick", now, position, at=now - 90.0)

    def store(self, key: Key, began: float) -> bool:
        return self.cache.store(b"d", Entry(key, Checked(key), 1e9), self.cache.begin(began))

    def usable(self, now: float) -> bool:
        return self.freshness.fresh(now) and self.cache.get(b"d", now) is not None


@pytest.fixture
def stream() -> Stream:
    """A stream opened at 100, whose cache holds one key since 102."""
    stream = Stream()
    stream.feed.opened(asked=100.0)
    for tick in (100.1, 100.5, 101.0, 101.5, 102.0):
        stream.tick(tick, "p5")
    return stream


def test_a_revoked_key_is_refused_as_soon_as_the_stream_says_so(stream: Stream, key: Callable[..., Key]) -> None:
    stream.store(key("mk_1"), began=102.0)
    assert stream.usable(102.2)
    stream.say("change", 102.2, "p6", id="mk_1", version=2)
    assert not stream.usable(102.2)


def test_a_silent_stream_ends_the_use_of_the_cache_within_a_second(stream: Stream, key: Callable[..., Key]) -> None:
    stream.store(key("mk_1"), began=102.0)
    assert stream.usable(102.8)
    assert not stream.usable(103.0)


def test_nothing_is_stored_within_a_second_of_the_first_tick(key: Callable[..., Key]) -> None:
    stream = Stream()
    stream.feed.opened(asked=100.0)
    assert stream.store(key("mk_1"), began=100.05)
    stream.tick(100.6)
    assert not stream.usable(100.6)
    assert not stream.store(key("mk_1"), began=101.5)
    assert stream.store(key("mk_1"), began=101.6)


def test_a_stream_that_goes_on_where_it_broke_keeps_the_cache(stream: Stream, key: Callable[..., Key]) -> None:
    stream.store(key("mk_1"), began=102.0)
    stream.feed.opened(asked=110.0)
    assert stream.feed.position == "p5"
    assert not stream.usable(110.1)
    stream.tick(110.1)
    assert stream.usable(110.2)


def test_a_reset_drops_everything(stream: Stream, key: Callable[..., Key]) -> None:
    stream.store(key("mk_1"), began=102.0)
    stream.say("reset", 102.1, "p9")
    assert not stream.usable(102.1)
    assert stream.feed.position == "p9"
    assert not stream.store(key("mk_1"), began=103.0)


def test_a_stream_that_was_lost_begins_anew(stream: Stream, key: Callable[..., Key]) -> None:
    stream.store(key("mk_1"), began=102.0)
    stream.feed.lost()
    assert not stream.usable(102.1)
    stream.feed.opened(asked=102.2)
    stream.tick(102.3)
    assert not stream.usable(102.3)


def test_events_of_a_later_server_are_passed_over(stream: Stream) -> None:
    stream.feed.take(Event("weather", "rain", "p99"), 102.0)
    assert stream.feed.position == "p5"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("change", "{}"),
        ("change", '{"id": "mk_1"}'),
        ("change", '{"id": "mk_1", "version": "2"}'),
        ("change", '{"id": "mk_1", "version": true}'),
        ("change", '{"id": 1, "version": 2}'),
        ("change", "not JSON"),
        ("change", "[" * 60_000),
        ("tick", "[1]"),
        ("tick", "{}"),
        ("tick", '{"at": "now"}'),
        ("tick", '{"at": true}'),
        ("tick", '{"at": NaN}'),
        ("tick", '{"at": 1e999}'),
        ("tick", '{"at": 1' + 400 * "0" + "}"),
        ("tick", '{"at": ' + 5_000 * "9" + "}"),
    ],
    ids=lambda value: value[:40],
)
def test_what_is_not_understood_breaks_the_stream_and_renews_nothing(stream: Stream, name: str, data: str) -> None:
    with pytest.raises(StreamBroken):
        stream.feed.take(Event(name, data, "p10"), 102.9)
    assert stream.feed.position == "p5"
    assert not stream.freshness.fresh(103.0)
