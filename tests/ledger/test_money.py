"""Money: whole minor units of one currency."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tollkey.ledger import CurrencyMismatch, Money


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


def test_an_amount_is_never_taken_for_a_truth_value() -> None:
    with pytest.raises(TypeError, match="is_zero"):
        bool(Money(0, "jpy"))


@pytest.mark.parametrize("amount", [1.0, True, "1", None])
def test_an_amount_is_an_int_and_nothing_like_one(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "usd")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["USD", "", "us d", "€"])
def test_a_currency_is_a_lower_case_code(currency: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        Money(1, currency)


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


def test_money_does_not_add_to_a_bare_number() -> None:
    with pytest.raises(TypeError):
        Money(1, "usd") + 1  # type: ignore[operator]


def test_money_is_not_multiplied() -> None:
    assert not hasattr(Money, "__mul__")
