"""How amounts of money are rounded to whole minor units: one function for each rule.

Two ways exist: half up (halves go away from zero, so that a credit mirrors its charge to the cent) and down (towards
negative infinity). Every other place that turns a fraction into money calls one of these functions.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tollkey.wire.errors import amount_too_large

_WHOLE = Decimal(1)
_BASIS_POINTS = 10_000
_MOST = 10**15  # minor units of one line: sums of 250 lines fit into 64 bits, and one is exact in JavaScript


def price_amount(unit: Decimal, quantity: Decimal | int) -> int:
    """Price rounding: a unit price times a quantity, rounded half up once.

    unit: minor units, up to 12 decimal places. Returns minor units.
    Source: ``unit_amount_decimal`` of the Prices API; a line is rounded, not the price of one unit.
    Raises ApiError 400 for an amount that no invoice can have.
    """
    exact = unit * quantity
    if abs(exact) >= _MOST:
        raise amount_too_large()
    return _half_up(exact)


def fee(amount: int, basis_points: int) -> int:
    """Fee rounding: a percentage of an amount, rounded half up.

    amount: minor units, not negative. basis_points: hundredths of a per cent. Returns minor units.
    Source: recorded balance transactions (22500 at 2.9 % is 652.5 and costs 653).
    """
    return (amount * basis_points + _BASIS_POINTS // 2) // _BASIS_POINTS


def proration(amount: int, seconds: int, length: int) -> int:
    """Proration rounding: the part of an amount for some seconds of a period, rounded half up.

    amount: minor units for the whole period. seconds: between 0 and length. length: of the period, above 0.
    Source: prorations are computed to the second (reference section 6.12).
    """
    return _half_up(Decimal(amount) * seconds / length)


def proportion(amount: int, part: int, whole: int) -> int:
    """Proportion rounding: the part of an amount that goes with ``part`` of ``whole``, rounded half up.

    All in minor units; 0 when the whole is 0. For discounts and taxes of a line that is credited or reversed in part.
    """
    return _half_up(Decimal(amount * part) / whole) if whole else 0


def exclusive_tax(taxable: int, percent: Decimal) -> int:
    """Tax rounding, tax on top of an amount: rounded half up.

    taxable: minor units without the tax. Source: taxes are rounded for each line and rate.
    """
    return _half_up(Decimal(taxable) * percent / 100)


def inclusive_tax(gross: int, percent: Decimal, total_percent: Decimal) -> int:
    """Tax rounding, tax within an amount: rounded half up.

    gross: minor units with all inclusive taxes. percent: this rate's. total_percent: all inclusive rates together.
    Source: taxes are rounded for each line and rate.
    """
    return _half_up(Decimal(gross) * percent / (100 + total_percent))


def percent_off(amount: int, percent: Decimal) -> int:
    """Percent-off rounding: what a coupon of so many per cent takes off an amount, rounded half up.

    amount: minor units. Source: discounts are rounded for each line.
    """
    return _half_up(amount * percent / 100)


def exchange(amount: int, rate: Fraction) -> int:
    """Exchange rounding: an amount in minor units of another currency, rounded half up.

    rate: minor units of the target for one of the source (``balance_transaction.exchange_rate``).
    """
    converted = int(abs(amount) * rate + Fraction(1, 2))
    return converted if amount >= 0 else -converted


def share_down(whole: int, part: int, of: int) -> int:
    """Return ``part`` of ``of`` of a whole amount (minor units), rounded down; 0 when ``of`` is 0.

    For refunds' shares of transfers and application fees, for a discount's amount spread over lines, and for amounts
    divided in two: whoever divides hands the rest out itself, so that the shares never exceed the whole.
    """
    return whole * part // of if of else 0


def _half_up(exact: Decimal) -> int:
    return int(exact.quantize(_WHOLE, ROUND_HALF_UP))
