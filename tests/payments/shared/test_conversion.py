"""Fixed exchange rates of test mode."""

from __future__ import annotations

import pytest

from tollkey.ledger import Money
from tollkey.payments.shared import conversion


@pytest.mark.parametrize(
    ("money", "exchanged"),
    [
        (Money(1000, "usd"), Money(860, "eur")),
        (Money(-1000, "usd"), Money(-860, "eur")),
        (Money(100, "usd"), Money(152, "jpy")),
        (Money(5, "eur"), Money(5, "eur")),
    ],
)
def test_money_is_exchanged_at_the_fixed_rate_in_minor_units(money: Money, exchanged: Money) -> None:
    assert conversion.convert(money, exchanged.currency) == exchanged
