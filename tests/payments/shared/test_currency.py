"""Currencies and the amounts that can be charged in them."""

from __future__ import annotations

import pytest

from tollkey.payments.shared import currency
from tollkey.wire import ApiError


def refusal(amount: int, code: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        currency.check_amount(amount, code)
    return caught.value


def test_a_currency_is_taken_in_any_case() -> None:
    assert currency.check_currency("USD") == "usd"


def test_an_unknown_currency_is_told_all_known_ones() -> None:
    with pytest.raises(ApiError) as caught:
        currency.check_currency("euro")
    error = caught.value
    assert error.status == 400
    assert error.param == "currency"
    assert error.message.startswith(
        "Invalid currency: euro. Stripe currently supports these currencies: usd, aed, afn, all, amd, ang, aoa, ars"
    )


def test_the_list_has_no_doubles_and_holds_every_special_currency() -> None:
    assert len(set(currency.SUPPORTED)) == len(currency.SUPPORTED)
    assert currency.ZERO_DECIMAL | currency.THREE_DECIMAL | currency.MINIMUM.keys() <= set(currency.SUPPORTED)


@pytest.mark.parametrize(
    ("code", "smallest"), [("usd", 50), ("gbp", 30), ("jpy", 50), ("mxn", 1000), ("huf", 17500), ("pyg", 1)]
)
def test_each_currency_has_its_smallest_charge(code: str, smallest: int) -> None:
    currency.check_amount(smallest, code)
    assert refusal(smallest - 1, code).code == "parameter_invalid_integer"


def test_an_amount_below_one_is_refused_as_a_number_and_one_below_the_minimum_as_a_charge() -> None:
    assert refusal(0, "usd").message == "This value must be greater than or equal to 1."
    error = refusal(49, "usd")
    assert (error.status, error.code, error.param) == (400, "parameter_invalid_integer", "amount")
    assert error.message.startswith(
        "The amount must be greater than or equal to the minimum charge amount allowed for your account"
    )


def test_an_amount_has_at_most_eight_digits() -> None:
    currency.check_amount(99_999_999, "usd")
    error = refusal(100_000_000, "usd")
    assert (error.code, error.message) == ("amount_too_large", "Amount must be no more than $999,999.99")
    assert refusal(100_000_000, "jpy").message == "Amount must be no more than ¥99,999,999"


def test_what_is_not_a_card_charge_may_be_as_small_as_one() -> None:
    currency.check_amount(1, "usd", smallest=1)


def test_an_amount_with_three_decimals_ends_in_zero() -> None:
    currency.check_amount(5120, "kwd")
    assert refusal(5124, "kwd").param == "amount"


@pytest.mark.parametrize(("code", "step"), [("kwd", 10), ("isk", 100), ("ugx", 100), ("jpy", 1), ("huf", 1)])
def test_an_amount_is_a_multiple_of_what_the_currency_is_counted_in(code: str, step: int) -> None:
    currency.check_amount(20_000, code)
    if step > 1:
        message = f"Invalid amount. Amounts in {code.upper()} must be evenly divisible by {step}; you passed 20005."
        assert refusal(20_005, code).message == message
    else:
        currency.check_amount(20_005, code)


def test_only_rupiahs_have_twelve_digits() -> None:
    currency.check_amount(999_999_999_999, "idr")
    assert refusal(1_000_000_000_000, "idr").message == "Amount must be no more than IDR 9,999,999,999.99"
    assert refusal(100_000_000, "lbp").message == "Amount must be no more than LBP 999,999.99"


def test_a_session_too_small_says_how_much_it_takes() -> None:
    error = currency.session_too_small("usd")
    assert (error.code, error.message) == (
        "amount_too_small",
        "The Checkout Session's total amount due must add up to at least $0.50 USD",
    )


@pytest.mark.parametrize(
    ("amount", "code", "text"),
    [
        (600, "usd", "$6.00"),
        (5, "usd", "$0.05"),
        (-1234567, "eur", "-€12,345.67"),
        (500, "jpy", "¥500"),
        (1000, "dkk", "DKK 10.00"),
        (1230, "kwd", "KWD 1.230"),
    ],
)
def test_amounts_are_written_as_error_messages_write_them(amount: int, code: str, text: str) -> None:
    assert currency.show(amount, code) == text
