"""Server-Sent Events are read as the standard says, whatever a server sends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkey.keys.remote.events import Event, EventParser, StreamBroken

STREAM = (
    b'\xef\xbb\xbf: hello\n\nevent: change\nid: 7\ndata: {"a":\ndata: 1}\n\n'
    b"data:one\r\n\r\nevent: tick\rdata: \xc3\xa9\r\rid: bad\0id\ndata\n\nevent: nothing\n\nretry: 10\ndata: x\n\n"
)
EVENTS = [
    Event("change", '{"a":\n1}', "7"),
    Event("message", "one", "7"),
    Event("tick", "é", "7"),
    Event("message", "", "7"),
    Event("message", "x", "7"),
]


def test_fields_comments_and_all_three_ends_of_line_are_understood() -> None:
    assert EventParser().feed(STREAM) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_it_does_not_matter_how_the_stream_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parser = EventParser()
    parts = [STREAM[start:end] for start, end in pairwise(places)]
    assert [event for part in parts for event in parser.feed(part)] == EVENTS


def test_an_event_that_has_not_ended_is_none() -> None:
    assert EventParser().feed(b"data: half\n") == []


@pytest.mark.parametrize("chunk", [b"data: xxxxxxx", b"data: a\n", b":\n:"], ids=["a line", "many lines", "comments"])
def test_an_event_that_grows_without_end_breaks_the_stream(chunk: bytes) -> None:
    parser = EventParser(longest=1000)
    with pytest.raises(StreamBroken, match="longer than 1000 bytes"):
        _feed_many(parser, chunk)


def _feed_many(parser: EventParser, chunk: bytes) -> None:
    for _ in range(1000):
        parser.feed(chunk)


def test_the_length_of_an_event_counts_anew_after_each_event() -> None:
    parser = EventParser(longest=100)
    for _ in range(50):
        assert parser.feed(b"data: " + b"x" * 80 + b"\n\n") == [Event("message", "x" * 80, "")]
