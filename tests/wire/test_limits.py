"""Upper limits of parameters: how many entries a list has, how long a text is, how large a number."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest

from tollkey.wire import ApiError
from tollkey.wire._check import Anything, Array, DecimalText, Integer, Node, Object, OneOf, Text, Unset
from tollkey.wire.params import operation_params
from tollkey.wire.spec import operation_facts
from tollkey.wire.spec.limits import LOWEST, MOST, Limits


def _plain(node: Node) -> list[Node]:
    """The types that a parameter may have."""
    if isinstance(node, Unset):
        return _plain(node.inner)
    return [inner for one in node.options for inner in _plain(one)] if isinstance(node, OneOf) else [node]


def _at(operation: str, path: str) -> Node:
    """The type of a parameter by its path."""
    nodes: list[Node] = [operation_params(*operation.split())]
    for part in path.split("."):
        records = [inner for node in nodes for inner in _plain(node) if isinstance(inner, Object)]
        nodes = [
            record.fields[part.removesuffix("[]")] for record in records if part.removesuffix("[]") in record.fields
        ]
        if part.endswith("[]"):
            nodes = [array.item for node in nodes for array in _plain(node) if isinstance(array, Array)]
    (found,) = nodes
    return found


def _rows(table: Limits) -> list[tuple[str, str, int]]:
    return [(operation, path, limit) for operation, paths in table.items() for path, limit in paths.items()]


def _bounded(operation: str, path: str) -> Node:
    """The type with the limit; of a list, one of the same length whose elements may be anything."""
    kind = next(one for one in _plain(_at(operation, path)) if isinstance(one, Array | Text | Integer))
    if isinstance(kind, Array):
        kind = copy(kind)
        kind.item = Anything()
    return kind


def _of_size(kind: Node, size: int) -> Any:
    if isinstance(kind, Integer):
        return size
    return "x" * size if isinstance(kind, Text) else ["x"] * size


@pytest.mark.parametrize(("operation", "path", "most"), _rows(MOST))
def test_as_much_as_the_limit_is_taken_and_one_more_is_refused(operation: str, path: str, most: int) -> None:
    kind = _bounded(operation, path)
    kind.read(_of_size(kind, most), (None, "x"))
    with pytest.raises(ApiError) as refused:
        kind.read(_of_size(kind, most + 1), (None, "x"))
    assert refused.value.param == "x"


@pytest.mark.parametrize(("operation", "path", "lowest"), _rows(LOWEST))
def test_what_is_below_the_smallest_value_is_refused(operation: str, path: str, lowest: int) -> None:
    kind = _bounded(operation, path)
    assert kind.read(str(lowest), (None, "x")) == lowest
    with pytest.raises(ApiError, match="greater than or equal to"):
        kind.read(str(lowest - 1), (None, "x"))


def test_a_decimal_has_at_most_twelve_places() -> None:
    assert DecimalText().read("1." + "2" * 12, (None, "x")) == "1." + "2" * 12
    with pytest.raises(ApiError, match="at maximum 12 decimal places"):
        DecimalText().read("1." + "2" * 13, (None, "x"))


def test_every_list_holds_one_to_a_hundred_objects_a_page() -> None:
    lists = [operation_params(*name.split()) for name in operation_facts().roots if name.startswith("GET ")]
    paged = [schema.fields["limit"] for schema in lists if "limit" in schema.fields]
    assert len(paged) > 100
    assert {(node.lowest, node.highest) for node in paged if isinstance(node, Integer)} == {(1, 100)}
    assert all(isinstance(node, Integer) for node in paged)
