"""The letters of printed documents: which font has one, how wide texts are, and where their lines end.

DejaVu Sans, embedded, has Latin, Greek and Cyrillic letters. Japanese, Korean and Chinese ones are named as characters
of Adobe's standard fonts, which readers of PDF have or replace; any other letter is a square. reportlab, which takes
megabytes, is imported when a document is first drawn.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby

#: The longest text that a document shows, in characters.
LONGEST = 5_000
REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
#: The standard font of letters that a character set of Python's has, the first that fits.
_ASIAN = (("cp932", "HeiseiKakuGo-W5"), ("euc_kr", "HYGothic-Medium"), ("gbk", "STSong-Light"))
_UNKNOWN = "□"


def wrapped(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Return a text as lines that are at most so many points wide; a word that is wider is broken."""
    lines = []
    for paragraph in plain(text).split("\n"):
        line, used = "", 0.0
        for word in _words(paragraph):
            wide = width_of(word, size, bold)
            if line and used + width_of(word.rstrip(), size, bold) > width:
                lines.append(line.rstrip())
                line, used = "", 0.0
            if wide > width:
                *full, word = _broken(word, width, size, bold)
                lines += full
                wide = width_of(word, size, bold)
            line, used = line + word, used + wide
        lines.append(line.rstrip())
    return lines


def cut(text: str, width: float, size: float, bold: bool = False) -> str:
    """Return a text, or its beginning with an ellipsis if it is wider than that many points."""
    whole = plain(text).replace("\n", " ")
    if width_of(whole, size, bold) <= width:
        return whole
    return _broken(whole, width - width_of("…", size, bold), size, bold)[0] + "…"


def plain(text: str) -> str:
    """Return a text without what no page can show, and not too long."""
    composed = unicodedata.normalize("NFC", text[:LONGEST]).replace("\r\n", "\n").replace("\t", " ")
    return "".join(letter for letter in composed if letter == "\n" or letter.isprintable() or letter.isspace())


def _words(text: str) -> Iterator[str]:
    """Yield pieces between which a line may end: words with the space behind them, and each wide letter of Asia."""
    word = ""
    for letter in text:
        if ord(letter) >= 0x2E80 and unicodedata.east_asian_width(letter) in "WF":
            if word:
                yield word
            yield letter
            word = ""
            continue
        if word.endswith(" ") and letter != " ":
            yield word
            word = ""
        word += letter
    if word:
        yield word


def _broken(word: str, width: float, size: float, bold: bool) -> list[str]:
    """Return a word in parts that fit."""
    parts, part, used = [], "", 0.0
    for letter in word:
        wide = _letter_width(letter, bold) * size
        if part and used + wide > width:
            parts.append(part)
            part, used = "", 0.0
        part, used = part + letter, used + wide
    return [*parts, part]


def runs(text: str, bold: bool) -> Iterator[tuple[str, str]]:
    """Yield a text in parts of one font each, as font and part."""
    own = BOLD if bold else REGULAR
    embedded = _fonts()[own]
    for inside, group in groupby(text, key=lambda letter: ord(letter) in embedded):
        part = "".join(group)
        if inside:
            yield own, part
        elif font := _asian(part):
            yield font, part
        else:
            for found, letters in groupby(part, key=_asian):
                shown = "".join(letters)
                yield (found, shown) if found else (own, _UNKNOWN * len(shown))


@lru_cache(maxsize=4096)
def _asian(text: str) -> str:
    """Return the standard font that has all of these letters; empty if none has."""
    for charset, font in _ASIAN:
        try:
            text.encode(charset)
        except UnicodeEncodeError:
            continue
        return font
    return ""


@lru_cache(maxsize=4096)
def _letter_width(letter: str, bold: bool) -> float:
    """Return how wide a letter of one point is."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    ((font, shown),) = runs(letter, bold)
    return float(stringWidth(shown, font, 1))


def width_of(text: str, size: float, bold: bool) -> float:
    return sum(_letter_width(letter, bold) for letter in text) * size


@cache
def _fonts() -> dict[str, frozenset[int]]:
    """Register the fonts, and return which letters the embedded ones have."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    letters, folder = {}, files("tollkey.payments.documents") / "fonts"
    for name in (REGULAR, BOLD):
        font = TTFont(name, io.BytesIO((folder / f"{name}.ttf").read_bytes()))
        pdfmetrics.registerFont(font)
        letters[name] = frozenset(font.face.charToGlyph)
    for _, name in _ASIAN:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return letters
