"""Billing arithmetic: pure functions on amounts and times, without storage or HTTP."""

from tollkey.payments.catalog.arithmetic.periods import DAY, LONGEST, moment, period_around, shift, show_date
from tollkey.payments.catalog.arithmetic.proration import Period, change, prorated, share
from tollkey.payments.catalog.arithmetic.tiers import Part, cost, parts, parts_after, unit_of
from tollkey.payments.catalog.arithmetic.totals import Line, Off, Rate, Tax, Totals, compute

__all__ = [
    "DAY",
    "LONGEST",
    "Line",
    "Off",
    "Part",
    "Period",
    "Rate",
    "Tax",
    "Totals",
    "change",
    "compute",
    "cost",
    "moment",
    "parts",
    "parts_after",
    "period_around",
    "prorated",
    "share",
    "shift",
    "show_date",
    "unit_of",
]
