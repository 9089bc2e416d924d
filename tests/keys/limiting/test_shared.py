"""Counting in many processes of one database: exact alone, bounded together, nothing lost but the last half second."""

from __future__ import annotations

import pytest

from tollkey.db import Database, migrate
from tollkey.keys.limiting import MIGRATION, Bucket, SharedLimiter
from tollkey.keys.limiting.shared import EXCHANGED_AT_ONCE, IDLE_SECONDS
from tollkey.keys.limiting.store import DELETED_AT_ONCE, delete_over

NOW = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC
RATE = Bucket("r", "r", 100, 10.0)
DAY = Bucket("d", "d", 100, period="day")


@pytest.fixture
def database_of_limits(database: Database) -> Database:
    migrate(database, [MIGRATION])
    return database


def exchange(database: Database, *limiters: SharedLimiter, now: float = NOW) -> None:
    for limiter in limiters:
        database.write(lambda tx, one=limiter: one.exchange(tx, now))


def accepted(limiter: SharedLimiter, bucket: Bucket, times: int, now: float = NOW, cost: int = 1) -> int:
    return sum(limiter.take([bucket], cost, now).accepted for _ in range(times))


@pytest.mark.parametrize("bucket", [RATE, DAY], ids=["rate", "quota"])
def test_one_process_is_exact_however_often_it_exchanges(database_of_limits: Database, bucket: Bucket) -> None:
    alone = SharedLimiter(database_of_limits)
    total = 0
    for step in range(30):
        total += accepted(alone, bucket, 7, NOW + step / 10)
        exchange(database_of_limits, alone, now=NOW + step / 10)
    assert total == (100 if bucket is DAY else 100 + 29)


@pytest.mark.parametrize("bucket", [RATE, DAY], ids=["rate", "quota"])
def test_two_processes_accept_at_most_what_one_accepts_between_two_exchanges_too_much(
    database_of_limits: Database, bucket: Bucket
) -> None:
    one, two = SharedLimiter(database_of_limits), SharedLimiter(database_of_limits)
    total = 0
    for _ in range(20):
        for limiter in (one, two):
            total += accepted(limiter, bucket, 8)
        exchange(database_of_limits, one, two)
    assert 100 <= total <= 108
    assert accepted(one, bucket, 5) + accepted(two, bucket, 5) == 0


def test_without_any_exchange_each_process_accepts_the_limit_and_no_more(database_of_limits: Database) -> None:
    limiters = [SharedLimiter(database_of_limits) for _ in range(3)]
    assert [accepted(limiter, DAY, 500) for limiter in limiters] == [100, 100, 100]
    exchange(database_of_limits, *limiters)
    assert SharedLimiter(database_of_limits).take([DAY], 1, NOW).levels[0].remaining == 0


def test_what_two_processes_took_too_much_of_a_rate_is_paid_back(database_of_limits: Database) -> None:
    one, two = SharedLimiter(database_of_limits), SharedLimiter(database_of_limits)
    assert accepted(one, RATE, 200) + accepted(two, RATE, 200) == 200
    exchange(database_of_limits, one, two, one)
    total, now = 0, NOW
    for _ in range(80):
        now += 0.5
        total += accepted(one, RATE, 10, now) + accepted(two, RATE, 10, now)
        exchange(database_of_limits, one, two, one, now=now)
    assert 200 + total == pytest.approx(100 + 40 * 10, abs=10)


@pytest.mark.parametrize("bucket", [RATE, DAY], ids=["rate", "quota"])
def test_a_process_that_starts_knows_what_was_exchanged(database_of_limits: Database, bucket: Bucket) -> None:
    one = SharedLimiter(database_of_limits)
    accepted(one, bucket, 60)
    exchange(database_of_limits, one)
    accepted(one, bucket, 5)  # lost: the process is killed before it exchanges again
    assert accepted(SharedLimiter(database_of_limits), bucket, 100) == 40


def test_a_process_without_requests_for_a_minute_asks_what_the_others_took(database_of_limits: Database) -> None:
    one, two = SharedLimiter(database_of_limits), SharedLimiter(database_of_limits)
    accepted(one, DAY, 5)
    exchange(database_of_limits, one)
    accepted(two, DAY, 95)
    exchange(database_of_limits, two)
    assert one.take_at_once([DAY], 1, NOW + IDLE_SECONDS) is None
    assert accepted(one, DAY, 5, NOW + IDLE_SECONDS) == 0


def test_a_process_that_starts_gives_a_bucket_what_came_back_meanwhile(database_of_limits: Database) -> None:
    one = SharedLimiter(database_of_limits)
    accepted(one, RATE, 100)
    exchange(database_of_limits, one)
    assert accepted(SharedLimiter(database_of_limits), RATE, 100, NOW + 3) == 30


def test_nothing_is_read_on_an_event_loop(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    assert limiter.take_at_once([RATE, DAY], 1, NOW) is None
    assert limiter.take([RATE, DAY], 1, NOW).accepted
    at_once = limiter.take_at_once([RATE, DAY], 1, NOW)
    assert at_once is not None
    assert at_once.levels[1].remaining == 98
    assert limiter.take_at_once([RATE, DAY], 1, NOW + 86400) is None, "the new day was not read yet"


def test_a_request_writes_nothing(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    accepted(limiter, DAY, 10)
    assert database_of_limits.read(lambda tx: tx.execute("SELECT count(*) FROM limit_counts"))[0][0] == 0
    assert limiter.unwritten
    exchange(database_of_limits, limiter)
    assert not limiter.unwritten


def test_what_was_taken_before_midnight_is_written_to_its_own_day(database_of_limits: Database) -> None:
    limiter, midnight = SharedLimiter(database_of_limits), NOW + 86400
    accepted(limiter, DAY, 7, midnight - 1)
    accepted(limiter, DAY, 3, midnight)
    exchange(database_of_limits, limiter, now=midnight)
    fresh = SharedLimiter(database_of_limits)
    assert fresh.take([DAY], 0, midnight - 1).levels[0].remaining == 93
    assert fresh.take([DAY], 0, midnight).levels[0].remaining == 97
    assert not limiter.unwritten


def test_a_clock_that_is_set_back_over_midnight_renews_no_quota(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    assert accepted(limiter, DAY, 60, NOW - 1) == 60
    assert accepted(limiter, DAY, 500, NOW) == 100
    assert accepted(limiter, DAY, 500, NOW - 1) == 40
    exchange(database_of_limits, limiter)
    assert accepted(limiter, DAY, 500, NOW) == 0
    assert accepted(limiter, DAY, 500, NOW - 1) == 0
    assert [accepted(SharedLimiter(database_of_limits), DAY, 500, now) for now in (NOW - 1, NOW)] == [0, 0]


def test_what_is_taken_during_an_exchange_is_written_by_the_next(database_of_limits: Database) -> None:
    limiter, midnight = SharedLimiter(database_of_limits), NOW + 86400
    accepted(limiter, DAY, 7, midnight - 1)

    def during(tx: object) -> None:
        limiter.exchange(tx, midnight - 1)  # type: ignore[arg-type]
        accepted_now.append(limiter.take_at_once([DAY], 1, midnight - 1))
        limiter._begin(limiter._states["d"], int(midnight))

    accepted_now: list[object] = []
    database_of_limits.write(during)
    exchange(database_of_limits, limiter, now=midnight)
    assert SharedLimiter(database_of_limits).take([DAY], 0, midnight - 1).levels[0].remaining == 92


def test_what_is_taken_while_an_exchange_commits_is_written_by_the_next(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    accepted(limiter, DAY, 7)

    def during(tx: object) -> None:
        limiter.exchange(tx, NOW)  # type: ignore[arg-type]
        accepted(limiter, DAY, 2)

    database_of_limits.write(during)
    assert limiter.unwritten
    exchange(database_of_limits, limiter)
    assert SharedLimiter(database_of_limits).take([DAY], 0, NOW).levels[0].remaining == 91
    assert limiter.take([DAY], 0, NOW).levels[0].remaining == 91


def test_an_exchange_that_fails_loses_nothing(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    accepted(limiter, DAY, 7)

    def failing(tx: object) -> None:
        limiter.exchange(tx, NOW)  # type: ignore[arg-type]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database_of_limits.write(failing)
    exchange(database_of_limits, limiter)
    assert SharedLimiter(database_of_limits).take([DAY], 0, NOW).levels[0].remaining == 93


def test_many_buckets_are_written_in_several_transactions(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    for number in range(EXCHANGED_AT_ONCE + 20):
        limiter.take([Bucket(f"b{number}", "b", 5, 1.0)], 1, NOW)
    written = [database_of_limits.write(lambda tx: limiter.exchange(tx, NOW)) for _ in range(3)]
    assert written == [True, False, False]
    rows = database_of_limits.read(lambda tx: tx.execute("SELECT count(*) FROM limit_counts"))
    assert rows == [(EXCHANGED_AT_ONCE + 20,)]


def test_a_bucket_without_requests_is_forgotten_and_read_again(database_of_limits: Database) -> None:
    one, two = SharedLimiter(database_of_limits), SharedLimiter(database_of_limits)
    accepted(one, DAY, 1)
    accepted(two, DAY, 50)
    exchange(database_of_limits, one, two)
    later = NOW + IDLE_SECONDS + 1
    accepted(one, RATE, 1, later)
    exchange(database_of_limits, one, now=later)
    assert one.take_at_once([DAY], 1, later) is None
    assert accepted(one, DAY, 100, later) == 49


def test_a_child_process_counts_from_what_was_exchanged(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    accepted(limiter, DAY, 60)
    exchange(database_of_limits, limiter)
    accepted(limiter, DAY, 10)
    limiter.after_fork_in_child()
    assert not limiter.unwritten, "the parent writes these"
    assert accepted(limiter, DAY, 100) == 40


def rows(database: Database) -> int:
    return int(database.read(lambda tx: tx.execute("SELECT count(*) FROM limit_counts"))[0][0])


def test_counts_that_have_no_effect_are_deleted_after_a_day(database_of_limits: Database) -> None:
    limiter = SharedLimiter(database_of_limits)
    accepted(limiter, DAY, 5)
    accepted(limiter, RATE, 50)
    exchange(database_of_limits, limiter)
    day = int(NOW) + 86400
    for now, left in ((day + 5, 2), (day + 7, 1), (day + 86400, 1), (day + 86401, 0)):  # the bucket was full after 5 s
        database_of_limits.write(lambda tx, now=now: delete_over(tx, now))
        assert rows(database_of_limits) == left
    assert accepted(limiter, RATE, 100, NOW + 10) == 100


def test_many_of_them_are_deleted_bit_by_bit_with_the_exchanges(database_of_limits: Database) -> None:
    old, limiter = SharedLimiter(database_of_limits), SharedLimiter(database_of_limits)
    for number in range(DELETED_AT_ONCE + 20):
        old.take([Bucket(f"b{number}", "b", 5, 1.0)], 1, NOW)
    while database_of_limits.write(lambda tx: old.exchange(tx, NOW)):
        pass
    left = []
    for second in range(3):
        later = NOW + 3 * 86400 + second
        accepted(limiter, DAY, 1, later)
        exchange(database_of_limits, limiter, now=later)
        left.append(rows(database_of_limits))
    assert left == [21, 1, 1]
