"""Reads a table of a TOML file into a dataclass: every key typed, unknown ones refused, all faults at once.

A field's type says what the key may be: ``str``, ``int``, ``float``, ``bool``, a ``Literal``, a class with a ``parse``
method, another dataclass (a table), ``Mapping[str, D]`` (tables by name), ``tuple[X, ...]`` (an array; one value alone
will do), or one of these ``| None``. A field without a default must be given. A field ``name`` of a dataclass in a
mapping is filled with the name of its table.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from tollkey.keys.config.faults import Fault, Place, suggestion

D = TypeVar("D")
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


class Unreadable(Exception):
    """A value cannot be read; its faults were noted."""


def read_table(kind: type[D], table: object, place: Place, faults: list[Fault], name: str | None = None) -> D:
    """Return a dataclass with the values of a table.

    table: as ``tomllib`` reads it. place: where it stands. faults: gets what is wrong with it.
    name: of the table, for a field ``name``. Raises Unreadable after it has noted all faults.
    """
    if not isinstance(table, dict):
        raise _unreadable(faults, place, f"must be a table, not {_shown(table)}")
    hints = typing.get_type_hints(kind)
    known = {field.name: field for field in fields(kind) if field.init}  # type: ignore[arg-type]
    given: dict[str, object] = {} if name is None or "name" not in known else {"name": name}
    before = len(faults)
    faults.extend(
        Fault((*place, key), f"is not a key of this table{suggestion(key, known.keys() - given.keys())}")
        for key in table
        if key not in known or key in given
    )
    for key, field in known.items():
        if key in table and key not in given:
            try:
                given[key] = _read(hints[key], table[key], (*place, key), faults)
            except Unreadable:
                continue
        elif key not in given and _required(field):
            faults.append(Fault((*place, key), "is missing"))
    if len(faults) > before:
        raise Unreadable
    try:
        return kind(**given)
    except ValueError as wrong:
        raise _unreadable(faults, place, str(wrong)) from None


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _read(hint: Any, value: object, place: Place, faults: list[Fault]) -> object:
    """Return a value of this type. Raises Unreadable."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _read(next(kind for kind in arguments if kind is not type(None)), value, place, faults)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            raise _unreadable(faults, place, f"must be one of {', '.join(map(str, arguments))}, not {_shown(value)}")
        return value
    if origin is tuple:
        values = value if isinstance(value, list) else [value]
        return tuple(_each(arguments[0], values, place, faults))
    if origin is not None and issubclass(origin, Mapping):
        return _tables(arguments[1], value, place, faults)
    if is_dataclass(hint) and not hasattr(hint, "parse"):
        return read_table(hint, value, place, faults)  # type: ignore[arg-type]
    return _scalar(hint, value, place, faults)


def _each(hint: Any, values: list[object], place: Place, faults: list[Fault]) -> list[object]:
    tables, found, failed = is_dataclass(hint) and not hasattr(hint, "parse"), [], False
    for index, value in enumerate(values):
        try:
            found.append(_read(hint, value, (*place, index) if tables else place, faults))
        except Unreadable:
            failed = True
    if failed:
        raise Unreadable
    return found


def _tables(hint: Any, value: object, place: Place, faults: list[Fault]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _unreadable(faults, place, f"must be a table of tables, not {_shown(value)}")
    found, failed = {}, False
    for name, table in value.items():
        try:
            found[name] = read_table(hint, table, (*place, name), faults, name)
        except Unreadable:
            failed = True
    if failed:
        raise Unreadable
    return found


def _scalar(hint: Any, value: object, place: Place, faults: list[Fault]) -> object:
    if hasattr(hint, "parse"):
        if not isinstance(value, str):
            raise _unreadable(faults, place, f"must be a text, not {_shown(value)}")
        try:
            return hint.parse(value)
        except ValueError as wrong:
            raise _unreadable(faults, place, str(wrong)) from None
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise _unreadable(faults, place, f"must be {_WORDS[hint]}, not {_shown(value)}")
    return value


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    return "an array" if isinstance(value, list) else repr(value)[:80]


def _unreadable(faults: list[Fault], place: Place, message: str) -> Unreadable:
    faults.append(Fault(place, message))
    return Unreadable()
