"""Reads XML of strangers: no document type, so no entities; bounded in size and depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

#: Bytes of a file, its elements, and elements within one another.
LARGEST: Final = 64 * 1024 * 1024
MOST: Final = 2_000_000
_DEEPEST: Final = 64


class Unreadable(ValueError):
    """A text that is no XML that we read."""


class _Reader:
    def __init__(self) -> None:
        self.tree = TreeBuilder()
        self.depth = self.count = 0
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.tree.data

    def _doctype(self, *_: object) -> None:
        raise Unreadable("it has a document type, which could name entities")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth, self.count = self.depth + 1, self.count + 1
        if self.count > MOST:
            raise Unreadable(f"it has more than {MOST} elements")
        if self.depth > _DEEPEST:
            raise Unreadable(f"it has more than {_DEEPEST} elements within one another")
        self.tree.start(name, attributes)

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.tree.end(name)


def parse(data: bytes) -> tuple[str, Element]:
    """Return the namespace of a document, and its first element, whose names have none any more. Raises Unreadable."""
    if len(data) > LARGEST:
        raise Unreadable(f"it has more than {LARGEST} bytes")
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise Unreadable(f"it is no XML: {problem}") from None
    except (LookupError, ValueError) as problem:
        raise Unreadable(str(problem)) from None
    root = reader.tree.close()
    space = root.tag.partition("}")[0] if "}" in root.tag else ""
    for element in root.iter():
        if element.tag.startswith(f"{space}}}"):
            element.tag = element.tag[len(space) + 1 :]
    return space, root


def text(element: Element | None, path: str) -> str:
    """Return the text at a path, without white space around; empty if there is none."""
    if element is None:
        return ""
    return (element.findtext(path) or "").strip()


def every(element: Element, *paths: str) -> Iterator[Element]:
    """Return the elements at any of these paths, in this order."""
    for path in paths:
        yield from element.iterfind(path)
