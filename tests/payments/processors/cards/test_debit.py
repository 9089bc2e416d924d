"""Debit cards to pay out to: of every country one that succeeds, one that fails, one without instant payouts."""

from __future__ import annotations

from collections import Counter

from tollkey.payments.processors.cards import CardPayout, by_token, luhn_valid
from tollkey.payments.processors.cards.debit import PAYOUT_CARDS


def test_every_number_is_a_valid_debit_card_and_used_once() -> None:
    assert all(luhn_valid(card.number) and card.funding == "debit" for card in PAYOUT_CARDS)
    assert len({card.number for card in PAYOUT_CARDS}) == len(PAYOUT_CARDS)


def test_a_country_has_visa_cards_of_three_outcomes_and_a_mastercard_that_succeeds() -> None:
    of = Counter((card.country, card.brand, card.payout) for card in PAYOUT_CARDS)
    for country in {card.country for card in PAYOUT_CARDS} - {"US"}:
        assert {
            of[country, "visa", payout] for payout in (CardPayout.SUCCEEDS, CardPayout.FAILS, CardPayout.NO_INSTANT)
        } == {1}
        assert of[country, "mastercard", CardPayout.SUCCEEDS] == 1


def test_a_name_says_the_country_and_the_outcome() -> None:
    card = by_token("tok_visa_debit_gb_transferFail")
    assert card is not None
    assert (card.country, card.payout) == ("GB", CardPayout.FAILS)
