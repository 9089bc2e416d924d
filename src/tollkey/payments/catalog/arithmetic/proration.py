"""Proration to the second (reference section 6.12): a change in mid-period credits the unused time and debits the
remaining time.
"""

from __future__ import annotations

from typing import NamedTuple

from tollkey.payments.shared import rounding


class Period(NamedTuple):
    """A period from ``start`` (inclusive) to ``end`` (exclusive), UTC epoch seconds."""

    start: int
    end: int


def prorated(amount: int, period: Period, at: int) -> int:
    """Return the part of an amount for the time from ``at`` to the end of the period, in minor units.

    The full amount before the start of the period, 0 after its end.
    """
    length = period.end - period.start
    left = min(max(period.end - at, 0), length)
    if length <= 0:
        return 0
    return rounding.proration(amount, left, length)


def share(amount: int, whole: Period, part: tuple[int, int]) -> int:
    """Return what a part of a period costs, in minor units. amount: for the whole period."""
    return rounding.proration(amount, max(part[1] - part[0], 0), whole.end - whole.start)


def change(old: int, new: int, period: Period, at: int) -> tuple[int, int]:
    """Return credit (not positive) and debit of a change of the period's amount from ``old`` to ``new`` at ``at``.

    old, new: minor units. at: UTC epoch seconds.
    """
    return -prorated(old, period, at), prorated(new, period, at)
