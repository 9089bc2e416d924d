"""Small pictures on pages: each has a name for those who do not see it, and no style that the policy forbids."""

from __future__ import annotations

import pytest

from tollkey.payments.documents.icons import BRANDS, brand_name, card, cards


@pytest.mark.parametrize("name", BRANDS)
def test_a_picture_has_a_name_and_no_inline_style(name: str) -> None:
    assert f'aria-label="{BRANDS[name][0]}"' in card(name)
    assert "style=" not in card(name)


def test_an_unknown_brand_has_a_name_and_no_picture() -> None:
    assert brand_name("cartes_bancaires") == "Cartes Bancaires"
    assert cards("Cards", ["visa", "cartes_bancaires"]).count("<li>") == 1
