"""Processing fees: a percentage of the amount plus a fixed fee, rounded half up once.

Standard prices of an account's country, checked against the balance transactions of recorded
charges: US 1000 -> 59, 2500 -> 103, 22500 -> 683; JP 10000 -> 360; euro with a foreign card 3700 -> 145.
Accounts may have their own prices: pass ``Pricing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tollkey.ledger import Money
from tollkey.payments.shared import conversion, rounding

#: European Economic Area: cards from here are domestic to each other.
EEA = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS",
    "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices of one account. Shares are in hundredths of a per cent: 290 is 2.9 %.

    domestic, regional, foreign: share for cards of the own country (in the EEA: of the EEA), of the neighbouring
    region (EEA for GB and back), of anywhere else.
    fixed: minor units added to each charge, in the currency the account is paid out in.
    dispute_fee: minor units taken for each dispute.
    conversion: share added when the charge is paid out in another currency.
    """

    domestic: int = 290
    regional: int = 440
    foreign: int = 440
    fixed: int = 30
    conversion: int = 100
    dispute_fee: int = 1500


STANDARD: Mapping[str, Pricing] = {
    "US": Pricing(),
    "CA": Pricing(290, 370, 370, 30, 200),
    "GB": Pricing(150, 250, 325, 20, 200, 2000),
    "AU": Pricing(170, 350, 350, 30, 200, 2500),
    "NZ": Pricing(270, 370, 370, 30, 200, 2500),
    "JP": Pricing(360, 360, 360, 0, 200, 1500),
    "SG": Pricing(340, 390, 390, 50, 200, 1500),
    "HK": Pricing(340, 390, 390, 235, 200, 8500),
    "CH": Pricing(290, 325, 325, 30, 200, 2000),
    "BR": Pricing(399, 399, 399, 39, 200, 5500),
    "MX": Pricing(360, 410, 410, 300, 200, 15000),
    **{country: Pricing(150, 250, 325, 25, 200, 2000) for country in EEA},
}
#: Fixed parts in the other EEA currencies, in their minor units.
_FIXED = {"sek": 180, "dkk": 180, "nok": 200, "pln": 100, "czk": 650, "huf": 8500, "ron": 100, "bgn": 50, "chf": 30}


def pricing_of(account_country: str) -> Pricing:
    """Return the standard pricing of an account's country, or that of the US for an unknown country."""
    return STANDARD.get(account_country, STANDARD["US"])


def processing_fee(
    amount: Money,
    card_country: str | None,
    account_country: str = "US",
    *,
    converted: bool = False,
    pricing: Pricing | None = None,
) -> Money:
    """Return the fee of a card charge, in the currency of the amount.

    amount: the charged amount, in the settlement currency. card_country: where the card was issued; None counts as
        domestic.
    converted: whether the customer paid in another currency. pricing: replaces the standard pricing of the country.
    Source: the fees of recorded balance transactions.
    """
    prices = pricing or pricing_of(account_country)
    basis_points = _basis_points(prices, card_country, account_country) + (prices.conversion if converted else 0)
    fixed = prices.fixed
    if pricing is None and account_country in EEA:
        fixed = _FIXED.get(amount.currency, fixed)
    return amount.with_amount(rounding.fee(amount.amount, basis_points) + fixed)


def _basis_points(prices: Pricing, card_country: str | None, account_country: str) -> int:
    if card_country is None or card_country == account_country or {card_country, account_country} <= EEA:
        return prices.domestic
    if (card_country in EEA and account_country == "GB") or (card_country == "GB" and account_country in EEA):
        return prices.regional
    return prices.foreign


def bank_debit_fee(amount: Money, method: str) -> Money:
    """Return the fee of a bank debit: ``us_bank_account`` 0.8 % but at most 5.00 USD, ``sepa_debit`` 0.35 EUR.

    amount: in the settlement currency, to which the fixed sums are converted.
    """
    if method == "sepa_debit":
        return conversion.convert(Money(35, "eur"), amount.currency)
    most = conversion.convert(Money(500, "usd"), amount.currency)
    return min(amount.with_amount(rounding.fee(amount.amount, 80)), most)
