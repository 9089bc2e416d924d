"""JSON and TOML nested without end are refused like any other text that is none.

Python's parsers raise RecursionError for them, which is no ValueError: who expects the one expects the other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "tollkey"
PARSERS = {"json.loads", "json.load", "tomllib.loads", "tomllib.load"}
ENOUGH = {"RecursionError", "Exception", "BaseException"}


def _forgotten(tree: ast.AST) -> Iterator[int]:
    """The lines of ``try`` blocks that parse, and expect a wrong text, and not one that is nested too deeply."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try) or not node.handlers:
            continue
        body = [inner for statement in node.body for inner in ast.walk(statement)]
        if not any(isinstance(one, ast.Call) and ast.unparse(one.func) in PARSERS for one in body):
            continue
        caught = {ast.unparse(one) for handler in node.handlers if handler.type for one in _types(handler.type)}
        if not caught & ENOUGH:
            yield node.lineno


def _types(caught: ast.expr) -> list[ast.expr]:
    return caught.elts if isinstance(caught, ast.Tuple) else [caught]


def test_who_expects_a_wrong_text_expects_one_that_is_nested_too_deeply() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    found = [
        f"{file.relative_to(PACKAGE)}:{line}" for file in files for line in _forgotten(ast.parse(file.read_text()))
    ]
    assert found == []
