"""The check digit of card numbers (ISO/IEC 7812-1)."""

from __future__ import annotations


def luhn_valid(number: str) -> bool:
    """Return whether the check digit is correct. Only digits; an empty text is not valid."""
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
    """Return the digits followed by their check digit."""
    return next(digits + last for last in "0123456789" if luhn_valid(digits + last))
