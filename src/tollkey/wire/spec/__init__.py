"""Data from Stripe's published OpenAPI document, decoded row by row when needed."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

__all__ = ["EXPANDABLE", "NULLABLE", "REQUIRED", "Facts", "object_facts", "operation_facts"]

#: Flags of a property of an object (see tools/distil_spec.py, which writes the data).
NULLABLE, REQUIRED, EXPANDABLE = 1, 2, 4


class Facts:
    """A table of rows; the first row maps names to rows. Rows are decoded when they are read.

    data: the content of a file written by ``tools/distil_spec.py``.
    """

    def __init__(self, data: bytes) -> None:
        self._lines = data.split(b"\n")
        self.roots: dict[str, int] = orjson.loads(self._lines[0])

    def row(self, number: int) -> list[Any]:
        """Return the row with that number: its kind, then the kind's values."""
        row: list[Any] = orjson.loads(self._lines[number])
        return row


@cache
def operation_facts() -> Facts:
    """Return the parameters of all operations; roots are like ``POST /v1/customers/{}``."""
    return Facts(files(__name__).joinpath("params.jsonl").read_bytes())


@cache
def object_facts() -> Facts:
    """Return the properties of all objects; roots are schema names like ``customer`` or ``checkout.session``."""
    return Facts(files(__name__).joinpath("objects.jsonl").read_bytes())
