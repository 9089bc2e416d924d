"""Validation of new card data, and whether the card may be used in this mode (reference sections 6.2 and 6.5)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import NamedTuple

from tollkey.db.ids import alphanumeric
from tollkey.payments.processors.cards.card import TestCard
from tollkey.payments.processors.cards.luhn import luhn_valid
from tollkey.payments.processors.cards.numbers import by_number

_WRONG_NUMBER = "Your card number is incorrect."
_NOT_A_NUMBER = "The card number is not a valid credit card number."
_TEST_MODE = (
    "Your card was declined. Your request was in test mode, but used a non test card."
    " For a list of valid test cards, visit: https://stripe.com/docs/testing."
)
_LIVE_MODE = "Your card was declined. Your request was in live mode, but used a known test card."


class CardProblem(NamedTuple):
    """Why a card is refused before its bank is asked: the fields of a 402 ``card_error``."""

    code: str
    message: str
    param: str
    decline_code: str | None = None


def normal_number(text: str) -> str:
    """Return a card number without its spaces and hyphens."""
    return text.replace(" ", "").replace("-", "")


#: Ranges of first digits (inclusive) of each brand, and the lengths of its numbers. The first match counts.
_RANGES: tuple[tuple[str, int, int, tuple[int, ...]], ...] = (
    ("amex", 34, 34, (15,)),
    ("amex", 37, 37, (15,)),
    ("diners", 300, 305, (14, 16)),
    ("diners", 36, 36, (14,)),
    ("diners", 38, 39, (14, 16)),
    ("jcb", 3528, 3589, (16,)),
    ("interac", 4506, 4506, (16,)),
    ("visa", 4, 4, (13, 16, 19)),
    ("mastercard", 51, 55, (16,)),
    ("mastercard", 2221, 2720, (16,)),
    ("discover", 6011, 6011, (16, 19)),
    ("discover", 644, 649, (16, 19)),
    ("discover", 65, 65, (16, 19)),
    ("unionpay", 62, 62, (16, 17, 18, 19)),
    ("unionpay", 81, 81, (16, 17, 18, 19)),
)


def _range_of(number: str) -> tuple[str, tuple[int, ...]]:
    for brand, low, high, lengths in _RANGES:
        head = number[: len(str(low))]
        if head.isdigit() and len(head) == len(str(low)) and low <= int(head) <= high:
            return brand, lengths
    return "unknown", tuple(range(12, 20))


def brand_of(number: str) -> str:
    """Return the brand of a number by its first digits, as in PaymentMethods (``visa``); ``unknown`` if none
    matches.
    """
    known = by_number(number)
    return known.brand if known is not None else _range_of(number)[0]


def card_of(number: str) -> TestCard:
    """Return the test card with that number, or for a real card one with its brand only."""
    return by_number(number) or TestCard(number, brand_of(number), country=None, funding="unknown")


def unknown_card(number: str, brand: str | None = None) -> TestCard:
    """Return a card of which nothing is known but its brand, whatever its number means in test mode.

    brand: None for that of its first digits.
    """
    return TestCard(number, brand or _range_of(number)[0], country=None, funding="unknown")


def full_year(year: int, now: int) -> int:
    """Return a four-digit year: two digits mean the year nearest to ``now``: 34 is 2034, 95 is 1995. now: UTC epoch
    seconds.
    """
    if not 0 <= year <= 99:
        return year
    current = datetime.fromtimestamp(now, UTC).year
    candidate = current - current % 100 + year
    return candidate - 100 if candidate > current + 50 else candidate


def validate_new_card(
    number: str,
    exp_month: int,
    exp_year: int,
    cvc: str | None,
    now: int,
    livemode: bool | None,
) -> CardProblem | None:
    """Return why the data of a new card is not valid, or None.

    number: digits, spaces and hyphens as given. exp_year: four or two digits. cvc: None if not given.
    now: UTC epoch seconds; a card is valid until the end of its month. livemode: None where every number may be used.
    The checks run in this order: number, month, year, CVC, and whether the card may be used in this mode.
    """
    digits = normal_number(number)
    brand, lengths = _range_of(digits)
    if not (digits.isascii() and digits.isdigit()) or not 12 <= len(digits) <= 19:
        return CardProblem("invalid_number", _NOT_A_NUMBER, "number")
    if not luhn_valid(digits) or (len(digits) not in lengths and by_number(digits) is None):
        return CardProblem("incorrect_number", _WRONG_NUMBER, "number")
    return expiry_problem(exp_month, exp_year, now) or _cvc_problem(brand, cvc) or _mode_problem(digits, livemode)


def expiry_problem(month: int, year: int, now: int) -> CardProblem | None:
    """Return why a card cannot have an expiry, or None. year: four or two digits. now: UTC epoch seconds."""
    today = datetime.fromtimestamp(now, UTC)
    year = full_year(year, now)
    bad_month = CardProblem("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
    if not 1 <= month <= 12:
        return bad_month
    if not today.year <= year <= today.year + 50:
        return CardProblem("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
    if year == today.year and month < today.month:
        return bad_month
    return None


def _cvc_problem(brand: str, cvc: str | None) -> CardProblem | None:
    if cvc is None:
        return None
    lengths = (3, 4) if brand == "amex" else (3,)
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) in lengths):
        return CardProblem("invalid_cvc", "Your card's security code is invalid.", "cvc")
    return None


def _mode_problem(digits: str, livemode: bool | None) -> CardProblem | None:
    if livemode and by_number(digits) is not None:
        return CardProblem("card_declined", _LIVE_MODE, "", "live_mode_test_card")
    if livemode is False and by_number(digits) is None:
        return CardProblem("card_declined", _TEST_MODE, "", "test_mode_live_card")
    return None


def fingerprint(number: str, account: str, key: bytes = b"") -> str:
    """Return 16 characters that identify a number within an account, and reveal nothing about it elsewhere.

    key: at most 64 secret bytes, required for real cards: without it all possible numbers could be tried.
    """
    text, found = f"{account}:{number}".encode(), ""
    while len(found) < 16:  # once is enough, but for one in billions
        text = hashlib.blake2b(text, key=key, digest_size=32, person=b"fingerprint").digest()
        found += alphanumeric(text)
    return found[:16]
