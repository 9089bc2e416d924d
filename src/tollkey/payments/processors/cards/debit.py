"""Debit cards to test payouts with (connect testing page).

A country has a Visa debit that succeeds, one that fails, one without instant payouts, and a Mastercard debit that
succeeds. Their numbers consist of a prefix, the country's ISO number, a serial and the check digit.
"""

from __future__ import annotations

from collections.abc import Iterator

from tollkey.payments.processors.cards.card import CardPayout, TestCard
from tollkey.payments.processors.cards.luhn import with_check_digit

_COUNTRIES = {
    "CA": 124, "SG": 702, "AU": 36, "AE": 784, "GB": 826, "AT": 40, "BE": 56, "HR": 191, "CY": 196, "EE": 233,
    "FI": 246,
    "FR": 250, "DE": 276, "GR": 300, "IE": 372, "IT": 380, "LV": 428, "LT": 440, "LU": 442, "MT": 470, "NL": 528,
    "PT": 620,
    "SK": 703, "SI": 705, "ES": 724, "DK": 208, "MY": 458, "NZ": 554, "NO": 578, "SE": 752, "CZ": 203, "HU": 348,
    "PL": 616,
    "RO": 642,
}  # fmt: skip
#: Serials other than 0, 1, 2.
_VISA_SERIALS = {
    "CA": (0, 2, 3), "AU": (1, 2, 3), "GB": (20, 21, 22), "DE": (3, 1, 2), "IT": (3, 1, 2), "ES": (3, 1, 2),
    "MY": (3, 1, 2),
    "RO": (3, 1, 2),
}  # fmt: skip
_MASTERCARDS = {
    "CA": "5510121240000006",
    "SG": "2227200000000009",
    "AU": "5555050360000023",
    "GB": "5555058260000100",
    "NZ": "5555055540000165",
}
_KINDS = (
    ("transferSuccess", CardPayout.SUCCEEDS),
    ("transferFail", CardPayout.FAILS),
    ("instantPayoutUnsupported", CardPayout.NO_INSTANT),
)


def _cards() -> Iterator[TestCard]:
    yield TestCard(
        "4000056655665572", "visa", "US", "debit", ("tok_visa_debit_us_transferFail",), payout=CardPayout.FAILS
    )
    yield TestCard(
        "4000056755665555",
        "visa",
        "US",
        "debit",
        ("tok_visa_debit_us_instantPayoutUnsupported",),
        payout=CardPayout.NO_INSTANT,
    )
    for country, number in _COUNTRIES.items():
        for (kind, payout), serial in zip(_KINDS, _VISA_SERIALS.get(country, (0, 1, 2)), strict=True):
            visa = with_check_digit(f"400005{number:03}{serial:06}")
            yield TestCard(visa, "visa", country, "debit", (f"tok_visa_debit_{country.lower()}_{kind}",), payout=payout)
        other = _MASTERCARDS.get(country) or with_check_digit(f"555505{number:03}000000")
        name = f"tok_mastercard_debit_{country.lower()}_transferSuccess"
        yield TestCard(other, "mastercard", country, "debit", (name,), payout=CardPayout.SUCCEEDS)


PAYOUT_CARDS: tuple[TestCard, ...] = tuple(_cards())
