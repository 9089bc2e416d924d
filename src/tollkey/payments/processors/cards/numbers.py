"""Lookup of all test cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tollkey.payments.processors.cards.behaviours import BEHAVIOURS
from tollkey.payments.processors.cards.brands import BRANDS
from tollkey.payments.processors.cards.card import TestCard
from tollkey.payments.processors.cards.countries import COUNTRIES
from tollkey.payments.processors.cards.debit import PAYOUT_CARDS


def _by_number(cards: Iterable[TestCard]) -> Mapping[str, TestCard]:
    found: dict[str, TestCard] = {}
    for card in cards:
        found.setdefault(card.number, card)
    return MappingProxyType(found)


def _by_name(cards: Iterable[TestCard]) -> Mapping[str, TestCard]:
    return MappingProxyType({name: card for card in cards for name in card.names})


ALL: tuple[TestCard, ...] = (*BRANDS, *COUNTRIES, *BEHAVIOURS, *PAYOUT_CARDS)
_NUMBERS = _by_number(ALL)
_NAMES = _by_name(ALL)
_KEYS: Mapping[str, TestCard] = MappingProxyType({card.key: card for card in _NUMBERS.values()})


def by_number(number: str) -> TestCard | None:
    """Return the test card with this number (digits only), or None."""
    return _NUMBERS.get(number)


def by_token(name: str) -> TestCard | None:
    """Return the test card with a ``tok_…`` name, or None."""
    return _NAMES.get(name) if name.startswith("tok_") else None


def by_payment_method(name: str) -> TestCard | None:
    """Return the test card with a ``pm_card_…`` name, or None."""
    return _NAMES.get(name) if name.startswith("pm_card_") else None


def by_key(key: str) -> TestCard | None:
    """Return the test card with this ``TestCard.key``, or None."""
    return _NAMES.get(key) or _KEYS.get(key)
