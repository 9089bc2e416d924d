"""All test cards in one look-up."""

from __future__ import annotations

import pytest

from tests.payments.processors.steps import named
from tollkey.payments.processors import cards

REAL_NUMBER = "4539578763621486"  # valid, and not a test card here


def test_every_name_stands_for_one_card() -> None:
    names = [name for card in cards.ALL for name in card.names]
    assert len(names) == len(set(names))


def test_every_card_is_found_again_by_its_key() -> None:
    for card in cards.ALL:
        assert cards.by_key(card.key) == card


def test_a_name_is_looked_for_only_among_its_kind() -> None:
    assert cards.by_token("pm_card_visa") is None
    assert cards.by_payment_method("tok_visa") is None
    assert cards.by_token("tok_nobody") is None
    assert cards.by_number(REAL_NUMBER) is None


@pytest.mark.parametrize(
    ("name", "number", "brand", "funding", "country"),
    [
        ("pm_card_visa", "4242424242424242", "visa", "credit", "US"),
        ("tok_visa_debit", "4000056655665556", "visa", "debit", "US"),
        ("pm_card_mastercard", "5555555555554444", "mastercard", "credit", "US"),
        ("tok_mastercard_prepaid", "5105105105105100", "mastercard", "prepaid", "US"),
        ("pm_card_amex", "371449635398431", "amex", "credit", "US"),
        ("pm_card_discover", "6011000990139424", "discover", "credit", "US"),
        ("tok_diners", "3056930009020004", "diners", "credit", "US"),
        ("pm_card_jp", "4000003920000003", "visa", "credit", "JP"),
        ("tok_gb_debit", "4000058260000005", "visa", "debit", "GB"),
        ("pm_card_th_credit", "4000007640000003", "visa", "credit", "TH"),
        ("pm_card_authenticationRequired", "4000002760003184", "visa", "credit", "DE"),
        ("tok_mastercard_debit_nz_transferSuccess", "5555055540000165", "mastercard", "debit", "NZ"),
        ("tok_visa_debit_fr_transferFail", "4000052500000016", "visa", "debit", "FR"),
        ("tok_visa_debit_my_transferSuccess", "4000054580000031", "visa", "debit", "MY"),
    ],
)
def test_a_name_stands_for_its_number(name: str, number: str, brand: str, funding: str, country: str) -> None:
    card = named(name)
    assert (card.number, card.brand, card.funding, card.country) == (number, brand, funding, country)


@pytest.mark.parametrize(
    "name", ["pm_card_chargeDeclined", "pm_card_visa_chargeDeclined", "tok_chargeDeclined", "tok_visa_chargeDeclined"]
)
def test_a_behaviour_goes_by_its_name_with_and_without_visa(name: str) -> None:
    assert named(name).number == "4000000000000002"
