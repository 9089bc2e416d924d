"""Proration to the second (reference section 6.12): a change in mid-period credits the unused time and debits the
remaining time.
"""

from __future__ import annotations

from typing import NamedTuple

from tollkey.payments.shared import rounding


class Period(NamedTuple):
    """From ``start`` (included) to ``end``, UTC epoch seconds."""

    start: int
    end: int


def prorated(amount: int, period: Period, at: int) -> int:
    """The part of an amount that falls on the time from ``at`` to the end of the period, in whole minor units.

    Outside the period it is clamped: all of it before the start, nothing from the end on.
    """
    length = period.end - period.start
    left = min(max(period.end - at, 0), length)
    if length <= 0:
        return 0
    return rounding.proration(amount, left, length)


def change(old: int, new: int, period: Period, at: int) -> tuple[int, int]:
    """The credit (not above zero) and the debit when an amount for the whole period changes from ``old`` to ``new`` at
    that moment.
    """
    return -prorated(old, period, at), prorated(new, period, at)
