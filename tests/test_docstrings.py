"""The packages that are used as libraries document every public module, class, function and method."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "tollkey"
MODULES = sorted(path for room in ("db", "keys", "ledger", "outbox") for path in (PACKAGE / room).glob("*.py"))
#: Methods documented by the protocol or the base class that they implement.
INHERITED = {
    "edge.py": {"ask", "read", "read_at_once", "read_now", "waits", "write", "start", "stop"},
    "sqlite_edge.py": {"read", "read_at_once", "read_now", "waits", "write", "start", "stop"},
    "holding.py": {"execute", "number", "read", "read_sent", "usual", "hold", "on_commit"},
    "sqlite_tx.py": {"execute_many", "execute_script", "flush", "notify", "savepoint"},
    "postgres_tx.py": {"execute", "execute_many", "execute_script", "flush", "notify", "read", "savepoint", "usual"},
}


def public_definitions(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body)


def is_overload(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(one, ast.Name) and one.id == "overload" for one in decorators)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_public_definition_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inherited = INHERITED.get(path.name, set())
    undocumented = [
        f"{node.name} (line {node.lineno})"
        for node in public_definitions(tree.body)
        if ast.get_docstring(node) is None and node.name not in inherited and not is_overload(node)
    ]
    if ast.get_docstring(tree) is None:
        undocumented.insert(0, "the module")
    assert undocumented == []
