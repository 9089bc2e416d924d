"""Messages as bytes, and bytes as messages, by pyiso8583 and a dialect.

A message is a mapping of texts: ``t`` is its type, every other name the number of a field. Errors name fields and never
what stands in them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, TypeAlias

from tollkey.payments.processors.iso8583.dialect import Dialect, Field

Fields: TypeAlias = Mapping[str, str]


class Malformed(ValueError):
    """Bytes that are no message of the dialect, or a message that it cannot write. The text has no values."""


def _library() -> Any:
    try:
        return importlib.import_module("iso8583")
    except ImportError:
        raise ValueError("ISO 8583 needs pyiso8583: pip install 'tollkey[iso8583]'") from None


class Codec:
    """Writes and reads the messages of a dialect. Raises ValueError when the package is not installed."""

    def __init__(self, dialect: Dialect) -> None:
        self._library = _library()
        self._dialect, self._specification = dialect, dialect.specification()

    def encode(self, message: Fields) -> bytes:
        """Return the bytes of a message, without a length. Raises Malformed."""
        document = {"h": self._dialect.header}
        for name, value in message.items():
            document[name] = value if name == "t" else self._written(name, value)
        try:
            encoded, _ = self._library.encode(document, self._specification)
        except self._library.EncodeError as problem:
            raise Malformed(f"field {problem.field} of {message.get('t')}: {problem.msg}") from None
        return bytes(encoded)

    def _written(self, name: str, value: str) -> str:
        field = self._dialect.fields.get(name)
        if field is None:
            raise Malformed(f"the dialect has no field {name}")
        if len(value) > field.size:
            raise Malformed(f"field {name} takes {field.size} characters, and {len(value)} are given")
        if not _fits(field, value):
            raise Malformed(f"field {name} has characters that its type {field.type} does not have")
        return field.padded(value)

    def decode(self, data: bytes) -> dict[str, str]:
        """Return the message of bytes, without padding at the end of texts. Raises Malformed."""
        try:
            document, _ = self._library.decode(data, self._specification)
        except self._library.DecodeError as problem:
            raise Malformed(f"field {problem.field}: {problem.msg}") from None
        except KeyError as problem:  # its bitmap names a field that the specification lacks
            raise Malformed(f"the dialect has no field {problem}") from None
        found: dict[str, str] = {}
        for name, value in document.items():
            field = self._dialect.fields.get(name)
            if name == "t" or field is not None:
                found[name] = value.rstrip(" ") if field is not None and field.type in ("an", "ans") else value
        return found


def _fits(field: Field, value: str) -> bool:
    if not value.isascii() or not value.isprintable():
        return False
    if field.type == "n":
        return value.isdigit()
    if field.type == "an":
        return value.replace(" ", "").isalnum() or not value.strip()
    return field.type != "b" or all(one in "0123456789abcdefABCDEF" for one in value)
