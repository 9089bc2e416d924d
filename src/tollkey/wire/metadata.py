"""Metadata: the keys and strings that callers store with an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.wire._check import Node
from tollkey.wire._naming import Path, bracket_name, shown
from tollkey.wire.errors import invalid

METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500


class Metadata(Node):
    """Metadata: the caller's own keys and strings. An empty string unsets one key; '' for all of it reads as None."""

    __slots__ = ()

    def read(self, value: object, path: Path) -> dict[str, str] | None:
        if value == "" or value is None:
            return None
        if type(value) is not dict:
            raise invalid("Invalid object", bracket_name(path))
        if len(value) > METADATA_KEYS:
            raise invalid(
                f"Metadata can have up to {METADATA_KEYS} keys, but you've set {len(value)}", bracket_name(path)
            )
        return {key: self.entry(key, inner, path) for key, inner in value.items()}

    def entry(self, key: str, value: object, path: Path) -> str:
        """Return one value as a string. Raises ApiError 400 when the key or the value is too long."""
        if isinstance(value, dict | list):
            raise invalid(
                f"Metadata values must be strings, but you passed in a value for {key} that is not one.",
                bracket_name((path, key)),
            )
        text = "" if value is None else shown(value)
        for kind, limit, given in (("key", METADATA_KEY_LENGTH, key), ("value", METADATA_VALUE_LENGTH, text)):
            if len(given) > limit:
                raise invalid(
                    f"Metadata {kind}s can have up to {limit} characters,"
                    f" but you passed in a {kind} that is {len(given)} characters."
                    f" Invalid {kind}: {given}",
                    bracket_name(path),
                )
        return text

    def takes(self, value: object) -> bool:
        return type(value) is dict or value == ""


def merged_metadata(old: Mapping[str, str] | None, new: Mapping[str, Any] | None) -> dict[str, str]:
    """Return an object's metadata after an update.

    old: before the update. new: as sent; an empty string unsets one key, None (read from '') unsets all.
    Raises ApiError 400 when more than 50 keys would be left.
    """
    if new is None:
        return {}
    left = {name: str(text) for name, text in {**(old or {}), **new}.items() if text not in ("", None)}
    if len(left) > METADATA_KEYS:
        raise invalid(f"Metadata can have up to {METADATA_KEYS} keys, you passed in {len(left)} keys.", "metadata")
    return left
