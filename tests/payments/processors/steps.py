"""Steps that several tests of processors share."""

from __future__ import annotations

from tollkey.payments.processors import cards


def named(name: str) -> cards.TestCard:
    card = cards.by_payment_method(name) if name.startswith("pm_") else cards.by_token(name)
    assert card is not None, name
    return card


def numbered(number: str) -> cards.TestCard:
    card = cards.by_number(number)
    assert card is not None, number
    return card
