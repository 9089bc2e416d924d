"""Parameters: convert a decoded body to typed values, checked against Stripe's OpenAPI document or our own schema.

schema = operation_params("POST", "/v1/customers/{customer}")      # Stripe's endpoints
schema = P.object(name=P.string(max_length=500), kind=P.enum("secret", "restricted"), required=["kind"])   # our own
params = check(schema, decode_form(body))
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tollkey.wire._check import (
    Anything,
    Array,
    Boolean,
    Choice,
    DecimalText,
    Hash,
    Integer,
    Map,
    Node,
    Number,
    Object,
    OneOf,
    Refused,
    Text,
    Timestamp,
    Unset,
    unknown,
)
from tollkey.wire._form import FormError, decode_form, decode_json, unquoted
from tollkey.wire._incoming import too_large
from tollkey.wire._limits import from_lowest, limited
from tollkey.wire._multipart import Upload, decode_multipart, is_multipart
from tollkey.wire._special import Email, Moment, Url, is_url_name, url_node
from tollkey.wire.messages import is_v2
from tollkey.wire.metadata import Metadata
from tollkey.wire.spec import operation_facts
from tollkey.wire.spec.dates import DATES, PUBLISHED
from tollkey.wire.spec.legacy import BROWSER_ONLY, ENUM_ORDERS, EXTRA, EXTRA_OPERATIONS, REQUIRED
from tollkey.wire.spec.limits import LOWEST, MOST
from tollkey.wire.spec.unbuilt import ANYWHERE, UNBUILT

__all__ = [
    "Anything",
    "Array",
    "Boolean",
    "Choice",
    "DecimalText",
    "Email",
    "FormError",
    "Integer",
    "Map",
    "Metadata",
    "Moment",
    "Number",
    "ObjectSchema",
    "OneOf",
    "P",
    "Param",
    "Refused",
    "Text",
    "Timestamp",
    "Unset",
    "Upload",
    "Url",
    "check",
    "decode_form",
    "decode_json",
    "decode_multipart",
    "is_multipart",
    "operation_params",
    "too_large",
    "unquoted",
]  # fmt: skip

Param = Node
ObjectSchema = Object


class P:
    """Builds parameter schemas by hand, for endpoints that Stripe's OpenAPI document does not describe."""

    @staticmethod
    def string(max_length: int | None = 5000, *, blank: bool = False) -> Param:
        """Return a string of at most ``max_length`` characters; an empty one is refused unless ``blank``."""
        return Text(max_length, blank)

    @staticmethod
    def integer(minimum: int | None = None, maximum: int | None = None) -> Param:
        """Return an integer from ``minimum`` to ``maximum``, both included."""
        return Integer(minimum, maximum)

    @staticmethod
    def timestamp() -> Param:
        """Return a timestamp in UTC epoch seconds."""
        return Timestamp()

    @staticmethod
    def number() -> Param:
        """Return a number, read as a float or an int."""
        return Number()

    @staticmethod
    def decimal() -> Param:
        """Return a decimal number, kept as a string."""
        return DecimalText()

    @staticmethod
    def boolean() -> Param:
        """Return a boolean."""
        return Boolean()

    @staticmethod
    def enum(*words: str) -> Param:
        """Return a choice of the given strings; errors list them in this order."""
        return Choice(words)

    @staticmethod
    def email() -> Param:
        """Return an email address."""
        return Email(512)

    @staticmethod
    def url() -> Param:
        """Return an http or https URL."""
        return Url(5000)

    @staticmethod
    def return_url() -> Param:
        """Return a URL that a customer is sent back to: http, https or an application's scheme."""
        return Url(5000, kind="return")

    @staticmethod
    def site() -> Param:
        """Return a web address as people type it, with or without its scheme; it may be empty."""
        return Url(5000, True, "site")

    @staticmethod
    def array(item: Param) -> Param:
        """Return an array of such items."""
        return Array(item)

    @staticmethod
    def map(item: Param) -> Param:
        """Return an object with any keys and such values."""
        return Map(item)

    @staticmethod
    def metadata() -> Param:
        """Return metadata: up to 50 keys of 40 characters, values of up to 500; '' is read as None and unsets all."""
        return Metadata()

    @staticmethod
    def unset(inner: Param) -> Param:
        """Return the parameter so that an empty string unsets it, read as None."""
        return Unset(inner)

    @staticmethod
    def any() -> Param:
        """Return a parameter that accepts any value unchanged."""
        return Anything()

    @staticmethod
    def range() -> Param:
        """Return a filter by time: UTC epoch seconds, or an object with gt, gte, lt, lte."""
        return OneOf([Object({name: Integer() for name in ("gt", "gte", "lt", "lte")}), Integer()])

    @staticmethod
    def page(**filters: Param) -> ObjectSchema:
        """Return the parameters of a list: limit, starting_after, ending_before, expand and the given filters."""
        own: dict[str, Param] = {"limit": Integer(1, 100), "starting_after": Text(5000), "ending_before": Text(5000)}
        return Object({"expand": Array(Text(5000)), **own, **filters})

    @staticmethod
    def object(*, required: Iterable[str] = (), **fields: Param) -> ObjectSchema:
        """Return the parameters of an operation. ``expand``, which every operation accepts, is added."""
        return Object({"expand": Array(Text(5000)), **fields}, required)

    @staticmethod
    def nested(
        fields: Mapping[str, Param] | None = None, *, required: Iterable[str] = (), **more: Param
    ) -> ObjectSchema:
        """Return an object for use inside another one."""
        return Object({**(fields or {}), **more}, required)


def check(schema: ObjectSchema, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the typed parameters: strings of a form become integers, booleans and so on; '' that unsets becomes None.

    raw: the result of ``decode_form`` or ``decode_json``.
    Raises ApiError 400 with Stripe's text, code and ``param``: at each level first for unknown names, then for missing
    ones, then for wrong values in the order they were sent (reference section 1.10).
    """
    values = dict(raw)
    if schema.browser_only and not schema.browser_only.isdisjoint(values):
        raise unknown([name for name in values if name in schema.browser_only], [], None)
    return schema.read(values, None)


def operation_name(method: str, path_template: str) -> str:
    """Return the name of an operation in tables, like ``POST /v1/customers/{}``: names in braces do not matter.

    method: in any case. path_template: like ``/v1/customers/{customer}``.
    """
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path_template)}"


@cache
def operation_params(method: str, path_template: str) -> ObjectSchema:
    """Return the parameters of one of Stripe's operations, query and body together.

    method: in any case. path_template: like ``/v1/customers/{customer}``; the names in braces do not matter.
    Raises LookupError when neither Stripe's document nor ``spec.legacy`` has the operation.
    """
    return _operation(operation_name(method, path_template))


def item_of(schema: ObjectSchema, *path: str) -> ObjectSchema:
    """Return the type of the hashes in a list. path: the names that lead to the list, each in the hash before it."""
    node: Node = schema
    for name in path:
        node = node.inner if isinstance(node, Unset) else node
        assert isinstance(node, Object)
        node = node.fields[name]
    node = node.inner if isinstance(node, Unset) else node
    assert isinstance(node, Array)
    assert isinstance(node.item, Object)
    return node.item


def knows_operation(method: str, path_template: str) -> bool:
    """Return whether ``operation_params`` has that operation."""
    name = operation_name(method, path_template)
    return name in operation_facts().roots or name in EXTRA_OPERATIONS


@cache
def _operation(name: str) -> ObjectSchema:
    number = operation_facts().roots.get(name)
    if number is None and name not in EXTRA_OPERATIONS:
        raise LookupError(f"no such operation: {name}")
    base = Object() if number is None else _node(number)
    assert isinstance(base, Object)
    extra: dict[str, Node] = {} if is_v2(name.partition(" ")[2]) else {"expand": Array(Text(5000))}
    if "limit" in base.fields:
        extra["limit"] = Integer(1, 100)
    schema = base.extended(extra)
    for path, kind in {**EXTRA_OPERATIONS.get(name, {}), **EXTRA.get(name, {})}.items():
        schema = _with(schema, path.split("."), kind)
    for path, lowest in LOWEST.get(name, {}).items():
        schema = _with(schema, path.split("."), f">={lowest}")
    for path, most in sorted(MOST.get(name, {}).items(), key=lambda row: -row[0].count(".")):  # inner limits first
        schema = _with(schema, path.split("."), f"<={most}")
    for path, why in {**_in(schema, ANYWHERE), **UNBUILT.get(name, {})}.items():
        schema = _with(schema, path.split("."), f"!{why}")
    done = Object(schema.fields, dict.fromkeys((*REQUIRED.get(name, ()), *schema.required)))
    done.browser_only = BROWSER_ONLY.get(name, frozenset())
    return done


def _in(record: Object, table: Mapping[str, str]) -> dict[str, str]:
    """Return the entries of a table whose names the record has."""
    return {name: value for name, value in table.items() if name in record.fields}


def _with(record: Object, path: list[str], kind: str) -> Object:
    """Return a copy of the schema with one more parameter.

    path: its parts, as in ``items[].plan`` (through an array) or ``?x`` (makes x optional).
    """
    first, *rest = path
    name = first.removesuffix("[]").removeprefix("?")
    if not rest:
        there = record.fields.get(name)
        if kind.startswith("<=") and there is not None:
            node = limited(there, int(kind[2:]))
        elif kind.startswith(">=") and there is not None:
            node = from_lowest(there, int(kind[2:]))
        else:
            node = Unset(there) if kind == "?" and there is not None else _kind(kind)
        return record.extended({name: node}, [name] if first.startswith("?") else [])
    return record.extended({name: _inside(record.fields.get(name), rest, kind, first.endswith("[]"))})


def _inside(node: Node | None, rest: list[str], kind: str, is_list: bool) -> Node:
    """Return the node with the parameter added to its object, through arrays, alternatives and unsettable nodes."""
    if isinstance(node, Unset):
        return Unset(_inside(node.inner, rest, kind, is_list))
    if isinstance(node, OneOf):
        wanted: type[Node] = Array if is_list else Object
        return OneOf(
            [_inside(option, rest, kind, is_list) if isinstance(option, wanted) else option for option in node.options]
        )
    if is_list:
        return Array(_inside(node.item if isinstance(node, Array) else None, rest, kind, False))
    return _with(node if isinstance(node, Object) else Object(), rest, kind)


def _kind(kind: str) -> Node:
    """Return the node for a type's name in the tables of ``spec.legacy``; ``!`` refuses, with the text after it."""
    if kind.startswith("!"):
        return Refused(kind[1:])
    if kind.startswith("[") and kind.endswith("]"):
        return Array(_kind(kind[1:-1]))
    if kind.startswith("?"):
        return Unset(_kind(kind[1:]))
    if ">=" in kind:
        return Integer(int(kind.partition(">=")[2]))
    if "|" in kind:
        options = [_kind(option) for option in kind.split("|")]
        words = [word for option in options if isinstance(option, Choice) for word in option.words]
        return Choice(words) if len(words) == len(options) else OneOf(options)
    simple: dict[str, Node] = {
        "text": Text(5000),
        "blank": Text(5000, True),
        "integer": Integer(),
        "natural": Integer(natural=True),
        "time": Timestamp(),
        "number": Number(),
        "boolean": Boolean(),
        "email": Email(512),
        "url": Url(5000),
        "return_url": Url(5000, kind="return"),
        "site": Unset(Url(5000, kind="site")),
        "metadata": Metadata(),
        "object": Map(Anything()),
        "range": P.range(),
        "any": Anything(),
    }
    return simple[kind] if kind in simple else Choice([kind])


@cache
def _node(number: int) -> Node:
    """Return the node of a row of the specification data; objects build their fields when first used."""
    kind, *rest = operation_facts().row(number)
    if kind == "s":
        return Text(rest[0] if rest else None)
    if kind == "e":
        words = tuple(rest[0])
        return Choice(ENUM_ORDERS.get(frozenset(words), words))
    if kind == "a":
        return Array(_node(rest[0]))
    if kind == "m":
        return Map(Anything() if operation_facts().row(rest[0])[0] == "*" else _node(rest[0]))
    if kind == "*":
        return Hash()
    if kind == "u":
        return OneOf([_node(option) for option in rest])
    if kind == "?":
        return _node(rest[0]) if isinstance(_node(rest[0]), Metadata) else Unset(_node(rest[0]))
    if kind == "o":
        fields: dict[str, int] = rest[0]
        return Object(None, rest[1], lambda: {name: _field(name, row) for name, row in fields.items()})
    simple: dict[str, type[Node]] = {
        "i": Integer,
        "t": Timestamp,
        "n": Number,
        "d": DecimalText,
        "b": Boolean,
        "z": Moment,
    }
    return simple[kind]() if kind in simple else Anything()


def _field(name: str, row: int) -> Node:
    """Return the node of a field; for some names the type is stricter than its row says."""
    if name == "metadata":
        return Metadata()
    node = _node(row)
    inner = node.inner if isinstance(node, Unset) else node
    if name == "api_version" and isinstance(node, Choice):
        return Choice((*node.words, *(f"{day}.{called}" for day, called in sorted(DATES.items()) if day > PUBLISHED)))
    if is_url_name(name) and type(inner) is Text:
        return Unset(url_node(name, inner)) if isinstance(node, Unset) else url_node(name, inner)
    if name == "images" and isinstance(inner, Array):
        pages = Array(url_node("url", Text(5000)))
        return Unset(pages) if isinstance(node, Unset) else pages
    if name == "unit_amount" or (name == "quantity" and isinstance(inner, Integer)):
        return Unset(Integer(natural=True)) if isinstance(node, Unset) else Integer(natural=True)
    return node
