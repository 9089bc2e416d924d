from __future__ import annotations

import pytest

from tollkey.wire.decimals import typed_amount


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.50", "usd", 1250),
        ("12,5", "usd", 1250),
        ("12.", "usd", 1200),
        ("12", "jpy", 12),
        ("12.00", "jpy", 12),
        ("1.234", "kwd", 1234),
        ("0", "usd", 0),
    ],
)
def test_an_amount_that_somebody_typed_is_read_in_minor_units(text: str, currency: str, amount: int) -> None:
    assert typed_amount(text, currency) == amount


@pytest.mark.parametrize(
    "text",
    ["", ".5", "12.505", "-5", "1e3", "1e999990", "1e99999999", "NaN", "Infinity", "1_0", "\uff11", "1" * 13, "1.2.3"],
)
def test_any_other_text_is_none_at_once(text: str) -> None:
    assert typed_amount(text, "usd") is None
