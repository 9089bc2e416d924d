"""Money: whole minor units of one currency."""

from __future__ import annotations

import pytest

from tollkey.ledger import Money


def test_money_of_one_currency_adds_and_subtracts() -> None:
    assert Money(941, "usd") + Money(59, "usd") == Money(1000, "usd")
    assert Money(1000, "usd") - Money(1500, "usd") == Money(-500, "usd")
    assert -Money(5, "jpy") == Money(-5, "jpy")


@pytest.mark.parametrize("amount", [1.0, True, "1", None])
def test_an_amount_is_an_int_and_nothing_like_one(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "usd")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["USD", "", "us d", "€"])
def test_a_currency_is_a_lower_case_code(currency: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        Money(1, currency)


def test_two_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="different currencies"):
        Money(1, "usd") + Money(1, "eur")
    with pytest.raises(ValueError, match="different currencies"):
        assert Money(1, "usd") < Money(2, "eur")


def test_money_does_not_add_to_a_bare_number() -> None:
    with pytest.raises(TypeError):
        Money(1, "usd") + 1  # type: ignore[operator]


def test_money_compares_within_its_currency() -> None:
    assert Money(1, "usd") < Money(2, "usd") <= Money(2, "usd")
    assert Money(3, "usd") > Money(2, "usd") >= Money(2, "usd")
    assert not Money(0, "usd")
