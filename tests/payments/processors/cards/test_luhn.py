"""The check digit of card numbers (ISO/IEC 7812-1)."""

from __future__ import annotations

from datetime import UTC, datetime

from tollkey.payments.processors import cards

NOW = int(datetime(2026, 6, 15, tzinfo=UTC).timestamp())


def test_every_number_is_valid_and_of_its_brand() -> None:
    for card in cards.ALL:
        assert cards.luhn_valid(card.number), card.number
        assert cards.brand_of(card.number) == card.brand
        assert cards.validate_new_card(card.number, 12, 2030, None, NOW, False) is None
