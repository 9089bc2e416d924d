"""Access of publishable and ephemeral keys: the parameters they may send to an endpoint, and what they may expand.

An endpoint that such keys may call declares an ``Access``, which lists every parameter as taken, ignored or refused.
Unlisted parameters are refused, and a test reports them (``undecided``), so that a new parameter is never accepted by
accident. What such keys see of an object is ``Resource.client_view``.

    Endpoint("POST", "/v1/tokens", create, publishable=Access(takes="card{number exp_month exp_year cvc}", refuses="card
    customer"))

The notation, names separated by spaces:

    name            one value (a string or a number), or a list of values
    name{a b{c}}    an object, or a list of objects, with these fields; ``name{}`` is an empty object
    name=any        any content, for a parameter without declared fields (``metadata``)

A name in ``refuses`` or ``ignores`` without braces covers all fields below it that ``takes`` does not list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tollkey.wire._check import Anything, Array, Map, Node, Object, OneOf, Unset, unknown
from tollkey.wire._naming import Path, bracket_name, shown
from tollkey.wire.errors import invalid
from tollkey.wire.metadata import Metadata
from tollkey.wire.removed import Removed, narrowed
from tollkey.wire.spec.legacy import BROWSER

_WORD = re.compile(r"\s*(?:(\w+)(=any)?|([{}]))")


@dataclass
class Named:
    """How the notation lists a name: as a value, as anything, and with which fields (None without braces)."""

    value: bool = False
    anything: bool = False
    fields: dict[str, Named] | None = None


Names = dict[str, Named]


@cache
def names_of(text: str) -> Names:
    """Parse the notation. Raises ValueError for a syntax error."""
    stack: list[Names] = [{}]
    last: str | None = None
    place = 0
    while place < len(text.rstrip()):
        match = _WORD.match(text, place)
        if match is None:
            raise ValueError(f"not a list of parameters: {text[place : place + 40]!r}")
        place = match.end()
        word, anything, brace = match.groups()
        opens = text[place : place + 1] == "{"
        if word is not None:
            named = stack[-1].setdefault(word, Named())
            named.anything |= bool(anything)
            named.value |= not opens and not anything
            last = word
        elif brace == "{" and last is not None:
            named = stack[-1][last]
            named.fields = named.fields if named.fields is not None else {}
            stack.append(named.fields)
            last = None
        elif brace == "}" and len(stack) > 1:
            stack.pop()
            last = None
        else:
            raise ValueError(f"a brace too many: {text[:40]!r}")
    if len(stack) != 1:
        raise ValueError(f"a brace is not closed: {text[:40]!r}")
    return stack[0]


@dataclass(frozen=True)
class Access:
    """What one kind of client key may send to an endpoint and expand there.

    takes: parameters it may send. ignores: parameters of client libraries without effect, as documented or recorded.
    refuses: all other parameters. also_ignores: names ignored at every level.
    expands: the paths it may expand; in a list they begin with ``data``.
    granted: what a key that was narrowed (``Key.permissions``) needs one of; without any, such a key may not call it.
    """

    takes: str = ""
    ignores: str = ""
    refuses: str = ""
    expands: tuple[str, ...] = ()
    granted: frozenset[str] = frozenset()
    also_ignores: frozenset[str] = field(default=frozenset(), repr=False)

    def admits(self, permissions: frozenset[str]) -> bool:
        """Return whether a key with these permissions of its own (``Key.permissions``) may call the endpoint."""
        return not permissions or bool(permissions & self.granted)

    def read(self, schema: Object, raw: Mapping[str, Any], without: tuple[Removed, ...] = ()) -> dict[str, Any]:
        """Return the typed parameters of a request with such a key.

        raw: the result of ``decode_form`` or ``decode_json``. without: what the caller's version removed.
        Raises ApiError 400 ``parameter_unknown`` for a refused parameter: Stripe reports parameters that a kind of
        key may not send as unknown (recorded for ``client_secret`` with a secret key).
        """
        allowed = narrowed(_compiled(self, schema), without)
        return allowed.read(_without(dict(raw), names_of(self.ignores), allowed, schema, self.also_ignores), None)

    def check_expands(self, paths: list[str]) -> None:
        """Raise ApiError 400 for a path of ``expand`` that is not declared."""
        for path in paths:
            if not any(known == path or known.startswith(path + ".") for known in self.expands):
                raise invalid(f"This property cannot be expanded ({path}).")

    def taken(self, schema: Object) -> Object:
        """Return the schema of what such a key may send. Raises ValueError for unknown names in ``takes``."""
        return _compiled(self, schema)


def publishable_access(
    takes: str = "", *, ignores: str = "", refuses: str = "", expands: tuple[str, ...] = ()
) -> Access:
    """Return the access of a publishable key; what client libraries send about themselves is ignored."""
    return Access(takes, ignores, refuses, expands, also_ignores=BROWSER)


# -- the schema of what may be sent


class _Single(Node):
    """A value other than an object or list, where the endpoint's own schema accepts anything."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> Any:
        if isinstance(value, dict | list):
            raise invalid(f"Invalid string: {shown(value)}", bracket_name(path))
        return value


class _Allowed(Object):
    """An object with the fields that may be sent; for refused fields the error suggests no other name."""

    __slots__ = ("_whole",)

    def __init__(self, fields: Mapping[str, Node], required: tuple[str, ...], whole: frozenset[str]) -> None:
        super().__init__(fields, required)
        self._whole = whole

    def read(self, value: object, path: Path) -> dict[str, Any]:
        if isinstance(value, dict):
            refused = [name for name in value if name in self._whole and name not in self.fields]
            if refused:
                raise unknown(refused, [], path)
        return super().read(value, path)


def _taken_of(access: Access, schema: Object) -> Names:
    """Return what the access takes; ``expand`` too, except in the v2 API, which has none."""
    return names_of(f"{access.takes} expand" if "expand" in schema.fields else access.takes)


@cache
def _compiled(access: Access, schema: Object) -> Object:
    made = _fields_of(schema, _taken_of(access, schema), "")
    assert made is not None
    return made


def _fields_of(record: Object, names: Names, path: str) -> _Allowed | None:
    """Return the object with the named fields only; None when it has none of them."""
    kept = {
        name: _narrowed(record.fields[name], named, f"{path}{name}")
        for name, named in names.items()
        if name in record.fields
    }
    if not path and len(kept) < len(names):
        raise ValueError(f"not parameters of this endpoint: {sorted(names.keys() - kept.keys())}")
    if not kept and names:
        return None
    missing = [name for name in record.required if name not in kept]
    if missing:
        raise ValueError(f"required parameters must be taken: {path}{missing[0]}")
    return _Allowed(kept, record.required, frozenset(record.fields))


def _narrowed(node: Node, named: Named, path: str) -> Node:
    found = _options(node, named, path)
    if not found:
        raise ValueError(f"{path} is not what the notation says")
    if named.fields:
        known = {name for option in found for record in objects_of(option) for name in record.fields}
        if not named.fields.keys() <= known:
            raise ValueError(f"{path} has no {sorted(named.fields.keys() - known)}")
    return found[0] if len(found) == 1 else OneOf(found)


def _options(node: Node, named: Named, path: str) -> list[Node]:
    """Return the alternatives of a parameter that the notation allows."""
    if isinstance(node, Unset):
        return [Unset(option) for option in _options(node.inner, named, path)]
    if isinstance(node, OneOf):
        return [kept for option in node.options for kept in _options(option, named, path)]
    if isinstance(node, Array):
        inner = _options(node.item, named, path)
        return [Array(inner[0] if len(inner) == 1 else OneOf(inner))] if inner else []
    if isinstance(node, Object):
        made = None if named.fields is None else _fields_of(node, named.fields, f"{path}.")
        return [] if made is None else [made]
    if isinstance(node, Anything | Map | Metadata):
        if named.anything:
            return [node]
        loose: list[Node] = [] if named.fields is None or isinstance(node, Metadata) else [_loose(named.fields)]
        return loose + ([_Single()] if named.value and isinstance(node, Anything) else [])
    return [node] if named.value else []


def _loose(names: Names) -> Object:
    """Return an object of the named fields, where the endpoint's own schema accepts anything."""
    fields: dict[str, Node] = {}
    for name, named in names.items():
        kinds: list[Node] = [] if named.fields is None else [_loose(named.fields)]
        kinds += [Anything()] if named.anything else [_Single()] if named.value else []
        fields[name] = kinds[0] if len(kinds) == 1 else OneOf(kinds)
    return _Allowed(fields, (), frozenset(fields))


def objects_of(node: Node) -> Iterator[Object]:
    """Yield the object schemas in a node, through arrays, alternatives and unsettable nodes."""
    if isinstance(node, Object):
        yield node
    elif isinstance(node, Unset):
        yield from objects_of(node.inner)
    elif isinstance(node, Array):
        yield from objects_of(node.item)
    elif isinstance(node, OneOf):
        for option in node.options:
            yield from objects_of(option)


def _without(
    values: dict[str, Any], names: Names, allowed: Object, schema: Object, everywhere: frozenset[str]
) -> dict[str, Any]:
    """Return the values without ignored ones. everywhere: names ignored wherever the schema does not have them."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        named = names.get(key)
        if (named is not None and named.fields is None) or (key in everywhere and key not in schema.fields):
            continue
        inner = next(objects_of(allowed.fields[key]), None) if key in allowed.fields else None
        if type(value) is dict and inner is not None:
            whole = next(objects_of(schema.fields[key]), inner)
            value = _without(value, (named.fields if named is not None else None) or {}, inner, whole, everywhere)
        kept[key] = value
    return kept


# -- unlisted parameters


def undecided(access: Access, schema: Object) -> list[str]:
    """Return the parameters of an endpoint, as dotted paths, that the access does not list. For tests."""
    closed = [names_of(access.refuses), names_of(access.ignores)]
    return list(_undecided(schema, _taken_of(access, schema), closed, ""))


def _undecided(record: Object, takes: Names, closed: list[Names], path: str) -> Iterator[str]:
    for name, node in record.fields.items():
        shut = [names[name] for names in closed if name in names]
        if any(named.fields is None for named in shut):
            continue
        named = takes.get(name, Named())
        deeper = [one.fields for one in shut if one.fields is not None]
        if named.anything:
            continue
        objects = list(objects_of(node))
        if not named.value and (_has_value(node) or (not objects and named.fields is None)):
            yield f"{path}{name}"
        for inner in objects:
            if named.fields is None and not deeper:
                yield f"{path}{name}{{}}"
            else:
                yield from _undecided(inner, named.fields or {}, deeper, f"{path}{name}.")


def _has_value(node: Node) -> bool:
    """Return whether a parameter may be a single value."""
    if isinstance(node, Unset):
        return _has_value(node.inner)
    if isinstance(node, Array):
        return _has_value(node.item)
    if isinstance(node, OneOf):
        return any(_has_value(option) for option in node.options)
    return not isinstance(node, Object | Anything | Map | Metadata)
