"""Is a new card's data well formed, and does it belong in this mode? (reference sections 6.2 and 6.5)"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.api import Api
from tollkey.payments.processors import cards
from tollkey.payments.processors.cards import (
    CardProblem,
)


def test_a_test_card_is_refused_in_live_mode_and_a_real_one_in_test_mode(api: Api) -> None:
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    live = api.post("/v1/tokens", key=api.live_sk, card=card)
    assert live.error["decline_code"] == "live_mode_test_card"
    test = api.post("/v1/tokens", card={**card, "number": "4539578763621486"})
    assert test.error["decline_code"] == "test_mode_live_card"


NOW = int(datetime(2026, 6, 15, tzinfo=UTC).timestamp())
REAL_NUMBER = "4539578763621486"  # valid, and not a test card here


@pytest.mark.parametrize(
    ("number", "month", "year", "cvc", "code", "param"),
    [
        ("4242424242424241", 12, 2030, "123", "incorrect_number", "number"),
        ("424242424242", 12, 2030, "123", "incorrect_number", "number"),
        ("4242", 12, 2030, "123", "invalid_number", "number"),
        ("", 12, 2030, "123", "invalid_number", "number"),
        ("4242x24242424242", 12, 2030, "123", "invalid_number", "number"),
        ("٤242424242424242", 12, 2030, "123", "invalid_number", "number"),
        ("4242424242424242", 13, 2030, "123", "invalid_expiry_month", "exp_month"),
        ("4242424242424242", 0, 2030, "123", "invalid_expiry_month", "exp_month"),
        ("4242424242424242", 5, 2026, "123", "invalid_expiry_month", "exp_month"),
        ("4242424242424242", 12, 2025, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, 95, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, 2077, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, -1, "123", "invalid_expiry_year", "exp_year"),
        ("4242424242424242", 12, 2030, "99", "invalid_cvc", "cvc"),
        ("4242424242424242", 12, 2030, "1234", "invalid_cvc", "cvc"),
        ("4242424242424242", 12, 2030, "12a", "invalid_cvc", "cvc"),
        ("4242424242424242", 12, 2030, "", "invalid_cvc", "cvc"),
        ("4242424242424241", 13, 95, "99", "incorrect_number", "number"),
    ],
)
def test_wrong_card_data_is_named(number: str, month: int, year: int, cvc: str, code: str, param: str) -> None:
    problem = cards.validate_new_card(number, month, year, cvc, NOW, False)
    assert problem is not None
    assert (problem.code, problem.param, problem.decline_code) == (code, param, None)


@pytest.mark.parametrize(
    ("number", "month", "year", "cvc"),
    [
        ("4242 4242 4242 4242", 6, 2026, "123"),
        ("4242-4242-4242-4242", 1, 34, None),
        ("378282246310005", 1, 2030, "1234"),
        ("6205500000000000004", 1, 2030, "123"),
        ("36227206271667", 1, 2030, "123"),
    ],
)
def test_a_good_test_card_has_no_problem_in_test_mode(number: str, month: int, year: int, cvc: str | None) -> None:
    assert cards.validate_new_card(number, month, year, cvc, NOW, False) is None


def test_a_card_of_the_other_mode_is_declined() -> None:
    assert cards.validate_new_card(REAL_NUMBER, 12, 2030, "123", NOW, False) == CardProblem(
        "card_declined",
        "Your card was declined. Your request was in test mode, but used a non test card."
        " For a list of valid test cards, visit: https://stripe.com/docs/testing.",
        "",
        "test_mode_live_card",
    )
    assert cards.validate_new_card("4242424242424242", 12, 2030, "123", NOW, True) == CardProblem(
        "card_declined",
        "Your card was declined. Your request was in live mode, but used a known test card.",
        "",
        "live_mode_test_card",
    )
    assert cards.validate_new_card(REAL_NUMBER, 12, 2030, "123", NOW, True) is None


def test_a_two_digit_year_is_the_nearest_one() -> None:
    assert [cards.full_year(year, NOW) for year in (26, 34, 76, 77, 95, 2031)] == [2026, 2034, 2076, 1977, 1995, 2031]


def test_a_real_number_tells_its_brand_and_nothing_else() -> None:
    card = cards.card_of(REAL_NUMBER)
    assert (card.brand, card.country, card.funding, card.last4) == ("visa", None, "unknown", "1486")
    assert cards.card_of("9999999999999999").brand == "unknown"


def test_a_fingerprint_is_the_cards_own_within_an_account() -> None:
    mine = cards.fingerprint("4242424242424242", "acct_1")
    assert len(mine) == 16
    assert mine.isalnum()
    assert mine == cards.fingerprint("4242424242424242", "acct_1")
    others = {
        cards.fingerprint("4242424242424242", "acct_2"),
        cards.fingerprint("4000056655665556", "acct_1"),
        cards.fingerprint("4242424242424242", "acct_1", b"key"),
    }
    assert len(others | {mine}) == 4
