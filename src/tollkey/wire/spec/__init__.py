"""Facts about Stripe's API, distilled from its published OpenAPI document: read row by row, as they are asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

__all__ = ["EXPANDABLE", "NULLABLE", "REQUIRED", "Facts", "object_facts", "operation_facts"]

#: Flags of a property of an object (see tools/distil_spec.py, which writes the data).
NULLABLE, REQUIRED, EXPANDABLE = 1, 2, 4


class Facts:
    """A table of rows, of which the first names the roots. Only the rows that are asked for are decoded.

    data: the text of a file that ``tools/distil_spec.py`` wrote.
    """

    def __init__(self, data: bytes) -> None:
        self._lines = data.split(b"\n")
        self.roots: dict[str, int] = orjson.loads(self._lines[0])

    def row(self, number: int) -> list[Any]:
        """The row with that number: its kind first, then what the kind needs."""
        row: list[Any] = orjson.loads(self._lines[number])
        return row


@cache
def operation_facts() -> Facts:
    """The parameters of each operation; roots are like ``POST /v1/customers/{}``."""
    return Facts(files(__name__).joinpath("params.jsonl").read_bytes())


@cache
def object_facts() -> Facts:
    """The properties of each object; roots are names of schemas like ``customer`` or ``checkout.session``."""
    return Facts(files(__name__).joinpath("objects.jsonl").read_bytes())
