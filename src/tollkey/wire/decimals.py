"""How many decimal digits the amounts of a currency have. Source: Stripe's page about currencies."""

from __future__ import annotations

import re

ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


def decimals(currency: str) -> int:
    """Return the number of decimal digits of a currency: 0, 2 or 3. currency: lower-case code."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


#: A number as people write amounts: no exponent, whose digits would be made however many they are.
_TYPED = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{0,12}))?", re.ASCII)


def typed_amount(text: str, currency: str) -> int | None:
    """Return an amount that somebody typed (``12.50``, ``12,5``) in minor units; None for any other text, and for
    fractions that the currency does not have.
    """
    found, places = _TYPED.fullmatch(text), decimals(currency)
    fraction = ((found and found[2]) or "").rstrip("0")
    if found is None or len(fraction) > places:
        return None
    return int(found[1] + fraction.ljust(places, "0"))
