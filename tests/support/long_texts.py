"""Texts that no database can make shorter."""

from __future__ import annotations

from random import Random


def long_text(characters: int) -> str:
    """A text of so many characters, three bytes each, in which nothing repeats."""
    chance = Random(characters)
    return "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(characters))
