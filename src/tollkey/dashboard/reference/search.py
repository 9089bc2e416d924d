"""Full-text search of the docs by words and beginnings of words, in memory."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from typing import NamedTuple

_WORDS = re.compile(r"[a-z0-9]+(?:[_.-][a-z0-9]+)*")
_LONGEST = 200  # characters of an excerpt
_TITLE, _BEGINNING = 8, 0.5  # weight of a word in a title, and of a word of which only the beginning matches


class Section(NamedTuple):
    """A section of the docs: its URL, title, page and plain text."""

    url: str
    title: str
    page: str
    text: str


class Hit(NamedTuple):
    """A matching section. score: higher is better."""

    section: Section
    excerpt: str
    score: float


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; ``payment_intent`` is one word and also its parts."""
    found: list[str] = []
    for word in _WORDS.findall(text.lower()):
        parts = re.split(r"[_.-]", word)
        found += [word, *parts] if len(parts) > 1 else [word]
    return found


class Index:
    """An index of sections."""

    def __init__(self, sections: Iterable[Section]) -> None:
        self._sections = list(sections)
        self._words: dict[str, dict[int, float]] = {}
        for place, section in enumerate(self._sections):
            for text, weight in ((section.title, _TITLE), (section.page, 3), (section.text, 1)):
                for word in words(text):
                    row = self._words.setdefault(word, {})
                    row[place] = min(row.get(place, 0) + weight, 20)
        self._sorted = sorted(self._words)

    def find(self, query: str, most: int = 20) -> list[Hit]:
        """Return the sections that contain every word of the query, best first. most: maximum number."""
        asked = list(dict.fromkeys(_WORDS.findall(query.lower())))[:10]
        if not asked:
            return []
        scores: dict[int, float] | None = None
        for word in asked:
            matching = self._matching(word)
            scores = (
                matching
                if scores is None
                else {place: scores[place] + matching[place] for place in scores.keys() & matching.keys()}
            )
        best = sorted((scores or {}).items(), key=lambda item: (-item[1], item[0]))[:most]
        return [Hit(self._sections[place], excerpt(self._sections[place].text, asked), score) for place, score in best]

    def _matching(self, word: str) -> dict[int, float]:
        found = dict(self._words.get(word, {}))
        place = bisect.bisect_left(self._sorted, word)
        while place < len(self._sorted) and self._sorted[place].startswith(word):
            if self._sorted[place] != word:
                for section, score in self._words[self._sorted[place]].items():
                    found[section] = found.get(section, 0) + score * _BEGINNING
            place += 1
        return found


def excerpt(text: str, asked: list[str]) -> str:
    """Return the text around the first matching word."""
    lower = text.lower()
    at = min((place for word in asked if (place := lower.find(word)) >= 0), default=0)
    start = max(0, at - 60)
    if start:
        start = text.find(" ", start) + 1 or start
    end = start + _LONGEST
    return ("… " if start else "") + text[start:end].strip() + (" …" if end < len(text) else "")
