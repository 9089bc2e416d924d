"""Parameter schemas: nodes that check one raw value (text of a form, or a JSON value) and return its typed value.

Each node's ``read(value, path)`` returns the typed value or raises ``ApiError`` with Stripe's text (reference section
1.10). ``path`` is a chain of (outer path, key), written in bracket form only when an error needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import Any, NoReturn, cast

from tollkey.wire._naming import Path, as_json, bracket_name, empty, shown
from tollkey.wire._suggest import suggest
from tollkey.wire.errors import ApiError, invalid, missing_param, too_large, too_small

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NAMES_SHOWN = 50  # unknown parameters that an error lists
_PLACES = 12  # of decimal amounts
_NUMBER = re.compile(r"-?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})", re.ASCII)


class Node:
    """One type of parameter. ``takes`` tells whether a value has the right outer shape, for choosing between types."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> Any:
        """Return the typed value.

        value: from a decoded form or JSON. path: where the parameter stands, for errors.
        Raises ApiError 400 that names the parameter.
        """
        raise NotImplementedError

    def takes(self, value: object) -> bool:
        """Return whether the value has the outer shape of this type; by default, anything but an object or a list."""
        return not isinstance(value, dict | list)


class Anything(Node):
    """Any value, unchanged."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> Any:
        return value

    def takes(self, value: object) -> bool:
        return True


class Text(Node):
    """A string of at most ``longest`` characters; an empty one is refused unless ``blank``."""

    __slots__ = ("blank", "longest")

    def __init__(self, longest: int | None = None, blank: bool = False) -> None:
        self.longest, self.blank = longest, blank

    def read(self, value: object, path: Path) -> str:
        if type(value) is not str:
            if value is None:
                raise empty(path)
            if isinstance(value, dict | list):
                raise invalid(f"Invalid string: {as_json(value)}", bracket_name(path))
            value = shown(value)
        if not value and not self.blank:
            raise empty(path)
        if self.longest is not None and len(value) > self.longest:
            raise invalid(
                f"Invalid string: {value[:10]}...{value[-10:]}; must be at most {self.longest} characters",
                bracket_name(path),
            )
        return value


class Integer(Node):
    """An integer from ``lowest`` to ``highest``, both included.

    natural: refuse negative integers with the error text that Stripe uses for unit amounts and quantities.
    """

    __slots__ = ("highest", "lowest", "natural")

    def __init__(self, lowest: int | None = None, highest: int | None = None, natural: bool = False) -> None:
        self.lowest, self.highest, self.natural = lowest, highest, natural

    def read(self, value: object, path: Path) -> int:
        if type(value) is int:
            number = value
        elif type(value) is str and _INTEGER.fullmatch(value):
            number = int(value)
        elif value == "" or value is None:
            raise empty(path)
        else:
            text = "" if isinstance(value, dict | list) else f": {shown(value)}"
            raise invalid(f"Invalid integer{text}", bracket_name(path), "parameter_invalid_integer")
        if self.natural and number < 0:
            raise invalid("Invalid non-negative integer", bracket_name(path), "parameter_invalid_integer")
        if self.lowest is not None and number < self.lowest:
            raise too_small(bracket_name(path), self.lowest)
        if self.highest is not None and number > self.highest:
            raise too_large(bracket_name(path), self.highest)
        if not -(2**63) <= number < 2**63:
            raise invalid(f"Invalid integer: {number}", bracket_name(path), "parameter_invalid_integer")
        return number


class Timestamp(Node):
    """A point in time in UTC epoch seconds."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> int:
        if type(value) is int and 0 <= value < 2**53:
            return value
        if type(value) is str and _INTEGER.fullmatch(value) and 0 <= int(value) < 2**53:
            return int(value)
        if value == "" or value is None:
            raise empty(path)
        raise invalid("Invalid timestamp: must be an integer Unix timestamp", bracket_name(path))


class Number(Node):
    """A number, read as an int or a float."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> float:
        if type(value) in (int, float):
            return cast("float", value)
        if type(value) is str and _NUMBER.fullmatch(value):
            return float(value)
        if value == "" or value is None:
            raise empty(path)
        raise invalid(
            "Invalid number" if isinstance(value, dict | list) else f"Invalid number: {shown(value)}",
            bracket_name(path),
        )


class DecimalText(Node):
    """A decimal number of at most 12 places, kept as the string that was sent."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> str:
        if type(value) in (int, float):
            value = str(value)
        if type(value) is str and _NUMBER.fullmatch(value):
            if len(value.partition(".")[2]) > _PLACES:
                raise invalid(
                    f"Invalid decimal: {value}; must contain at maximum {_PLACES} decimal places.", bracket_name(path)
                )
            return value
        if value == "" or value is None:
            raise empty(path)
        raise invalid(
            "Invalid decimal" if isinstance(value, dict | list) else f"Invalid decimal: {shown(value)}",
            bracket_name(path),
        )


class Boolean(Node):
    """A boolean; in a form ``true`` or ``false`` in any case, since older clients send ``True``."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> bool:
        if value is True or value is False:
            return value
        if type(value) is str:
            if value == "true" or value.lower() == "true":
                return True
            if value.lower() == "false":
                return False
        if value == "" or value is None:
            raise empty(path)
        raise invalid(
            "Invalid boolean" if isinstance(value, dict | list) else f"Invalid boolean: {shown(value)}",
            bracket_name(path),
        )


class Choice(Node):
    """One of the listed strings."""

    __slots__ = ("words",)

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)

    def read(self, value: object, path: Path) -> str:
        if isinstance(value, str) and value in self.words:
            return value
        if value == "" or value is None:
            raise empty(path)
        raise invalid(f"Invalid {bracket_name(path)}: must be {list_words(self.words)}", bracket_name(path))


def list_words(words: tuple[str, ...]) -> str:
    """Return ``one of a, b, or c``, as error messages list the allowed values."""
    if len(words) < 3:
        return ("one of " if len(words) == 2 else "") + " or ".join(words)
    return f"one of {', '.join(words[:-1])}, or {words[-1]}"


class Array(Node):
    """An array; a form may also number its items ``a[0]``, ``a[1]``, which are put in the order of the numbers."""

    __slots__ = ("item",)

    def __init__(self, item: Node) -> None:
        self.item = item

    def read(self, value: object, path: Path) -> list[Any]:
        items = numbered(value) if type(value) is dict else value
        if type(items) is not list:
            if value == "" or value is None:
                raise empty(path)
            raise invalid("Invalid array", bracket_name(path))
        read = self.item.read
        return [read(element, (path, str(place))) for place, element in enumerate(items)]

    def takes(self, value: object) -> bool:
        return type(value) is list or (type(value) is dict and numbered(value) is not None)


def numbered(value: dict[str, Any]) -> list[Any] | None:
    """Return ``{"0": a, "1": b}`` as a list, or None when a key is not a number."""
    if not all(key.isdecimal() and key.isascii() and len(key) < 10 for key in value):
        return None
    return [value[key] for key in sorted(value, key=int)]


class Object(Node):
    """An object with known fields; unknown and missing fields are refused.

    fields: field name -> its type. required: names that must be sent.
    finish: builds the fields when they are first needed, in place of ``fields``.
    """

    __slots__ = ("_fields", "_finish", "browser_only", "required")

    def __init__(
        self,
        fields: Mapping[str, Node] | None = None,
        required: Iterable[str] = (),
        finish: Callable[[], dict[str, Node]] | None = None,
    ) -> None:
        self._fields = None if fields is None else dict(fields)
        self._finish, self.required = finish, tuple(required)
        self.browser_only: frozenset[str] = frozenset()  # fields that only a publishable key may send

    @property
    def fields(self) -> dict[str, Node]:
        """The fields by name, built when first needed: most of the API's parameters are never sent."""
        if self._fields is None:
            self._fields = self._finish() if self._finish else {}
        return self._fields

    def read(self, value: object, path: Path) -> dict[str, Any]:
        if type(value) is not dict:
            if value == "" or value is None:
                raise empty(path)
            raise invalid("Invalid object", None if path is None else bracket_name(path))
        fields = self.fields
        if not value.keys() <= fields.keys():
            raise unknown([key for key in value if key not in fields], list(fields), path)
        for name in self.required:
            if name not in value:
                raise missing_param(bracket_name((path, name)))
        return {key: fields[key].read(inner, (path, key)) for key, inner in value.items()}

    def takes(self, value: object) -> bool:
        return type(value) is dict and not (value and numbered(value) is not None)

    def replaced(self, fields: Mapping[str, Node], required: tuple[str, ...]) -> Object:
        """Return a copy with these fields and required names in place of its own."""
        made = copy(self)
        made._fields, made.required = dict(fields), required
        return made

    def extended(self, fields: Mapping[str, Node], optional: Iterable[str] = ()) -> Object:
        """Return a copy with fields added or replaced. optional: names that are no longer required."""
        return Object({**self.fields, **fields}, [name for name in self.required if name not in set(optional)])


class Hash(Object):
    """An object without fields of its own. An empty text counts as one: a form has no other way to write it."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> dict[str, Any]:
        return {} if value == "" else super().read(value, path)

    def takes(self, value: object) -> bool:
        return value == "" or super().takes(value)


def unknown(names: list[str], known: list[str], path: Path) -> ApiError:
    """Return the 400 for unknown parameters; a single name that looks misspelt gets a suggestion.

    At most ``_NAMES_SHOWN`` names are listed. names: the unknown names. known: the names of this object. path: where
    the object stands.
    """
    listed = names[:_NAMES_SHOWN]
    full = listed if path is None else [f"{bracket_name(path)}[{name}]" for name in listed]
    if len(full) > 1:
        more = f" and {len(names) - len(listed)} more" if len(names) > len(listed) else ""
        return invalid(f"Received unknown parameters: {', '.join(full)}{more}", full[0], "parameter_unknown")
    near = suggest(names[0], known)
    hint = "" if near is None else f". Did you mean {bracket_name((path, near))}?"
    return invalid(f"Received unknown parameter: {full[0]}{hint}", full[0], "parameter_unknown")


class Refused(Node):
    """A parameter that is always refused, with a text of its own."""

    __slots__ = ("code", "message")

    def __init__(self, message: str, code: str | None = None) -> None:
        self.message, self.code = message, code

    def read(self, value: object, path: Path) -> NoReturn:
        raise invalid(self.message, bracket_name(path), self.code)

    def takes(self, value: object) -> bool:
        return True


class Map(Node):
    """An object whose keys the caller chooses."""

    __slots__ = ("item",)

    def __init__(self, item: Node) -> None:
        self.item = item

    def read(self, value: object, path: Path) -> dict[str, Any]:
        if type(value) is not dict:
            if value == "" or value is None:
                raise empty(path)
            raise invalid("Invalid object", bracket_name(path))
        return {key: self.item.read(inner, (path, key)) for key, inner in value.items()}

    def takes(self, value: object) -> bool:
        return type(value) is dict


class OneOf(Node):
    """One of several types: the first that accepts the value.

    When several object types refuse a value, the error is that of the type with the most fields in common with it.
    """

    __slots__ = ("options",)

    def __init__(self, options: Iterable[Node]) -> None:
        self.options = tuple(options)

    def read(self, value: object, path: Path) -> Any:
        fitting = [option for option in self.options if option.takes(value)] or [self.options[-1]]
        if isinstance(value, dict) and len(fitting) > 1:
            fitting.sort(
                key=lambda option: len(value.keys() & option.fields.keys()) if isinstance(option, Object) else 0
            )
        for option in fitting[:-1]:
            try:
                return option.read(value, path)
            except ApiError:
                continue
        return fitting[-1].read(value, path)

    def takes(self, value: object) -> bool:
        return any(option.takes(value) for option in self.options)


class Unset(Node):
    """A parameter that an empty string, JSON null or a list of one empty string unsets: these are read as None."""

    __slots__ = ("inner",)

    def __init__(self, inner: Node) -> None:
        self.inner = inner

    def read(self, value: object, path: Path) -> Any:
        if value == "" or value is None or value == [""] or value == {"0": ""}:
            return None
        return self.inner.read(value, path)

    def takes(self, value: object) -> bool:
        return value == "" or value is None or self.inner.takes(value)
