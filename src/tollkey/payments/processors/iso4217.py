"""Amounts and currencies as networks and banks have them: ISO 4217's three digits for a currency, and its decimals.

``iso4217.tsv`` has the numbers and decimal digits of ISO 4217 (list one) for the currencies that can be charged.
Amounts of the API differ from it in three: they have no decimals in MGA, which has two, and two in ISK and UGX, which
have none (Stripe's page about currencies).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from tollkey.wire.decimals import decimals


@cache
def _table() -> Mapping[str, tuple[str, int]]:
    text = files("tollkey.payments.processors").joinpath("iso4217.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {currency: (number, int(digits)) for currency, number, digits in rows}


def _scale(digits: int) -> int:
    return int(10**digits)


def known() -> frozenset[str]:
    """Return the currencies that have a number, in lower case."""
    return frozenset(_table())


def number(currency: str) -> str:
    """Return the three digits of a currency. Raises KeyError without one."""
    return _table()[currency][0]


def units(minor: int, currency: str) -> int:
    """Return an amount in the smallest units of ISO 4217. minor: in minor units of the API.

    Raises ValueError for one that has no whole number of them, KeyError for a currency without a number.
    """
    found, rest = divmod(minor * _scale(_table()[currency][1]), _scale(decimals(currency)))
    if rest:
        raise ValueError(f"{minor} {currency} is no amount of ISO 4217: the currency has no such fraction")
    return found


def minor(units: int, currency: str) -> int:
    """Return an amount in minor units of the API. units: the smallest ones of ISO 4217.

    Raises ValueError for one that has no whole number of them, KeyError for a currency without a number.
    """
    found, rest = divmod(units * _scale(decimals(currency)), _scale(_table()[currency][1]))
    if rest:
        raise ValueError(f"{units} units of {currency} are no amount of the API")
    return found


def text(units: int, currency: str) -> str:
    """Return an amount with its decimals, such as ``12.30``. units: the smallest ones of ISO 4217, not negative."""
    digits = _table()[currency][1]
    whole, rest = divmod(units, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def read(text: str, currency: str) -> int:
    """Return the smallest units of ISO 4217 that a decimal text says, exactly. Raises ValueError for any other text."""
    whole, _, rest = text.partition(".")
    digits = _table()[currency][1]
    kept, more = rest[:digits].ljust(digits, "0"), rest[digits:]
    if not (whole + rest).isascii() or not (whole + rest).isdigit() or more.strip("0"):
        raise ValueError(f"{text!r} is no amount in {currency}")
    return int((whole or "0") + kept)
