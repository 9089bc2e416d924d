"""Upper limits of parameters: how many entries a list has, how long a text is, how large a number."""

from __future__ import annotations

from typing import Any

from tollkey.wire._check import Array, Integer, Node, OneOf, Text, Unset
from tollkey.wire._naming import Path, bracket_name
from tollkey.wire.errors import invalid


class ShortArray(Array):
    """An array of at most ``most`` elements."""

    __slots__ = ("most",)

    def __init__(self, item: Node, most: int) -> None:
        super().__init__(item)
        self.most = most

    def read(self, value: object, path: Path) -> list[Any]:
        read = super().read(value, path)
        if len(read) > self.most:
            name = bracket_name(path)
            raise invalid(f"Array {name} exceeded maximum {self.most} allowed elements.", name)
        return read


def limited(node: Node, most: int) -> Node:
    """Return the type with an upper limit: elements of a list, characters of a text, or the largest integer.

    Alternatives are each limited, when they have a limit at all. Raises TypeError for a type that has none.
    """
    if isinstance(node, Unset):
        return Unset(limited(node.inner, most))
    if isinstance(node, OneOf):
        return OneOf([limited(one, most) if isinstance(one, Array | Text | Integer) else one for one in node.options])
    if isinstance(node, Array):
        return ShortArray(node.item, most)
    if isinstance(node, Text):
        return Text(most, node.blank)
    if isinstance(node, Integer):
        return Integer(node.lowest, most, node.natural)
    raise TypeError(f"{type(node).__name__} has no upper limit")


def from_lowest(node: Node, lowest: int) -> Node:
    """Return the type of an integer with a smallest value; one that can be unset still can.

    Raises TypeError for another type.
    """
    if isinstance(node, Unset):
        return Unset(from_lowest(node.inner, lowest))
    if isinstance(node, Integer):
        return Integer(lowest, node.highest, node.natural)
    raise TypeError(f"{type(node).__name__} has no smallest value")
