"""New objects with all properties that Stripe's OpenAPI document requires, and what ``expand[]`` may expand.

new_object("customer", id=id, created=now, livemode=False, invoice_settings={...})
expand_targets("charge", "customer.default_source")      # ("bank_account", "card", "source")
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple, overload

from tollkey.wire.kinds import Kind, T
from tollkey.wire.spec import EXPANDABLE, NULLABLE, REQUIRED, object_facts
from tollkey.wire.spec.usual import ALWAYS, EMPTY_HASHES, EMPTY_LISTS, EXPANDED_BEFORE, SOMETIMES, WHEN_EXPANDED

__all__ = ["expand_targets", "expandables", "missing_fields", "new_object", "properties"]

MAX_DEPTH = 4
Field = tuple[int, int]  # number of the row, flags


class _Template(NamedTuple):
    object: dict[str, Any]  # the object without given values
    fresh: tuple[tuple[str, type], ...]  # its empty lists and hashes, created anew for each object
    order: dict[str, int]  # property -> position
    needed: tuple[str, ...]  # properties that the caller must set


@overload
def new_object(object_name: Kind[T], /, **given: Any) -> T: ...
@overload
def new_object(object_name: str, /, **given: Any) -> dict[str, Any]: ...
def new_object(object_name: Any, /, **given: Any) -> Any:
    """Return a new object with its required and nullable properties, in documented order; unset ones are None.

    object_name: the schema's name, usually that in ``object``: ``customer``, ``checkout.session``.
    given: values of properties. Optional properties and lists that exist only when expanded are left out unless given.
    Raises LookupError for an object that Stripe's document does not have, ValueError for an unknown property.
    """
    template = _template(object_name)
    made = template.object.copy()
    for name, kind in template.fresh:
        made[name] = kind()
    made.update(given)
    if len(made) > len(template.object):
        return {name: made[name] for name in _in_order(object_name, tuple(made))}
    return made


@lru_cache(maxsize=2_000)
def _in_order(object_name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    order = _template(object_name).order
    stray = set(names) - order.keys()
    if stray:
        raise ValueError(f"{object_name} has no {', '.join(sorted(stray))}")
    return tuple(sorted(names, key=order.__getitem__))


def missing_fields(object: dict[str, Any], object_name: str | None = None) -> list[str]:
    """Return the required, non-nullable properties that are missing or None. For tests.

    object_name: the schema's name, where it differs from ``object``.
    """
    return [name for name in _template(object_name or object["object"]).needed if object.get(name) is None]


def properties(object_name: str) -> list[str]:
    """Return the names of all documented properties, in order."""
    return list(_template(object_name).order)


@cache
def _template(object_name: str) -> _Template:
    """Return the cached template of an object."""
    made: dict[str, Any] = {}
    fresh: list[tuple[str, type]] = []
    needed: list[str] = []
    fields = _fields(_root(object_name))
    always = ALWAYS.get(object_name, ())
    absent = SOMETIMES.get(object_name, frozenset()) | WHEN_EXPANDED.get(object_name, frozenset())
    for name, (row, flags) in fields.items():
        kind, *rest = object_facts().row(row)
        nullable, required = flags & NULLABLE, flags & REQUIRED or name in always
        if (
            name in absent
            or not (nullable or required or name == "metadata")
            or (nullable and flags & EXPANDABLE and _is_list(row))
        ):
            continue
        made[name] = rest[0][0] if kind == "e" and len(rest[0]) == 1 and not nullable else None
        if name in EMPTY_HASHES:
            fresh.append((name, dict))
        elif kind == "a" and (not nullable or name in EMPTY_LISTS):
            fresh.append((name, list))
        if required and not nullable:
            needed.append(name)
    return _Template(made, tuple(fresh), {name: place for place, name in enumerate(fields)}, tuple(needed))


def expandables(object_name: str) -> dict[str, tuple[str, ...]]:
    """Return what can be expanded in an object: dotted path through its hashes and lists -> names of the targets.

    A list that exists only when expanded has the target ``("list",)``, another such property ``("hash",)``.
    Paths within targets are not included; ``expand_targets`` follows a whole path.
    """
    return dict(_walk(object_name))


@cache
def _walk(object_name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, tuple[str, ...]] = {}
    for path, row, flags in _paths(_root(object_name), "", frozenset({object_name})):
        target = _target(row, flags)
        if target:
            found[path] = target
    found.update((path, ("hash",)) for path in WHEN_EXPANDED.get(object_name, ()) if path not in found)
    found.update(EXPANDED_BEFORE.get(object_name, {}))
    return tuple(found.items())


def documented_paths(object_name: str) -> list[str]:
    """Return dotted paths of an object's own properties, through hashes and lists, not into other objects. For tests.

    Raises LookupError for an object that Stripe's document does not have.
    """
    return [path for path, _, _ in _paths(_root(object_name), "", frozenset({object_name}), own=True)]


def _paths(row: int, prefix: str, seen: frozenset[str], own: bool = False) -> Iterator[tuple[str, int, int]]:
    """Yield every property reachable without expanding, at most MAX_DEPTH names deep.

    own: do not enter objects with an ``object`` property.
    """
    for name, (inner, flags) in _fields(row).items():
        path = f"{prefix}{name}"
        yield path, inner, flags
        if path.count(".") + 1 < MAX_DEPTH:
            for object_name, hash_row in _hashes(inner):
                if object_name not in seen and not (own and "object" in _fields(hash_row)):
                    yield from _paths(hash_row, f"{path}.", seen | {object_name} if object_name else seen, own)


@cache
def types_inside(object_name: str) -> frozenset[str] | None:
    """Return an object's type and the types of all objects that it contains without expansion, at any depth.

    None for an object that Stripe's document does not have.
    """
    if object_name not in object_facts().roots:
        return None
    found, seen, left = {object_name}, set[int](), [_root(object_name)]
    while left:
        row = left.pop()
        if row in seen:
            continue
        seen.add(row)
        kind, *rest = object_facts().row(row)
        if kind == "o":
            left += (inner for inner, _ in rest[0].values())
            if "object" in rest[0]:
                named = object_facts().row(rest[0]["object"][0])
                found.update(named[1] if named[0] == "e" else ())
        elif kind == "r":
            left.append(_root(rest[0]))
        elif kind in ("a", "u", "m"):
            left += rest
    return frozenset(found)


def expand_targets(object_name: str, path: str) -> tuple[str, ...] | None:
    """Return the names of the objects that a path of ``expand[]`` leads to, or None when it cannot be expanded.

    object_name: the object in the response; ``list:charge`` for a page of charges, whose paths begin with ``data.``.
    path: dotted, for example ``latest_charge.balance_transaction``; at most 4 names deep (after ``data.`` of a page).
    """
    names = path.split(".")
    if object_name.startswith("list:"):
        object_name = object_name.removeprefix("list:")
        if names[0] != "data":
            return None
        names = names[1:]
    if not 1 <= len([name for name in names if name != "data"]) <= MAX_DEPTH:
        return None
    return _reach(object_name, names)


def _reach(object_name: str, names: list[str]) -> tuple[str, ...] | None:
    """Follow the longest prefix of the path that this object can expand, then the rest in its targets."""
    try:
        own = expandables(object_name)
    except LookupError:
        return None
    for count in range(len(names), 0, -1):
        targets = own.get(".".join(names[:count]))
        if targets is None:
            continue
        if count == len(names):
            return targets
        for target in targets:
            found = _reach(target, names[count:])
            if found is not None:
                return found
    return None


def _root(object_name: str) -> int:
    number = object_facts().roots.get(object_name)
    if number is None:
        raise LookupError(f"no such object: {object_name}")
    return number


def _fields(row: int) -> dict[str, Field]:
    kind, *rest = object_facts().row(row)
    return {name: (inner, flags) for name, (inner, flags) in rest[0].items()} if kind == "o" else {}


def _hashes(row: int) -> Iterator[tuple[str, int]]:
    """Yield the objects inside a property (itself, list items, alternatives) as schema's name and row."""
    kind, *rest = object_facts().row(row)
    if kind == "o":
        yield "", row
    elif kind == "r":
        yield rest[0], _root(rest[0])
    elif kind in ("a", "u", "m"):
        for inner in rest:
            yield from _hashes(inner)


def _is_list(row: int) -> bool:
    names = _fields(row)
    return "data" in names and "has_more" in names


@cache
def nested_lists(object_name: str | None) -> tuple[str, ...] | None:
    """Return the properties of an object that are lists of other objects; None for one that Stripe's document lacks."""
    if object_name not in object_facts().roots:
        return None
    return tuple(name for name, (row, _) in _fields(_root(object_name)).items() if _is_list(row))


def _target(row: int, flags: int) -> tuple[str, ...]:
    """Return the names of the objects that a property expands to; empty when it cannot be expanded."""
    kind, *rest = object_facts().row(row)
    if kind == "x":
        return tuple(name for name in rest[0] if not name.startswith("deleted_"))
    if kind == "a":
        item = object_facts().row(rest[0])
        return (item[1],) if item[0] == "r" and flags & EXPANDABLE else _target(rest[0], flags)
    if kind == "u":
        return tuple(name for option in rest for name in _target(option, 0))
    return ("list",) if flags & EXPANDABLE and _is_list(row) else ()
