"""What kind of payment method an instrument is, and which test card stands behind it."""

from __future__ import annotations

import pytest

from tollkey.payments.processors.cards import by_number
from tollkey.payments.processors.protocol import card_of_instrument, kind_of


@pytest.mark.parametrize(
    ("instrument", "kind"),
    [
        (None, "card"),
        ({"object": "card"}, "card"),
        ({"object": "bank_account"}, "ach_debit"),
        ({"object": "payment_method", "type": "sepa_debit"}, "sepa_debit"),
        ({"object": "source", "type": "ideal"}, "ideal"),
        ({"object": "source"}, "card"),
    ],
)
def test_an_instrument_is_of_one_kind(instrument: dict[str, str] | None, kind: str) -> None:
    assert kind_of(instrument) == kind


def test_a_test_card_is_known_by_its_key_alone() -> None:
    card = by_number("4242424242424242")
    assert card is not None
    assert card_of_instrument({"_card": card.key}) == card
    assert [card_of_instrument(other) for other in (None, {}, {"_card": None}, {"number": card.number})] == [None] * 4
