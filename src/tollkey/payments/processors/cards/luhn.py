"""The check digit of card numbers (ISO/IEC 7812-1)."""

from __future__ import annotations


def luhn_valid(number: str) -> bool:
    """Whether the last digit fits the others. Only digits; an empty text does not fit."""
    if not (number.isascii() and number.isdigit()):
        return False
    total = 0
    for place, character in enumerate(reversed(number)):
        digit = int(character)
        if place % 2 == 1:
            digit = digit * 2 if digit < 5 else digit * 2 - 9
        total += digit
    return total % 10 == 0


def with_check_digit(digits: str) -> str:
    """The digits and the one that makes them valid."""
    return next(digits + last for last in "0123456789" if luhn_valid(digits + last))
