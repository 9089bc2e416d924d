"""Declared parameters: they check what a caller sends, and describe it in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from tollkey.keys.header import beginning
from tollkey.keys.http.answer import JsonValue
from tollkey.keys.http.errors import invalid

FieldKind = Literal["string", "integer", "boolean", "strings", "metadata", "objects"]
LARGEST = 2**53 - 1  # the largest integer that JSON clients read exactly (RFC 8259 section 6)


class Field(NamedTuple):
    """A parameter.

    kind: its type; ``strings`` is a list of texts, ``metadata`` a hash of texts, ``objects`` a list of hashes.
    text: its description, in Markdown. most: the longest text in characters, largest number or longest list.
    least: the smallest number. choices: the values allowed, if they are few. nullable: null counts as not given.
    """

    kind: FieldKind
    text: str
    required: bool = False
    most: int = 500
    least: int = 0
    choices: tuple[str, ...] = ()
    nullable: bool = False


Fields = Mapping[str, Field]
_PART_OF_PATH = Field("string", "")


class Values:
    """Checked parameters."""

    __slots__ = ("_values", "sent")

    def __init__(self, values: Mapping[str, object], sent: Collection[str] = ()) -> None:
        self._values = values
        self.sent = sent  # the names that were sent, also with null

    def text(self, name: str) -> str | None:
        """Return a text, or None if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """Return an integer, or None if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, int) else None

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean. default: if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, bool) else default

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, or None if it was not sent."""
        value = self._values.get(name)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else None

    def mapping(self, name: str) -> dict[str, str] | None:
        """Return a hash of texts, or None if it was not sent."""
        value = self._values.get(name)
        return {key: str(each) for key, each in value.items()} if isinstance(value, dict) else None

    def objects(self, name: str) -> list[object] | None:
        """Return a list whose members are not checked yet, or None if it was not sent."""
        value = self._values.get(name)
        return value if isinstance(value, list) else None


def read(fields: Fields, sent: object, within: str = "") -> Values:
    """Return the checked parameters of a JSON body.

    sent: the decoded body. within: the name of the list and position that they stand in, for ``param``.
    Raises ApiError 400, with ``param``.
    """
    if not isinstance(sent, dict):
        what = f"Invalid value of {within}" if within else "Invalid body"
        raise invalid(f"{what}: it must be a JSON object.", within or None, "parameter_invalid_object")
    for name in sent:
        if name not in fields:
            shown = name[:100] if name.isprintable() else "?"
            close = ", ".join(fields) or "none"
            message = f"Received unknown parameter: {_name(within, shown)}. The parameters are: {close}."
            raise invalid(message, _name(within, shown), "parameter_unknown")
    found = {}
    for name, field in fields.items():
        value = sent.get(name)
        if value is None and (name not in sent or field.nullable):
            if field.required and not (field.nullable and name in sent):
                message = f"Missing required parameter: {_name(within, name)}."
                raise invalid(message, _name(within, name), "parameter_missing")
            continue
        found[name] = _CHECKS[field.kind](field, value, _name(within, name))
    return Values(found, sent)


def read_query(fields: Fields, query: bytes) -> Values:
    """Return the checked parameters of a query string. Raises ApiError 400, with ``param``."""
    if not query:
        return read(fields, {})
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        raise invalid("The query string is not valid: percent-encode it as UTF-8.", None) from None
    sent: dict[str, JsonValue] = {}
    for name, text in pairs:
        if name in sent:
            raise invalid(f"The parameter {beginning(name)} was sent twice.", name[:100])
        field = fields.get(name)
        sent[name] = _from_query(field, text, name) if field else text
    return read(fields, sent)


def read_path(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters of a path. Raises ApiError 400 for one that a database does not take, or that is long."""
    return {name: _text(_PART_OF_PATH, value, name) for name, value in values.items()}


def _from_query(field: Field, text: str, name: str) -> JsonValue:
    if field.kind == "integer":
        if not (text.isascii() and text.isdigit() and len(text) < 17):
            raise invalid(f"Invalid integer: {beginning(text, 40)}", name, "parameter_invalid_integer")
        return int(text)
    if field.kind == "boolean":
        if text not in ("true", "false", "1", "0"):
            raise invalid(
                f"Invalid boolean: {beginning(text, 40)}. Send true or false.", name, "parameter_invalid_boolean"
            )
        return text in ("true", "1")
    return text


def _name(within: str, name: str) -> str:
    return f"{within}[{name}]" if within else name


def _text(field: Field, value: object, name: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {name} must be a text.", name, "parameter_invalid_string")
    if len(value) > field.most:
        raise invalid(f"Invalid string: {name} has at most {field.most} characters.", name, "parameter_too_long")
    if "\0" in value:
        raise invalid(f"Invalid string: {name} may not contain NUL characters.", name, "parameter_invalid_string")
    if field.choices and value not in field.choices:
        raise invalid(f"Invalid {name}: must be one of {', '.join(field.choices)}.", name)
    return value


def _number(field: Field, value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"Invalid integer: {name} must be a whole number.", name, "parameter_invalid_integer")
    if not field.least <= value <= field.most:
        message = f"Invalid integer: {name} must be from {field.least} to {field.most}."
        raise invalid(message, name, "parameter_invalid_integer")
    return value


def _flag(field: Field, value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"Invalid boolean: {name} must be true or false.", name, "parameter_invalid_boolean")
    return value


def _list(field: Field, value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise invalid(f"Invalid array: {name} must be a list.", name, "parameter_invalid_array")
    if not field.least <= len(value) <= field.most:
        message = f"Invalid array: {name} must have from {field.least} to {field.most} members."
        raise invalid(message, name, "parameter_invalid_array")
    return value


def _texts(field: Field, value: object, name: str) -> list[str]:
    one = Field("string", "")
    return [_text(one, each, f"{name}[{index}]") for index, each in enumerate(_list(field, value, name))]


def _metadata(field: Field, value: object, name: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise invalid(f"Invalid hash: {name} must be an object.", name, "parameter_invalid_object")
    if len(value) > field.most:
        raise invalid(f"Invalid hash: {name} has at most {field.most} entries.", name)
    one = Field("string", "")
    return {_text(one, key, name): _text(one, each, f"{name}[{beginning(key, 40)}]") for key, each in value.items()}


_CHECKS = {
    "string": _text,
    "integer": _number,
    "boolean": _flag,
    "strings": _texts,
    "metadata": _metadata,
    "objects": _list,
}
