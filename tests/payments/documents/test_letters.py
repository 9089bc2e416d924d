"""Lines of text on a page: none is wider than its column, and nothing is lost."""

from __future__ import annotations

import pytest

from tollkey.payments.documents.letters import LONGEST, cut, runs, width_of, wrapped

TEXTS = ["Tea " * 60, "x" * 300, "請求書番号" * 40, "Łódź Ελλάδα Привет " * 20, "a\nb", "", "שלום " * 30, "👩‍🚀" * 50]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_wrapped_lines_fit_and_keep_every_letter(text: str) -> None:
    lines = wrapped(text, 120, 9)
    assert all(width_of(line, 9, False) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(c for c in text if c.isprintable()).replace(" ", "")


@pytest.mark.parametrize("width", [0, 1, 500])
def test_a_text_that_is_cut_ends_with_an_ellipsis_and_no_width_is_too_small(width: float) -> None:
    assert cut("Tea " * 100, width, 9).endswith("…")
    assert wrapped("Tea", width, 9)


def test_each_letter_is_set_in_a_font_that_has_it() -> None:
    assert [font for font, _ in runs("Żω Я 請 한 汉 ש", False)] == [
        "DejaVuSans", "HeiseiKakuGo-W5", "DejaVuSans", "HYGothic-Medium", "DejaVuSans", "STSong-Light", "DejaVuSans",
        "DejaVuSans",
    ]  # fmt: skip
    assert list(runs("ש", True)) == [("DejaVuSans-Bold", "□")]


def test_control_characters_vanish_and_a_text_has_a_longest_length() -> None:
    assert wrapped("a\x00\x1bb\tc", 500, 9) == ["ab c"]
    assert sum(map(len, wrapped("x" * 9_000, 500, 9))) == LONGEST
