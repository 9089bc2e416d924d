"""A caller waits for a blocking call no longer than it says."""

from __future__ import annotations

import threading

import pytest

from tollkey.keys.deadlines import within


def test_a_result_and_an_error_are_those_of_the_call() -> None:
    assert within(10, lambda: 7) == 7
    with pytest.raises(ValueError, match="no"):
        within(10, lambda: int("no"))


def test_a_call_that_does_not_end_is_left_alone() -> None:
    ended = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, ended.wait)
    ended.set()
