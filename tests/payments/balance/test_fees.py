"""Processing fees, as balance transactions of recorded charges have them."""

from __future__ import annotations

import pytest

from tollkey.ledger import Money
from tollkey.payments.balance.fees import Pricing, bank_debit_fee, pricing_of, processing_fee


@pytest.mark.parametrize(
    ("amount", "currency", "card", "account", "fee"),
    [
        (1000, "usd", "US", "US", 59),
        (2500, "usd", "US", "US", 103),  # 102.5: half goes up
        (950, "usd", "US", "US", 58),
        (2250, "usd", "US", "US", 95),
        (22500, "usd", "US", "US", 683),
        (25000, "usd", "US", "US", 755),
        (10000, "jpy", "US", "JP", 360),
        (3700, "eur", "US", "FR", 145),
        (1200, "eur", "US", "FR", 64),
        (2499, "eur", "US", "FR", 106),
        (130, "sgd", "US", "SG", 55),
        (777, "sgd", "US", "SG", 80),
        (3320, "brl", "US", "BR", 171),
    ],
)
def test_recorded_fees_are_met(amount: int, currency: str, card: str, account: str, fee: int) -> None:
    assert processing_fee(Money(amount, currency), card, account) == Money(fee, currency)


def test_a_foreign_card_and_a_conversion_cost_more() -> None:
    assert processing_fee(Money(10000, "usd"), "US").amount == 320
    assert processing_fee(Money(10000, "usd"), "FR").amount == 470
    assert processing_fee(Money(10000, "usd"), "FR", converted=True).amount == 570
    assert processing_fee(Money(10000, "usd"), None).amount == 320


def test_within_the_economic_area_a_card_is_not_foreign() -> None:
    assert [processing_fee(Money(10000, "eur"), card, "DE").amount for card in ("DE", "FR", "GB", "US")] == [
        175,
        175,
        275,
        350,
    ]


def test_an_account_may_have_its_own_prices() -> None:
    assert processing_fee(Money(10000, "usd"), "US", pricing=Pricing(domestic=200, fixed=10)).amount == 210
    assert pricing_of("ZZ") == pricing_of("US")


def test_a_bank_debits_fee_is_capped_or_flat() -> None:
    fees = [bank_debit_fee(Money(amount, "usd"), "us_bank_account") for amount in (1000, 62_500, 1_000_000)]
    assert fees == [Money(8, "usd"), Money(500, "usd"), Money(500, "usd")]
    assert bank_debit_fee(Money(10_000, "eur"), "sepa_debit") == Money(35, "eur")


@pytest.mark.parametrize(
    ("amount", "method", "fee"),
    [
        (Money(10_000, "gbp"), "sepa_debit", Money(31, "gbp")),
        (Money(10_000, "jpy"), "sepa_debit", Money(62, "jpy")),
        (Money(10_000, "usd"), "sepa_debit", Money(41, "usd")),
        (Money(1_000_000, "eur"), "us_bank_account", Money(430, "eur")),
    ],
)
def test_a_bank_debits_fixed_sum_is_converted_to_the_settlement_currency(
    amount: Money, method: str, fee: Money
) -> None:
    assert bank_debit_fee(amount, method) == fee
