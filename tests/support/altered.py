"""A text that is certainly not the given one: for tests that present a wrong key, token or signature."""

from __future__ import annotations


def altered(text: str, at: int = -1) -> str:
    """The text with one other ASCII letter or digit at that position, so never the text itself.

    ``text[:-1] + "x"`` is the text itself whenever it ends in x: such a test fails once in some sixty runs.
    """
    at %= len(text)
    return text[:at] + ("b" if text[at] == "a" else "a") + text[at + 1 :]
