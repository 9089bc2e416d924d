"""Each rounding rule, by a table of exact halves and their neighbours."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from tollkey.payments.shared import rounding
from tollkey.wire import ApiError


@pytest.mark.parametrize(
    ("unit", "quantity", "amount"),
    [("0.5", 1, 1), ("0.4999", 1, 0), ("2.5", 1, 3), ("-2.5", 1, -3), ("0.1", 25, 3), ("33.333", 3, 100)],
)
def test_a_price_times_a_quantity_is_rounded_half_up_once(unit: str, quantity: int, amount: int) -> None:
    assert rounding.price_amount(Decimal(unit), quantity) == amount


@pytest.mark.parametrize(
    ("amount", "basis_points", "fee"), [(1000, 290, 29), (22500, 290, 653), (50, 100, 1), (49, 100, 0), (0, 290, 0)]
)
def test_a_fee_is_rounded_half_up(amount: int, basis_points: int, fee: int) -> None:
    assert rounding.fee(amount, basis_points) == fee


@pytest.mark.parametrize(
    ("amount", "seconds", "length", "part"),
    [(1, 1, 2, 1), (-1, 1, 2, -1), (5, 1, 2, 3), (100, 1, 3, 33), (100, 2, 3, 67), (100, 0, 3, 0), (100, 3, 3, 100)],
)
def test_a_proration_is_rounded_half_up_so_that_a_credit_mirrors_its_charge(
    amount: int, seconds: int, length: int, part: int
) -> None:
    assert rounding.proration(amount, seconds, length) == part


@pytest.mark.parametrize(
    ("amount", "part", "whole", "proportion"),
    [(5, 1, 2, 3), (-5, 1, 2, -3), (6, 1, 12, 1), (100, 1, 3, 33), (100, 5, 0, 0)],
)
def test_a_proportion_is_rounded_half_up(amount: int, part: int, whole: int, proportion: int) -> None:
    assert rounding.proportion(amount, part, whole) == proportion


@pytest.mark.parametrize(
    ("taxable", "percent", "tax"), [(1000, "19", 190), (250, "1", 3), (249, "1", 2), (-250, "1", -3)]
)
def test_a_tax_on_top_is_rounded_half_up(taxable: int, percent: str, tax: int) -> None:
    assert rounding.exclusive_tax(taxable, Decimal(percent)) == tax


@pytest.mark.parametrize(
    ("gross", "percent", "total", "tax"),
    [(1190, "19", "19", 190), (63, "5", "5", 3), (1, "100", "100", 1), (1100, "4", "10", 40)],
)
def test_a_tax_within_an_amount_is_rounded_half_up(gross: int, percent: str, total: str, tax: int) -> None:
    assert rounding.inclusive_tax(gross, Decimal(percent), Decimal(total)) == tax


@pytest.mark.parametrize(("amount", "percent", "off"), [(1, "50", 1), (5, "50", 3), (999, "33.3", 333), (-5, "50", -3)])
def test_a_percentage_off_is_rounded_half_up(amount: int, percent: str, off: int) -> None:
    assert rounding.percent_off(amount, Decimal(percent)) == off


@pytest.mark.parametrize(
    ("amount", "rate", "exchanged"),
    [(1, "1/2", 1), (-1, "1/2", -1), (3, "1/2", 2), (1000, "0.86", 860), (1, "1/3", 0), (0, "2", 0)],
)
def test_an_exchange_is_rounded_half_up(amount: int, rate: str, exchanged: int) -> None:
    assert rounding.exchange(amount, Fraction(rate)) == exchanged


@pytest.mark.parametrize(
    ("whole", "part", "of", "share"), [(100, 1, 3, 33), (100, 2, 3, 66), (5, 1, 2, 2), (100, 3, 3, 100), (100, 1, 0, 0)]
)
def test_a_share_is_rounded_down(whole: int, part: int, of: int, share: int) -> None:
    assert rounding.share_down(whole, part, of) == share


@pytest.mark.parametrize(("unit", "quantity"), [(99_999_999, 10**15), (10**8, 10**7), (1, 10**40), (-(10**8), 10**7)])
def test_a_price_times_a_quantity_has_a_bound(unit: int, quantity: int) -> None:
    with pytest.raises(ApiError) as refused:
        rounding.price_amount(Decimal(unit), quantity)
    assert (refused.value.status, refused.value.code) == (400, "amount_too_large")
