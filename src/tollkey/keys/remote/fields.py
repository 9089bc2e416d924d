"""Reads the fields of a JSON object that a server sent. What is missing or of another type is never guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from tollkey.keys.remote.errors import RemoteUnavailable

Value = str | int | float | bool | None
Json = Value | list["Json"] | dict[str, "Json"]


def unclear(name: str) -> RemoteUnavailable:
    """Return the error for an answer without a usable field of this name."""
    return RemoteUnavailable(f"the answer of the key server is not understood: {name}")


class Fields:
    """The fields of an object. Each method returns one of them, and raises RemoteUnavailable if it has another type."""

    __slots__ = ("_given",)

    def __init__(self, given: Mapping[str, Json]) -> None:
        self._given = given

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._given.get(name)
        if not isinstance(value, str):
            raise unclear(name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None."""
        return None if self._given.get(name) is None else self.text(name)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._given.get(name)
        if not isinstance(value, bool):
            raise unclear(name)
        return value

    def integer(self, name: str) -> int:
        """Return a whole number."""
        value = self._given.get(name)
        if type(value) is not int:
            raise unclear(name)
        return value

    def optional_integer(self, name: str) -> int | None:
        """Return a whole number, or None."""
        return None if self._given.get(name) is None else self.integer(name)

    def number(self, name: str) -> float | None:
        """Return a finite number of 0 or more, or None."""
        value = self._given.get(name)
        if value is None:
            return None
        if type(value) is int or type(value) is float:
            with suppress(OverflowError):
                number = float(value)
                if math.isfinite(number) and number >= 0:
                    return number
        raise unclear(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; an empty one if it is missing."""
        value = self._given.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise unclear(name)
        found = [each for each in value if isinstance(each, str)]
        if len(found) != len(value):
            raise unclear(name)
        return tuple(found)

    def mapping(self, name: str) -> Mapping[str, str]:
        """Return an object whose values are texts; an empty one if it is missing."""
        value = self._given.get(name)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise unclear(name)
        found = {key: each for key, each in value.items() if isinstance(each, str)}
        if len(found) != len(value):
            raise unclear(name)
        return MappingProxyType(found)

    def object(self, name: str) -> Fields | None:
        """Return an object, or None."""
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise unclear(name)
        return Fields(value)

    def objects(self, name: str) -> tuple[Fields, ...]:
        """Return a list of objects."""
        value = self._given.get(name)
        if not isinstance(value, list):
            raise unclear(name)
        found = [Fields(each) for each in value if isinstance(each, dict)]
        if len(found) != len(value):
            raise unclear(name)
        return tuple(found)
