"""Amounts as ISO 4217 counts them, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkey.payments.processors import iso4217


@pytest.mark.parametrize(
    ("minor", "currency", "units", "text"),
    [
        (1234, "usd", 1234, "12.34"),
        (5, "eur", 5, "0.05"),
        (500, "jpy", 500, "500"),
        (12340, "kwd", 12340, "12.340"),
        (500, "isk", 5, "5"),
        (100, "mga", 10_000, "100.00"),
    ],
)
def test_an_amount_has_the_units_and_the_text_of_iso_4217(minor: int, currency: str, units: int, text: str) -> None:
    assert iso4217.units(minor, currency) == units
    assert iso4217.text(units, currency) == text
    assert iso4217.minor(iso4217.read(text, currency), currency) == minor


@pytest.mark.parametrize(("minor", "currency"), [(550, "isk"), (1, "ugx")])
def test_a_fraction_that_a_currency_does_not_have_is_refused(minor: int, currency: str) -> None:
    with pytest.raises(ValueError, match="no such fraction"):
        iso4217.units(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.234", "usd"), ("-1", "usd"), ("", "usd"), (".", "usd"), ("1,00", "eur"), ("1e3", "eur"), ("1.5", "jpy"),
     ("١", "usd"), ("+1", "usd"), ("1.2.3", "usd")],
)  # fmt: skip
def test_a_text_that_is_no_exact_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        iso4217.read(text, currency)


@given(st.integers(0, 10**15), st.sampled_from(sorted(iso4217.known())))
def test_an_amount_is_read_as_it_was_written(units: int, currency: str) -> None:
    text = iso4217.text(units, currency)
    assert iso4217.read(text, currency) == units
    assert iso4217.read(text + "0" * ("." in text), currency) == units


def test_every_number_has_three_digits_and_belongs_to_one_currency() -> None:
    numbers = [iso4217.number(currency) for currency in iso4217.known()]
    assert all(len(number) == 3 and number.isdigit() for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_an_amount_that_the_api_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no amount of the API"):
        iso4217.minor(1, "mga")
