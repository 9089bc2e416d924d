"""Which permissions the ``expand`` paths of a request need, before an upstream account is asked.

A path leads through the properties of the answer (Stripe's published document: ``x-expansionResources`` and
``x-expandableFields``). A restricted key needs to be allowed to read every object that it may lead to; a path that
cannot be followed is refused, since what it would show is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from tollkey.keys import Permission
from tollkey.upstream.operations import Operation, Operations
from tollkey.wire.expand import not_expandable, split
from tollkey.wire.spec import EXPANDABLE, object_facts

_Row = list[Any]

#: Objects that are shown with the one they are part of, without a permission of their own.
PARTS: Final = frozenset({"item", "payment_intent_amount_details_line_item"})
#: Properties that earlier API versions could expand (Stripe's changelog: "acacia" and before) -> their objects.
UNTIL: Final = {
    ("charge", "invoice"): "invoice",
    ("invoice", "charge"): "charge",
    ("invoice", "payment_intent"): "payment_intent",
    ("invoice", "quote"): "quote",
    ("invoice", "subscription"): "subscription",
    ("payment_intent", "charges"): "charge",
    ("payment_intent", "invoice"): "invoice",
    ("charge", "dispute"): "dispute",
    ("line_item", "subscription"): "subscription",
}
#: What its property ``source`` holds is read with a permission of its own, "Balance transaction sources".
SOURCE_OF: Final = "balance_transaction"


class _Place(NamedTuple):
    """Where a path has come to. object: the name of the object, "" for a part of one. fields: its properties."""

    object: str
    fields: dict[str, list[int]]


def needed(operations: Operations, operation: Operation, paths: Iterable[str]) -> list[Permission]:
    """Return the permissions whose ``read`` level a restricted key needs for these paths.

    paths: the values of ``expand``. Raises ApiError 400 for a path that cannot be followed, is too deep, or too many.
    """
    found: dict[str, Permission] = {}
    for path, names in split(paths, listed=operation.listed):
        if operation.listed:
            names = names[1:]
        for object in map(_whole, _objects_of(operation.object, names, path)):
            if object in PARTS:
                continue
            if object not in operations.readers:
                raise not_expandable(path)
            found.setdefault(object, operations.readers[object])
    return list(dict.fromkeys(found.values()))


def _whole(object: str) -> str:
    """Return the object that a deleted one was."""
    return object.removeprefix("deleted_")


def _objects_of(object: str, names: list[str], path: str) -> set[str]:
    """Return every object that a path may show, on its way and at its end. Raises ApiError 400."""
    facts = object_facts()
    places, shown = list(_places(_root(object))), set()
    expandable = False
    for name in names:
        steps = [place.fields[name] for place in places if name in place.fields]
        earlier = [UNTIL[place.object, name] for place in places if (place.object, name) in UNTIL]
        if not steps and not earlier:
            raise not_expandable(path)
        expandable = bool(earlier) or any(flags & EXPANDABLE for _, flags in steps)
        rows = [("", facts.row(number)) for number, _ in steps]
        if (SOURCE_OF, name) in {(place.object, "source") for place in places}:
            shown.add(SOURCE_OF)
        elif expandable:
            shown |= {named for _, row in rows for named in _named(row)} | set(earlier)
        places = list(_places(rows + [found for named in earlier for found in _root(named)]))
    if not expandable:
        raise not_expandable(path)
    return shown


def _root(object: str) -> list[tuple[str, _Row]]:
    facts = object_facts()
    return [(object, facts.row(facts.roots[object]))] if object in facts.roots else []


def _named(row: _Row) -> Iterator[str]:
    """Return the objects that a property may hold: one, one of several, a list or a page of them."""
    facts = object_facts()
    if row[0] == "x":
        yield from row[1]
    elif row[0] == "r":
        yield row[1]
    elif row[0] == "u":
        for number in row[1:]:
            yield from _named(facts.row(number))
    elif row[0] in ("a", "m"):
        yield from _named(facts.row(row[1]))
    elif row[0] == "o" and "data" in row[1]:  # a page of objects
        yield from _named(facts.row(row[1]["data"][0]))


def _places(rows: Iterable[tuple[str, _Row]]) -> Iterator[_Place]:
    """Return the objects whose properties the next name of a path may be. rows: each with the object that it is of."""
    facts = object_facts()
    for object, row in rows:
        if row[0] == "o":
            yield _Place(object, row[1])
        elif row[0] == "x":
            yield from _places(found for name in row[1] for found in _root(name))
        elif row[0] == "r":
            yield from _places(_root(row[1]))
        elif row[0] == "u":
            yield from _places(("", facts.row(number)) for number in row[1:])
        elif row[0] in ("a", "m"):
            yield from _places([("", facts.row(row[1]))])
