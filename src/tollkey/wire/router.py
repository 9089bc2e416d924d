"""Routing: find the endpoint for a method and a path.

Literal segments take precedence over names in braces, so ``/v1/customers/search`` is not the customer "search".
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from tollkey.wire.resource import Catalogue, Endpoint, Resource


class Route(NamedTuple):
    """An endpoint with the resource it belongs to.

    name: method and path as declared, as requests are counted by. grant: the permission that a key needs for it.
    """

    resource: Resource
    endpoint: Endpoint
    name: str
    grant: str

    @classmethod
    def of(cls, resource: Resource, endpoint: Endpoint) -> Route:
        """Return the route of an endpoint."""
        permission = endpoint.permission or resource.permission
        name, grant = f"{endpoint.method} {endpoint.path}", f"{permission.name}_{endpoint.needs}"
        return cls(resource, endpoint, name, grant)


#: A route with the values of the names in its path.
Hit = tuple[Route, dict[str, str]]


class _Node:
    __slots__ = ("literal", "named", "routes")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.named: _Node | None = None
        self.routes: dict[str, tuple[Route, tuple[str, ...]]] = {}


class _Last(NamedTuple):
    route: Route
    name: str
    literal: dict[str, _Node]  # values that belong to another path


class Router:
    """The routes of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._root = _Node()
        self._plain: dict[tuple[str, str], Route] = {}  # paths without names
        self._last: dict[tuple[str, str], _Last] = {}  # paths whose only name is last, by the path before it
        self._longest = 0  # the most slashes in a path
        for resource in catalogue.resources:
            for endpoint in resource.endpoints:
                self._add(Route.of(resource, endpoint))

    def _add(self, route: Route) -> None:
        node, parent, names = self._root, self._root, []
        self._longest = max(self._longest, route.endpoint.path.count("/"))
        for segment in route.endpoint.path.split("/")[1:]:
            parent = node
            if segment.startswith("{"):
                names.append(segment[1:-1])
                if node.named is None:
                    node.named = _Node()
                node = node.named
            else:
                node = node.literal.setdefault(segment, _Node())
        node.routes[route.endpoint.method] = (route, tuple(names))
        path, method = route.endpoint.path, route.endpoint.method
        if not names:
            self._plain[method, path] = route
        elif len(names) == 1 and path.endswith("}"):
            self._last[method, path.rpartition("/")[0]] = _Last(route, names[0], parent.literal)

    def find(self, method: str, path: str) -> Hit | None:
        """Return the route and the values of the names in its path, or None.

        Most paths need two dictionary lookups; the others walk the tree.
        """
        plain = self._plain.get((method, path))
        if plain is not None:
            return plain, {}
        before, _, value = path.rpartition("/")
        last = self._last.get((method, before))
        if last is not None and value and value not in last.literal and "%" not in value and "+" not in value:
            return last.route, {last.name: value}
        values: list[str] = []
        if (
            path.count("/") > self._longest or "%00" in path
        ):  # no id contains a null character, and PostgreSQL refuses them
            return None
        node = self._walk(self._root, path.split("/"), 1, values)
        if node is None:
            return None
        hit = node.routes.get("GET" if method == "HEAD" else method)
        if hit is None:
            return None
        route, names = hit
        return route, dict(zip(names, (unquote(v.replace("+", " ")) for v in values), strict=True))

    def _walk(self, node: _Node, segments: list[str], at: int, values: list[str]) -> _Node | None:
        if at == len(segments):
            return node if node.routes else None
        segment = segments[at]
        literal = node.literal.get(segment)
        if literal is not None:
            found = self._walk(literal, segments, at + 1, values)
            if found is not None:
                return found
        if node.named is None or not segment:
            return None
        values.append(segment)
        found = self._walk(node.named, segments, at + 1, values)
        if found is None:
            values.pop()
        return found
