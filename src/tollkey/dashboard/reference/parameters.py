"""Parameters in words: the schemas of ``wire.params``, flattened for readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tollkey.wire import Endpoint
from tollkey.wire.metadata import Metadata
from tollkey.wire.params import (
    Anything,
    Array,
    Boolean,
    Choice,
    DecimalText,
    Email,
    Integer,
    Map,
    Moment,
    Number,
    ObjectSchema,
    OneOf,
    Param,
    Text,
    Timestamp,
    Unset,
    Url,
)
from tollkey.wire.resource import path_names
from tollkey.wire.versions import LATEST

_DEEPEST = 4  # depth of the bracketed names that the reference shows
_SIMPLE: dict[type[Param], str] = {
    Timestamp: "timestamp", Number: "number", DecimalText: "decimal text", Boolean: "boolean", Metadata: "map of text",
    Email: "e-mail address", Url: "URL", Anything: "any", Moment: "time of RFC 3339",
}  # fmt: skip


class Row(NamedTuple):
    """A parameter. name: in bracket form. type: in words. words: allowed values of an enumeration.

    depth: 0 for a top-level one.
    """

    name: str
    type: str
    required: bool
    words: tuple[str, ...]
    depth: int


def schema_of(endpoint: Endpoint) -> ObjectSchema:
    """Return the parameters of an endpoint under the latest version."""
    return endpoint.schema_for(LATEST[:10])


def in_words(node: Param) -> str:
    """Describe the type of a parameter: ``integer, 1 to 100``, ``list of text``, ``object``."""
    if isinstance(node, Text):
        return f"text, at most {node.longest} characters" if node.longest not in (None, 5000) else "text"
    if isinstance(node, Integer):
        low = 0 if node.natural and node.lowest is None else node.lowest
        if low is not None and node.highest is not None:
            return f"integer, {low} to {node.highest}"
        return f"integer, at least {low}" if low is not None else "integer"
    if isinstance(node, Choice):
        return "one of" if len(node.words) > 1 else "the word"
    if isinstance(node, Array):
        return f"list of {in_words(node.item)}"
    if isinstance(node, Map):
        return f"map of {in_words(node.item)}"
    if isinstance(node, OneOf):
        return " or ".join(dict.fromkeys(in_words(option) for option in node.options))
    if isinstance(node, Unset):
        return f"{in_words(node.inner)}, or empty to unset"
    return _SIMPLE.get(type(node), "object")


def words_of(node: Param) -> tuple[str, ...]:
    """Return the allowed values of a parameter."""
    if isinstance(node, Choice):
        return node.words
    if isinstance(node, Unset):
        return words_of(node.inner)
    if isinstance(node, Array):
        return words_of(node.item)
    if isinstance(node, OneOf):
        return tuple(word for option in node.options for word in words_of(option))
    return ()


def record_of(node: Param) -> tuple[ObjectSchema | None, str]:
    """Return the object inside a parameter, and the text between its name and those fields: ``[0]`` for a list."""
    if isinstance(node, ObjectSchema):
        return node, ""
    if isinstance(node, Unset):
        return record_of(node.inner)
    if isinstance(node, Array):
        found = record_of(node.item)[0]
        return found, "[0]"
    if isinstance(node, OneOf):
        return next((inside for option in node.options if (inside := record_of(option))[0] is not None), (None, ""))
    return None, ""


def rows(schema: ObjectSchema, prefix: str = "", depth: int = 0) -> Iterator[Row]:
    """Return all parameters, required ones first, objects before their fields."""
    names = sorted(schema.fields, key=lambda name: (name not in schema.required, name == "expand", name))
    for name in names:
        node = schema.fields[name]
        full = f"{prefix}[{name}]" if prefix else name
        yield Row(full, in_words(node), name in schema.required, words_of(node), depth)
        inner, between = record_of(node)
        if inner is not None and depth + 1 < _DEEPEST and not (between and not inner.fields):
            yield from rows(inner, full + between, depth + 1)


def path_rows(endpoint: Endpoint) -> list[Row]:
    """Return the parameters in the path."""
    return [Row(name, "id, in the path", True, (), 0) for name in path_names(endpoint.path)]
