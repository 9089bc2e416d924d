"""Amounts with their currency."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tollkey.payments.shared.money import CurrencyMismatch, Money


def test_amounts_of_one_currency_are_added_subtracted_negated_and_ordered() -> None:
    ten, three = Money(1000, "eur"), Money(300, "eur")
    assert ten + three == Money(1300, "eur")
    assert three - ten == Money(-700, "eur")
    assert -three == Money(-300, "eur")
    assert three < ten
    assert ten >= three
    assert ten > three
    assert three <= three
    assert min(ten, three) == three
    assert ten.with_amount(1) == Money(1, "eur")


def test_an_amount_says_whether_it_is_zero_or_positive() -> None:
    assert Money(0, "jpy").is_zero
    assert not Money(0, "jpy").is_positive
    assert Money(1, "jpy").is_positive
    assert not Money(-1, "jpy").is_positive


@pytest.mark.parametrize(
    "combine",
    [
        lambda one, other: one + other,
        lambda one, other: one - other,
        lambda one, other: one < other,
        lambda one, other: one <= other,
        lambda one, other: one > other,
        lambda one, other: one >= other,
    ],
)
def test_amounts_of_two_currencies_are_never_combined(combine: Callable[[Money, Money], object]) -> None:
    with pytest.raises(CurrencyMismatch, match="usd and eur cannot be combined"):
        combine(Money(1, "usd"), Money(1, "eur"))


def test_amounts_of_two_currencies_are_never_equal() -> None:
    assert Money(0, "usd") != Money(0, "eur")


def test_money_is_not_multiplied() -> None:
    assert not hasattr(Money, "__mul__")
