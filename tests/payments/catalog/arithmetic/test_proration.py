"""Proration and calendar arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tollkey.payments.catalog.arithmetic import DAY, Period, change, prorated


def test_halfway_through_a_change_from_50_to_100_credits_25_and_debits_50() -> None:
    assert change(5000, 10000, Period(0, 30 * DAY), 15 * DAY) == (-2500, 5000)


@given(st.integers(0, 10_000_000), st.integers(0, 10_000_000), st.integers(1, 400 * DAY), st.integers(-10, 401 * DAY))
def test_credit_and_debit_never_exceed_a_period(old: int, new: int, length: int, at: int) -> None:
    credit, debit = change(old, new, Period(0, length), at)
    assert -old <= credit <= 0 <= debit <= new


@given(st.integers(0, 1_000_000), st.integers(2, 100 * DAY), st.data())
def test_what_is_used_and_what_is_left_make_the_whole_but_for_rounding(
    amount: int, length: int, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, length))
    left = prorated(amount, Period(0, length), at)
    used = amount - left
    assert abs(used - amount * at / length) <= 1
