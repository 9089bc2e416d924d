"""On which line the tables and keys of a TOML file stand. ``tomllib`` reads the values, but tells no lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tollkey.keys.config.faults import Place

_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_ENTRY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]|\n', re.DOTALL
)


def positions(text: str) -> dict[Place, int]:
    """Return the line, from 1, of each table, element of an array of tables, and key. text: valid TOML."""
    found: dict[Place, int] = {}
    elements: Counter[Place] = Counter()
    table: Place = ()
    for line, start in _statements(text):
        header = _HEADER.match(text, start)
        if header is not None:
            table = _in_elements(_names(header[2]), elements)
            if header[1] == "[[":
                table = (*table, elements[table])
                elements[table[:-1]] += 1
        entry = None if header is not None else _ENTRY.match(text, start)
        place = table if header is not None else (*table, *_names(entry[1])) if entry is not None else ()
        for size in range(1, len(place) + 1):
            found.setdefault(place[:size], line)
    return found


def line_of(place: Place, found: dict[Place, int]) -> int:
    """Return the line of a place, or of the nearest table around it."""
    return next((found[place[:size]] for size in range(len(place), 0, -1) if place[:size] in found), 1)


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """Yield line and offset of each header and entry; a value may go on over several lines."""
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] == "\n":
            if depth == 0:
                yield 1 + text.count("\n", 0, start), start
                start = token.end()
        elif token[0] in "[{" and not _HEADER.match(text, start):
            depth += 1
        elif token[0] in "]}" and depth:
            depth -= 1
    yield 1 + text.count("\n", 0, start), start


def _names(dotted: str) -> Place:
    """Return the parts of a dotted name."""
    import tomllib  # here, so that ``import tollkey.keys`` stays fast

    table, names = tomllib.loads(f"{dotted} = 0"), []
    while isinstance(table, dict):
        name, table = next(iter(table.items()))
        names.append(name)
    return tuple(names)


def _in_elements(names: Place, elements: Counter[Place]) -> Place:
    """Return the place of a table with the numbers of the elements it lies in: always the newest of each array."""
    place: Place = ()
    for name in names[:-1]:
        place = (*place, name)
        if elements[place]:
            place = (*place, elements[place] - 1)
    return (*place, names[-1])
