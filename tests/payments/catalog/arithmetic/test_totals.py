"""Totals: whatever the discounts and taxes, lines add up to the invoice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollkey.ledger import CurrencyMismatch, Money
from tollkey.payments.catalog.arithmetic import Line, Off, Rate, compute

NOTHING = Money(0, "usd")


def usd(amount: int) -> Money:
    return Money(amount, "usd")


amounts = st.integers(-100_000, 1_000_000).map(usd)
rates = st.lists(
    st.builds(Rate, st.sampled_from("abc"), st.integers(0, 30).map(Decimal), st.booleans()),
    max_size=2,
    unique_by=lambda rate: rate.id,
)
percents = st.builds(Off, st.sampled_from("xyz"), st.integers(1, 100).map(Decimal))
fixed = st.builds(lambda id, amount: Off(id, None, usd(amount)), st.sampled_from("uvw"), st.integers(1, 500_000))
offs = st.lists(st.one_of(percents, fixed), max_size=3, unique_by=lambda off: off.id)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(Line, amounts, st.booleans(), st.none(), offs, rates), min_size=1, max_size=6), offs, rates)
def test_lines_add_up_to_the_invoice(lines: list[Line], discounts: list[Off], default: list[Rate]) -> None:
    totals = compute(lines, discounts, default, currency="usd")
    assert totals.total == sum((line.gross for line in lines), NOTHING)
    assert totals.subtotal == sum((line.amount for line in lines), NOTHING)
    assert sum(amount for _, amount in totals.discounts) == sum(amount for line in lines for _, amount in line.off)
    assert sum(tax.amount for tax in totals.taxes) == sum(tax.amount for line in lines for tax in line.taxes)
    assert totals.total_excluding_tax == totals.total - usd(sum(tax.amount for tax in totals.taxes))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(Line, st.integers(0, 1_000_000).map(usd)), min_size=1, max_size=8), offs)
def test_a_discount_never_takes_more_than_a_line_costs(lines: list[Line], discounts: list[Off]) -> None:
    compute(lines, discounts, currency="usd")
    assert all(NOTHING <= line.net <= line.amount for line in lines)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=8), st.integers(1, 1_000_000))
def test_an_amount_off_is_spent_to_the_last_unit(costs: list[int], off: int) -> None:
    lines = [Line(usd(cost)) for cost in costs]
    totals = compute(lines, [Off("o", None, usd(off))], currency="usd")
    assert sum(amount for _, amount in totals.discounts) == min(off, sum(costs))


def test_an_inclusive_tax_is_found_inside_and_an_exclusive_one_added() -> None:
    inside = compute([Line(usd(1100))], (), [Rate("t", Decimal(10), True)], currency="usd")
    assert (inside.total, inside.total_excluding_tax, inside.taxes[0].amount) == (usd(1100), usd(1000), 100)
    added = compute([Line(usd(1000))], (), [Rate("t", Decimal("8.25"))], currency="usd")
    assert (added.total, added.total_excluding_tax, added.taxes[0].amount) == (usd(1083), usd(1000), 83)


@pytest.mark.parametrize(
    ("line", "off"),
    [
        (Line(Money(1000, "eur")), Off("o")),
        (Line(usd(1000)), Off("o", None, Money(500, "eur"))),
        (Line(usd(1000), discounts=[Off("o", None, Money(500, "eur"))]), Off("o")),
    ],
)
def test_a_line_or_a_discount_in_another_currency_is_never_added_up(line: Line, off: Off) -> None:
    with pytest.raises(CurrencyMismatch):
        compute([line], [off], currency="usd")


def test_an_invoice_without_lines_adds_up_to_nothing() -> None:
    totals = compute([], [Off("o", None, usd(500))], currency="usd")
    assert (totals.total, totals.subtotal, totals.discounts) == (NOTHING, NOTHING, [])
