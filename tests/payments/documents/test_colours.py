"""Colours as hex values, and how well one can be read on another."""

from __future__ import annotations

from itertools import product

import pytest

from tollkey.payments.documents.colours import best_on, contrast, hex_of, readable_on, rgb


@pytest.mark.parametrize(
    ("text", "colour"),
    [("#fff", (255, 255, 255)), ("#0A2540", (10, 37, 64)), ("red", None), ("#12", None), ("#ffff", None), ("", None)],
)
def test_a_colour_has_three_or_six_digits(text: str, colour: tuple[int, int, int] | None) -> None:
    assert rgb(text) == colour


def test_a_colour_is_written_with_six_digits() -> None:
    assert hex_of((10, 37, 64)) == "#0a2540"


def test_black_on_white_has_the_greatest_contrast_and_a_colour_on_itself_none() -> None:
    assert round(contrast((0, 0, 0), (255, 255, 255)), 1) == 21
    assert contrast((9, 9, 9), (9, 9, 9)) == 1


def test_every_text_can_be_read_on_every_ground() -> None:
    for ground in product((0, 85, 119, 128, 170, 255), repeat=3):
        made = readable_on(ground)
        texts = [rgb(made[name]) for name in ("text", "soft", "accent", "bad")]
        assert min(contrast(text, ground) for text in (*texts, best_on(ground)) if text) >= 4.5, ground
