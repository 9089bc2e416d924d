"""Suggest the known name that a misspelt one most likely means, for ``Did you mean …?``."""

from __future__ import annotations


def suggest(name: str, known: list[str]) -> str | None:
    """Return the known name most similar to the given one, or None when none is similar enough.

    Similar means a Jaro-Winkler similarity of at least 0.834 (0.77 for up to three characters) and an edit distance of
    at most a quarter of the length; if no name qualifies, an edit distance below the length of the shorter name.
    The thresholds are those of Ruby's did_you_mean.
    """
    name = name[:100]
    least = 0.834 if len(name) > 3 else 0.77
    near = sorted(((jaro_winkler(name, other), other) for other in known if other != "expand"), reverse=True)
    near = [pair for pair in near if pair[0] >= least]
    for limit in (-(-len(name) // 4), None):
        for _, other in near:
            if edit_distance(name, other) <= (min(len(name), len(other)) - 1 if limit is None else limit):
                return other
    return None


def jaro_winkler(one: str, other: str) -> float:
    """Return the Jaro-Winkler similarity: 1.0 for equal strings, 0.0 for strings with nothing in common."""
    if not one or not other:
        return 0.0
    reach = max(len(one), len(other)) // 2 - 1
    taken = [False] * len(other)
    matched: list[str] = []
    for place, letter in enumerate(one):
        for spot in range(max(0, place - reach), min(len(other), place + reach + 1)):
            if not taken[spot] and other[spot] == letter:
                taken[spot] = True
                matched.append(letter)
                break
    if not matched:
        return 0.0
    count = len(matched)
    swapped = (
        sum(
            a != b
            for a, b in zip(matched, (letter for letter, hit in zip(other, taken, strict=True) if hit), strict=True)
        )
        / 2
    )
    jaro = (count / len(one) + count / len(other) + (count - swapped) / count) / 3
    prefix = 0
    while prefix < min(4, len(one), len(other)) and one[prefix] == other[prefix]:
        prefix += 1
    return jaro + prefix * 0.1 * (1 - jaro) if jaro > 0.7 else jaro


def edit_distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: the number of characters to insert, delete or replace."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        above, row[0] = row[0], place
        for spot, wanted in enumerate(other, 1):
            above, row[spot] = row[spot], min(row[spot] + 1, row[spot - 1] + 1, above + (letter != wanted))
    return row[-1]
