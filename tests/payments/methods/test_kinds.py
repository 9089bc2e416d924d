"""What an instrument is, as its ``object`` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tollkey.payments.methods import kinds

TOLD_APART: dict[str, Callable[[Any], bool]] = {
    "payment_method": kinds.is_payment_method,
    "card": kinds.is_card,
    "bank_account": kinds.is_bank_account,
    "source": kinds.is_source,
}


@pytest.mark.parametrize("object", TOLD_APART)
def test_an_instrument_is_of_exactly_one_kind(object: str) -> None:
    assert [name for name, says in TOLD_APART.items() if says({"object": object})] == [object]
