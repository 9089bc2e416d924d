"""No test is decided by chance: what it can get wrong by luck is found in its source.

``python3 dev.py shuffle`` runs the whole suite in random order with several seeds.
"""

from __future__ import annotations

import ast
import string
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.support.altered import altered

TESTS = Path(__file__).resolve().parent


def _sliced(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)


def _alphanumeric(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) == 1 and node.value.isalnum()
    )


def _replaces_a_character_that_may_be_the_same(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and _sliced(node.left)
        and _alphanumeric(node.right)
    )


def test_no_test_alters_a_text_in_a_way_that_may_leave_it_as_it_was() -> None:
    found = [
        f"{file.relative_to(TESTS)}:{node.lineno}: {ast.unparse(node)}"
        for file in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.BinOp) and _replaces_a_character_that_may_be_the_same(node)
    ]
    assert found == [], "use tests.support.altered.altered"


@given(st.text(string.ascii_letters + string.digits + "_-", min_size=1), st.integers())
def test_an_altered_text_differs_in_one_character(text: str, at: int) -> None:
    other = altered(text, at)
    assert len(other) == len(text)
    assert sum(a != b for a, b in zip(text, other, strict=True)) == 1
