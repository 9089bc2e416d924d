"""Is a new card's data well formed, and does it belong in this mode? (reference sections 6.2 and 6.5)"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import NamedTuple

from tollkey.db import alphanumeric
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
    """Why a card is refused before anybody asks its bank: the fields of a 402 ``card_error``."""

    code: str
    message: str
    param: str
    decline_code: str | None = None


def normal_number(text: str) -> str:
    """A card number as people type it, without its spaces and hyphens."""
    return text.replace(" ", "").replace("-", "")


#: First digits (from, to, inclusive) of each brand and how long its numbers are. The first match counts.
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
    """The brand by a number's first digits, as PaymentMethods name it (``visa``); ``unknown`` when no range fits."""
    known = by_number(number)
    return known.brand if known is not None else _range_of(number)[0]


def card_of(number: str) -> TestCard:
    """The test card with that number, or, for a real card, what its number alone tells."""
    return by_number(number) or TestCard(number, brand_of(number), country=None, funding="unknown")


def full_year(year: int, now: int) -> int:
    """A two-digit year is read as the one nearest to ``now``: 34 as 2034, 95 as 1995."""
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
    livemode: bool,
) -> CardProblem | None:
    """What is wrong with a card that someone typed in, or None: nothing.

    number: digits, spaces and hyphens as typed. exp_year: four digits or two. cvc: None when it was not given.
    now: UTC epoch seconds; a card is good to the end of its month.
    The number is looked at first, then month, year, security code, and at last whether card and mode belong together.
    """
    digits = normal_number(number)
    brand, lengths = _range_of(digits)
    if not (digits.isascii() and digits.isdigit()) or not 12 <= len(digits) <= 19:
        return CardProblem("invalid_number", _NOT_A_NUMBER, "number")
    if not luhn_valid(digits) or (len(digits) not in lengths and by_number(digits) is None):
        return CardProblem("incorrect_number", _WRONG_NUMBER, "number")
    return _expiry_problem(exp_month, exp_year, now) or _cvc_problem(brand, cvc) or _mode_problem(digits, livemode)


def _expiry_problem(month: int, year: int, now: int) -> CardProblem | None:
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


def _mode_problem(digits: str, livemode: bool) -> CardProblem | None:
    if livemode and by_number(digits) is not None:
        return CardProblem("card_declined", _LIVE_MODE, "", "live_mode_test_card")
    if not livemode and by_number(digits) is None:
        return CardProblem("card_declined", _TEST_MODE, "", "test_mode_live_card")
    return None


def fingerprint(number: str, account: str, key: bytes = b"") -> str:
    """16 characters that are the same for the same number in the same account, and tell nothing of it elsewhere.

    key: at most 64 secret bytes. Card numbers are few enough to try them all, so a store of real cards needs one.
    """
    text, found = f"{account}:{number}".encode(), ""
    while len(found) < 16:  # once is enough, but for one in billions
        text = hashlib.blake2b(text, key=key, digest_size=32, person=b"fingerprint").digest()
        found += alphanumeric(text)
    return found[:16]
