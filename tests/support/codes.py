"""The error codes that stand in the source: found by reading it, not by running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tollkey

_PLACE = {"invalid": 2, "card_error": 0, "ApiError": 2}


def codes_in_source() -> set[str]:
    """Every literal that is given as the code of an error."""
    found: set[str] = set()
    for file in Path(tollkey.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                found.update(_codes(node))
    return found


def _codes(node: ast.Call) -> Iterator[str]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name not in _PLACE:
        return
    given = [word.value for word in node.keywords if word.arg == "code"]
    if len(node.args) > _PLACE[name]:
        given.append(node.args[_PLACE[name]])
    for value in given:
        if isinstance(value, ast.IfExp):
            given += [value.body, value.orelse]
        if (
            isinstance(value, ast.Constant)
            and isinstance(value.value, str)
            and re.fullmatch(r"[a-z_]{4,}", value.value)
        ):
            yield value.value
