"""The arithmetic of billing: pure functions on amounts and times. No storage, no wire."""

from tollkey.payments._billing.periods import DAY, LONGEST, period_around, shift, show_date
from tollkey.payments._billing.proration import Period, change, share
from tollkey.payments._billing.tiers import Part, cost, parts, parts_after, rounded, unit_of
from tollkey.payments._billing.totals import Line, Off, Rate, Tax, Totals, compute

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
    "parts",
    "parts_after",
    "period_around",
    "rounded",
    "share",
    "shift",
    "show_date",
    "unit_of",
]
