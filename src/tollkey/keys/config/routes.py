"""Routes: which permission a request needs and what it costs, by method and path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

ANY = "*"
_METHOD = re.compile(r"\*|[A-Z]+(?:,[A-Z]+)*")
_PARAMETER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~@+-]{0,99}")  # what a permission's parameter may be
_AMBIGUOUS = re.compile(r"//|[\\#;\x00-\x1f]|/\.\.?(?:/|$)")
_LITERAL = re.compile(r"[^{}*?#\s]+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Methods and a path that requests are compared with.

    methods: in capitals; empty for every method. GET also stands for HEAD.
    segments: the path's parts between slashes: a word, ``{name}`` for one part of any content, or ``*`` at the end for
        one or more parts.
    """

    methods: frozenset[str]
    segments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Return the pattern of a text like ``GET /reports/{id}``, ``GET,POST /reports/*`` or ``* /*``.

        Raises ValueError.
        """
        method, space, path = text.strip().partition(" ")
        path = path.strip()
        if not space or not _METHOD.fullmatch(method) or not path.startswith("/"):
            raise ValueError(f"{text!r} is no route; write methods and a path: 'GET /reports/*', '* /reports/{{id}}'")
        segments = tuple(path.strip("/").split("/")) if path.strip("/") else ()
        for place, segment in enumerate(segments):
            if segment == ANY:
                if place != len(segments) - 1:
                    raise ValueError(f"{text!r}: * stands only at the end of a path; for one part write {{name}}")
            elif not _PARAMETER.fullmatch(segment) and (not _LITERAL.fullmatch(segment) or segment in (".", "..")):
                raise ValueError(
                    f"{text!r}: {segment!r} must be a word without {{ }} * ? #, or {{name}} in lower-case letters"
                )
        names = [segment for segment in segments if segment.startswith("{")]
        if len(set(names)) < len(names):
            raise ValueError(f"{text!r} names the same part twice")
        return cls(frozenset() if method == ANY else frozenset(method.split(",")), segments)

    @property
    def parameters(self) -> frozenset[str]:
        """The names of its ``{name}`` parts."""
        return frozenset(segment[1:-1] for segment in self.segments if segment.startswith("{"))

    def covers(self, other: Pattern) -> bool:
        """Return whether every request that ``other`` matches also matches this pattern."""
        if self.methods and not (other.methods and other.methods <= self.methods):
            return False
        mine, theirs = self.segments, other.segments
        if ANY in mine:
            mine = mine[:-1]
            if len(theirs) <= len(mine):
                return False
            theirs = theirs[: len(mine)]
        return len(mine) == len(theirs) and all(
            that != ANY and (ours.startswith("{") or ours == that) for ours, that in zip(mine, theirs, strict=True)
        )

    def __str__(self) -> str:
        return f"{','.join(sorted(self.methods)) or ANY} /{'/'.join(self.segments)}"


@dataclass(frozen=True, slots=True)
class Route:
    """What a request needs and costs.

    match: which requests. needs: the permission, for example ``report_read`` or ``project:{id}:read`` with a part of
    the path; None: any accepted key. cost: how much one request counts. publishable: publishable keys are accepted too.
    """

    match: Pattern
    needs: str | None = None
    cost: int = 1
    publishable: bool = False


class RouteMatch(NamedTuple):
    """The route of a request. permission: what it needs, with parts of the path filled in. name: the route as text."""

    route: Route
    permission: str | None
    name: str


class Routes:
    """Finds the route of a request; the first declared one that matches counts. routes: in order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for order, route in enumerate(routes):
            node = self._root
            for segment in route.match.segments:
                if segment == ANY:
                    break
                node = node.child(segment)
            (node.rest if ANY in route.match.segments else node.ends).append(_declared(order, route))

    def find(self, method: str, target: str) -> RouteMatch | None:
        """Return the route of a request, or None if no declared route matches it.

        method: as sent; HEAD counts as GET. target: the path as sent, with or without a query.

        A path with ``.`` or ``..`` parts, empty parts, or an encoded slash, backslash or control character matches no
        route, because the application behind may read it as another path; nor does one whose ``{name}`` part cannot be
        part of a permission's name. A slash at the end makes no difference.
        """
        parts = _parts_of(target)
        if parts is None:
            return None
        found = self._root.first(parts, 0, method.upper(), None)
        if found is None:
            return None
        needs = found.route.needs
        if needs is None or not found.named:
            return RouteMatch(found.route, needs, found.name)
        for name, place in found.named:
            if not _VALUE.fullmatch(parts[place]):
                return None  # it cannot name a permission
            needs = needs.replace(f"{{{name}}}", parts[place])
        return RouteMatch(found.route, needs, found.name)


class _Declared(NamedTuple):
    """A route with what finding it needs.

    methods: in capitals; empty for all. named: the parameters in its permission, and the places of these parts in the
    path.
    """

    order: int
    route: Route
    methods: frozenset[str]
    name: str
    named: tuple[tuple[str, int], ...]


def _declared(order: int, route: Route) -> _Declared:
    methods, segments = route.match.methods, route.match.segments
    named = [] if route.needs is None else _PARAMETER.findall(route.needs)
    places = tuple((name, segments.index(f"{{{name}}}")) for name in named if f"{{{name}}}" in segments)
    return _Declared(order, route, methods | {"HEAD"} if "GET" in methods else methods, str(route.match), places)


class _Node:
    __slots__ = ("any", "ends", "rest", "words")

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.ends: list[_Declared] = []  # in the order of their declaration, as those in ``rest``
        self.rest: list[_Declared] = []

    def child(self, segment: str) -> _Node:
        """Return the node of the next part, created if needed."""
        if not segment.startswith("{"):
            return self.words.setdefault(segment, _Node())
        if self.any is None:
            self.any = _Node()
        return self.any

    def first(self, parts: tuple[str, ...], depth: int, method: str, best: _Declared | None) -> _Declared | None:
        """Return the first declared route that matches the parts from ``depth`` on, or ``best`` if that is earlier."""
        for one in self.ends if depth == len(parts) else self.rest:
            if best is not None and best.order < one.order:
                break
            if not one.methods or method in one.methods:
                best = one
                break
        if depth < len(parts):
            node = self.words.get(parts[depth])
            if node is not None:
                best = node.first(parts, depth + 1, method, best)
            if self.any is not None:
                best = self.any.first(parts, depth + 1, method, best)
        return best


def _parts_of(target: str) -> tuple[str, ...] | None:
    path = target.partition("?")[0]
    if not path.startswith("/"):
        return None
    if "%" not in path:
        if _AMBIGUOUS.search(path):
            return None
        return tuple(path[1:].removesuffix("/").split("/")) if len(path) > 1 else ()
    raw = path[1:].removesuffix("/")
    parts = tuple(unquote(part) for part in raw.split("/")) if raw else ()
    return None if any(_ambiguous(part) for part in parts) else parts


def _ambiguous(part: str) -> bool:
    return part in ("", ".", "..") or any(character in "/\\#?;%" or character < " " for character in part)
