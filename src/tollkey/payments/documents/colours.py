"""Colours of a business on its pages: what can be read on them."""

from __future__ import annotations

import re
from typing import TypeAlias

Colour: TypeAlias = tuple[int, int, int]

HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
#: The least contrast between text and what is behind it (WCAG 2.2, success criterion 1.4.3).
_READABLE = 4.5


def readable_on(background: Colour) -> dict[str, str]:
    """Return the values of the style's colours on a background, each with enough contrast to be read."""
    text = best_on(background)
    soft = next(
        mixed
        for share in (0.35, 0.2, 0.1, 0)
        if contrast(mixed := mix(text, background, share), background) >= _READABLE
    )
    wrong = next(each for each in ((179, 38, 30), (255, 138, 128), text) if contrast(each, background) >= _READABLE)
    return {
        "page": hex_of(background), "card": hex_of(background), "text": hex_of(text), "soft": hex_of(soft),
        "line": hex_of(mix(text, background, 0.55)), "accent": hex_of(text), "bad": hex_of(wrong),
    }  # fmt: skip


def rgb(text: str) -> Colour | None:
    """Return the colour of a hex value with three or six digits; None for any other text."""
    if HEX.fullmatch(text) is None:
        return None
    digits = text[1:] if len(text) == 7 else "".join(each * 2 for each in text[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def hex_of(colour: Colour) -> str:
    """Return a colour as a hex value."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between two. share: of the other one, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def best_on(background: Colour) -> Colour:
    """Return black or white, whichever is easier to read on a background; one of them always is (4.58 at least)."""
    return BLACK if contrast(BLACK, background) >= contrast(WHITE, background) else WHITE


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (the formula of WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0 to 1 (the formula of WCAG 2.2)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
