"""Counting in one process."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from tollkey.keys.config import Period
from tollkey.keys.limiting import Bucket, MemoryLimiter
from tollkey.keys.limiting.buckets import window_of

NOW = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC
RATE = Bucket("a", "a", 10, 5.0)
MONTH = Bucket("m", "m", 3, period="month")


def accepted(limiter: MemoryLimiter, bucket: Bucket, times: int, now: float, cost: int = 1) -> int:
    """How many of so many requests are accepted at one time."""
    return sum(limiter.take([bucket], cost, now).accepted for _ in range(times))


def test_a_full_bucket_gives_its_capacity_at_once_and_no_more() -> None:
    assert accepted(MemoryLimiter(), RATE, 50, NOW) == 10


def test_a_bucket_fills_at_its_rate_and_never_above_its_capacity() -> None:
    limiter = MemoryLimiter()
    accepted(limiter, RATE, 10, NOW)
    assert accepted(limiter, RATE, 9, NOW + 0.2) == 1
    assert accepted(limiter, RATE, 9, NOW + 0.4) == 1
    assert accepted(limiter, RATE, 50, NOW + 1000) == 10


def test_in_the_long_run_the_rate_is_exact() -> None:
    limiter = MemoryLimiter()
    total = sum(accepted(limiter, RATE, 3, NOW + step / 10) for step in range(1000))
    assert total == 10 + int(99.9 * 5)


def test_a_request_that_costs_more_takes_more_and_a_free_one_nothing() -> None:
    limiter = MemoryLimiter()
    assert accepted(limiter, RATE, 9, NOW, cost=3) == 3
    assert accepted(limiter, RATE, 5, NOW, cost=0) == 5
    assert accepted(limiter, RATE, 5, NOW) == 1
    assert accepted(limiter, RATE, 5, NOW, cost=0) == 5


def test_what_is_left_and_when_it_is_full_is_told() -> None:
    limiter = MemoryLimiter()
    (level,) = limiter.take([RATE], 4, NOW).levels
    assert (level.remaining, level.reset, level.window, level.retry_after) == (6, 0.8, 2.0, 0.0)
    (level,) = limiter.take([RATE], 7, NOW).levels
    assert (level.remaining, level.retry_after) == (6, pytest.approx(0.2))
    assert limiter.take([RATE], 7, NOW + 0.2).accepted


def test_what_can_never_be_taken_is_told_so() -> None:
    assert MemoryLimiter().take([RATE], 11, NOW).levels[0].retry_after is None
    assert MemoryLimiter().take([MONTH], 4, NOW).levels[0].retry_after is None


def test_a_quota_counts_in_a_calendar_month_and_begins_anew_with_the_next() -> None:
    limiter, last = MemoryLimiter(), datetime(2026, 1, 31, 23, 59, 50, tzinfo=UTC).timestamp()
    assert accepted(limiter, MONTH, 2, NOW) == 2
    assert accepted(limiter, MONTH, 2, last) == 1
    refused = limiter.take([MONTH], 1, last)
    assert (refused.accepted, refused.levels[0].remaining, refused.levels[0].retry_after) == (False, 0, 10.0)
    assert accepted(limiter, MONTH, 9, last + 10) == 3


def test_all_buckets_give_or_none_does() -> None:
    limiter = MemoryLimiter()
    accepted(limiter, MONTH, 3, NOW)
    taken = limiter.take([RATE, MONTH], 1, NOW)
    assert (taken.accepted, [level.remaining for level in taken.levels]) == (False, [10, 0])
    assert accepted(limiter, RATE, 50, NOW) == 10


@pytest.mark.parametrize(
    ("period", "at", "since", "until"),
    [
        ("month", "2028-02-29T12:00:00", "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
        ("month", "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("day", "2026-03-29T01:30:00", "2026-03-29T00:00:00", "2026-03-30T00:00:00"),
        ("hour", "2026-03-29T01:30:00", "2026-03-29T01:00:00", "2026-03-29T02:00:00"),
    ],
)
def test_periods_are_those_of_the_calendar_in_utc(period: Period, at: str, since: str, until: str) -> None:
    moment, begin, end = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (at, since, until))
    assert window_of(period, moment) == (begin, end)


def test_threads_together_take_no_more_than_there_is() -> None:
    limiter, found = MemoryLimiter(), []
    threads = [
        threading.Thread(target=lambda: found.append(accepted(limiter, Bucket("t", "t", 1000, 1.0), 500, NOW)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 1000


def test_memory_holds_only_buckets_that_are_not_as_new() -> None:
    limiter = MemoryLimiter()
    for number in range(5000):
        limiter.take([Bucket(str(number), "a", 10, 5.0)], 1, NOW + number)
    assert len(limiter._states) < 1100
    limiter.take([RATE], 10, NOW + 5000)
    for number in range(2000):
        limiter.take([Bucket(f"b{number}", "a", 10, 5.0)], 1, NOW + 5000)
    assert not limiter.take([RATE], 1, NOW + 5000).accepted


def test_a_thread_that_was_held_up_gives_nothing_away() -> None:
    limiter = MemoryLimiter()
    accepted(limiter, RATE, 10, NOW)
    assert accepted(limiter, RATE, 5, NOW - 4) == 0
    assert accepted(limiter, RATE, 5, NOW) == 0
    assert accepted(limiter, RATE, 5, NOW + 0.2) == 1


def test_a_clock_that_is_set_back_gives_nothing_away_and_locks_nobody_out() -> None:
    limiter = MemoryLimiter()
    accepted(limiter, RATE, 10, NOW)
    assert accepted(limiter, RATE, 5, NOW - 86_400) == 0
    assert accepted(limiter, RATE, 5, NOW - 86_400 + 0.2) == 1
    assert accepted(limiter, RATE, 50, NOW - 86_400 + 100) == 10


def test_a_clock_that_is_set_back_over_the_border_of_a_period_renews_no_quota() -> None:
    limiter = MemoryLimiter()
    assert accepted(limiter, MONTH, 2, NOW - 1) == 2
    assert accepted(limiter, MONTH, 5, NOW) == 3
    assert accepted(limiter, MONTH, 5, NOW - 1) == 1
    assert accepted(limiter, MONTH, 5, NOW) == 0
    assert accepted(limiter, MONTH, 5, NOW - 1) == 0


def test_a_clock_that_was_far_ahead_locks_nobody_out() -> None:
    limiter = MemoryLimiter()
    assert accepted(limiter, MONTH, 1, NOW) == 1
    assert accepted(limiter, MONTH, 5, NOW + 400 * 86_400) == 3
    assert accepted(limiter, MONTH, 5, NOW) == 2
