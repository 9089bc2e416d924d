"""Fixed exchange rates of test mode: units of a currency for one US dollar."""

from __future__ import annotations

from fractions import Fraction

from tollkey.ledger import Money
from tollkey.payments.shared import rounding
from tollkey.payments.shared.currency import decimals

_PER_DOLLAR: dict[str, str] = {
    "usd": "1", "eur": "0.86", "gbp": "0.75", "chf": "0.8", "cad": "1.39", "aud": "1.52", "nzd": "1.72", "jpy": "152",
    "krw": "1430",
    "sgd": "1.3", "hkd": "7.78", "sek": "9.5", "dkk": "6.42", "nok": "10.1", "pln": "3.66", "czk": "20.9", "huf": "334",
    "ron": "4.37",
    "bgn": "1.68", "brl": "5.4", "mxn": "18.4", "inr": "88", "myr": "4.2", "thb": "32.5", "aed": "3.6725", "clp": "950",
    "cop": "3900",
    "pen": "3.4", "ars": "1450", "uyu": "39.8", "bob": "6.9", "pyg": "7100", "crc": "503", "dop": "63", "php": "58",
    "idr": "16600",
    "vnd": "26300", "twd": "30.8", "mop": "8.01", "ils": "3.3", "try": "42", "sar": "3.75", "qar": "3.64",
    "kwd": "0.307", "bhd": "0.376",
    "omr": "0.3845", "jod": "0.709", "egp": "47.5", "mad": "9.3", "zar": "17.3", "ngn": "1450", "ghs": "10.9",
    "kes": "129", "isk": "123",
}  # fmt: skip


def rate(source: str, target: str) -> float:
    """Return ``exchange_rate`` of a balance transaction: minor units of the target for one of the source, to
    six digits.
    """
    exact = Fraction(_PER_DOLLAR.get(target, "1")) / Fraction(_PER_DOLLAR.get(source, "1"))
    minor = exact * Fraction(10) ** (decimals(target) - decimals(source))
    return float(f"{float(minor):.6g}")


def convert(money: Money, target: str) -> Money:
    """Convert an amount to another currency, rounded by ``rounding.exchange``. target: lower-case currency code."""
    if money.currency == target:
        return money
    return Money(rounding.exchange(money.amount, Fraction(str(rate(money.currency, target)))), target)
