"""Billing intervals of the items of one subscription, and which of them may stand together."""

from __future__ import annotations

import pytest

from tollkey.payments.subscriptions.intervals import shortest, stand_together


@pytest.mark.parametrize(
    "intervals",
    [
        [("month", 1), ("month", 3)],
        [("month", 1), ("year", 1)],
        [("day", 1), ("week", 1)],
        [("day", 1), ("month", 3)],
        [("day", 1), ("year", 2)],
        [("week", 2), ("week", 4)],
        [("month", 2), ("month", 4), ("month", 6)],
    ],
)
def test_multiples_of_the_shortest_interval_stand_together(intervals: list[tuple[str, int]]) -> None:
    assert stand_together(intervals)
    assert shortest(reversed(intervals)) == intervals[0]


@pytest.mark.parametrize(
    "intervals",
    [
        [("month", 2), ("month", 3)],
        [("month", 4), ("month", 6)],
        [("week", 1), ("month", 1)],
        [("day", 2), ("week", 1)],
        [("day", 2), ("month", 1)],
        [("month", 5), ("year", 1)],
    ],
)
def test_other_intervals_do_not(intervals: list[tuple[str, int]]) -> None:
    assert not stand_together(intervals)
