"""Calendar arithmetic of billing: months keep the day of the anchor, shorter months their last day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkey.payments.catalog.arithmetic import DAY, period_around, shift
from tollkey.wire import ApiError

JAN_31 = 1_769_817_600  # 2026-01-31 00:00:00 UTC


def test_the_31st_becomes_the_last_day_of_shorter_months_and_comes_back() -> None:
    assert shift(JAN_31, "month", 1) == JAN_31 + 28 * DAY
    assert shift(JAN_31, "month", 2) == JAN_31 + 59 * DAY


@given(
    st.integers(1_500_000_000, 2_000_000_000),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 3),
    st.integers(0, 10 * 365 * DAY),
)
def test_every_moment_lies_in_its_period(anchor: int, interval: str, count: int, later: int) -> None:
    start, end = period_around(anchor, interval, count, anchor + later)
    assert start <= anchor + later < end


@pytest.mark.parametrize(
    ("anchor", "interval", "count"),
    [(0, "year", 10_000), (0, "day", 10**7), (10**13, "month", 1), (0, "month", -(10**6))],
)
def test_a_time_that_no_date_shows_is_refused(anchor: int, interval: str, count: int) -> None:
    with pytest.raises(ApiError) as raised:
        shift(anchor, interval, count)
    assert raised.value.status == 400
