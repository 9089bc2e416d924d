"""What a request would meet under another API version: refused, answered in another form, or done differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import orjson

from tollkey.wire._form import FormError, decode_form
from tollkey.wire.changelog import PAGES, Entry, entries
from tollkey.wire.params import operation_name
from tollkey.wire.removed import Removed
from tollkey.wire.render import COUNTED_UNTIL, TOTAL_COUNT
from tollkey.wire.resource import Catalogue, Endpoint, Resource
from tollkey.wire.router import Route, Router
from tollkey.wire.spec.dates import DATES
from tollkey.wire.spec.usual import EXPANDED_UNTIL


class Difference(NamedTuple):
    """A difference between two API versions that a request meets.

    version: that makes it. kind: ``refused``, ``form`` of the response, or ``behavior``. operation: method and path.
    what: in a sentence. link: the changelog's page; its overview when the change's own is not known.
    """

    version: str
    kind: Literal["refused", "form", "behavior"]
    operation: str
    what: str
    link: str


class Asked(NamedTuple):
    """A request as the request log has it. query and body: percent-encoded forms, or JSON. response: the JSON."""

    method: str
    path: str
    query: str
    body: str
    response: str


class Upgrades:
    """Compares API versions for requests.

    catalogue: of the server that has answered them.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._router, self._resources = Router(catalogue), catalogue.by_object

    def differences(self, asked: Asked, before: str, after: str) -> list[Difference]:
        """Return the differences between two versions for a successful request.

        before, after: dates of versions, ``YYYY-MM-DD``; ``after`` is the later one.
        """
        hit = self._router.find(asked.method, asked.path)
        if hit is None:
            return []
        route = hit[0]
        span = _Span(before, after, operation_name(asked.method, route.endpoint.path))
        if route.endpoint.until is not None and span.holds(route.endpoint.until):
            return [span.refused(route.endpoint.until, f"{route.endpoint.path} is gone.", f"ended {span.operation}")]
        given = _parameters(asked)
        refused = [*_removed(span, route.endpoint, given), *_unexpandable(span, route, given)]
        return refused or [*self._forms(span, route.resource, asked.response), *_behavior(span, given)]

    def _forms(self, span: _Span, resource: Resource, response: str) -> Iterator[Difference]:
        try:
            kinds = set(_kinds(orjson.loads(response)))
        except orjson.JSONDecodeError:  # the log keeps the beginning of a long response
            kinds = {resource.object}
        for kind in sorted(kinds):
            shown = self._resources.get(kind)
            for date in sorted({change.date for change in shown.changes} if shown is not None else ()):
                if span.holds(date):
                    yield from span.form(date, kind)


class _Span(NamedTuple):
    """The versions after ``before`` and up to ``after``, for one operation."""

    before: str
    after: str
    operation: str

    def holds(self, date: str) -> bool:
        return self.before < date <= self.after

    def refused(self, date: str, what: str, by: str, link: str = "") -> Difference:
        """by: how the changelog's row names it. link: of the page, when the declaration has it."""
        return self._made("refused", date, what, link or _link(date, by))

    def form(self, date: str, object: str) -> Iterator[Difference]:
        found = [entry for entry in entries() if entry.date == date and f"change {object}" in entry.by]
        for entry in found:
            yield self._made("form", date, f"{object}: {entry.what}", entry.link)
        if not found:
            yield self._made("form", date, f"{object} has another form.", "")

    def behavior(self, entry: Entry) -> Difference:
        return self._made("behavior", entry.date, entry.what, entry.link)

    def _made(self, kind: Literal["refused", "form", "behavior"], date: str, what: str, link: str) -> Difference:
        name = DATES.get(date, "")
        return Difference(f"{date}.{name}" if name else date, kind, self.operation, what, PAGES + link)


def _link(date: str, by: str) -> str:
    """Return the page of the change that has this among what makes it."""
    for entry in entries():
        if entry.date == date and any(_named(each).startswith(by) for each in entry.by):
            return entry.link
    return ""


def _named(by: str) -> str:
    """Return a changelog row's ``by`` with the names in braces left out."""
    kind, _, rest = by.partition(" ")
    method, _, path = rest.partition(" ")
    return f"{kind} {operation_name(method, path)}"


def _parameters(asked: Asked) -> dict[str, Any]:
    """Return what was sent; what cannot be decoded is left out."""
    given: dict[str, Any] = {}
    for text in (asked.query, asked.body):
        try:
            given |= orjson.loads(text) if text.startswith("{") else decode_form(text.encode())
        except (FormError, orjson.JSONDecodeError):
            continue
    return given


def _removed(span: _Span, endpoint: Endpoint, given: Mapping[str, Any]) -> Iterator[Difference]:
    for each in endpoint.removed:
        if not span.holds(each.date):
            continue
        found = list(_values(given, each.param.split("."))) if each.param else []
        if each.requires and not list(_values(given, each.requires.split("."))):
            yield span.refused(each.date, f"`{each.requires}` is required.", f"removed {span.operation}", each.link)
        elif any(_is_gone(each, value) for value in found):
            what = f"`{each.param}` is no longer taken"
            yield span.refused(each.date, f"{what}{_which(each)}.", f"removed {span.operation} {each.param}", each.link)


def _which(removed: Removed) -> str:
    if removed.values:
        return f" with the value {' or '.join(removed.values)}"
    return " in this form" if removed.becomes is not None else ""


def _is_gone(removed: Removed, value: object) -> bool:
    if removed.values:
        return value in removed.values
    return removed.becomes is None or not removed.becomes.takes(value)


def _values(given: Any, path: list[str]) -> Iterator[Any]:
    """Return what was sent at a path, of every item of a list on the way."""
    if not path:
        yield given
        return
    name, rest = path[0].removesuffix("[]"), path[1:]
    if not isinstance(given, dict) or name not in given:
        return
    value = given[name]
    if path[0].endswith("[]"):
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from _values(item, rest)
    else:
        yield from _values(value, rest)


def _unexpandable(span: _Span, route: Route, given: Mapping[str, Any]) -> Iterator[Difference]:
    """What was expanded and can no longer be."""
    paths = given.get("expand") or []
    for path in paths.values() if isinstance(paths, dict) else paths if isinstance(paths, list) else [paths]:
        name = str(path).removeprefix("data.").partition(".")[0]
        until = EXPANDED_UNTIL.get(route.endpoint.object or route.resource.object, {}).get(name)
        if name == TOTAL_COUNT and not route.endpoint.path.endswith("/search"):
            until = COUNTED_UNTIL
        if until is not None and span.holds(until):
            yield span.refused(until, f"`{path}` can no longer be expanded.", _expanded(route, name))


def _expanded(route: Route, name: str) -> str:
    return f"expand {route.endpoint.object or route.resource.object} {name}"


def _kinds(value: Any) -> Iterator[str]:
    """Return the types of all objects in a response."""
    if isinstance(value, list):
        for item in value:
            yield from _kinds(item)
    elif isinstance(value, dict):
        if isinstance(value.get("object"), str):
            yield value["object"]
        for item in value.values():
            yield from _kinds(item)


def _behavior(span: _Span, given: Mapping[str, Any]) -> Iterator[Difference]:
    for entry in entries():
        if span.holds(entry.date):
            for name, unless in entry.differs:
                if operation_name(*name.split(" ", 1)) == span.operation and not any(each in given for each in unless):
                    yield span.behavior(entry)
