"""How much a function may be told at once: whoever needs nine arguments or more takes a value that names them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "tollkey"
MOST = 8
#: Where the money is, options count as well.
STRICT = ("payments", "ledger")


def _counted(function: ast.FunctionDef | ast.AsyncFunctionDef, *, options: bool) -> int:
    """How many arguments a function takes besides ``self``. options: count keyword-only ones with a default too."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args) if each.arg not in ("self", "cls")]
    required = [each for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    return len(names) + len(given.kwonlyargs if options else required)


def _is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is a command of the command line, whose options typer reads from the arguments."""
    decorated = any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "command"
        for each in function.decorator_list
    )  # a command whose module is loaded late is registered elsewhere: each argument says how typer reads it
    given = [each.annotation for each in function.args.args]
    return decorated or (bool(given) and all(each is not None and "typer." in ast.unparse(each) for each in given))


def _functions(room: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in sorted((PACKAGE / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_command(node):
                yield f"{path.relative_to(PACKAGE).as_posix()} {node.name}", node


@pytest.mark.parametrize("room", STRICT)
def test_no_function_where_the_money_is_takes_nine_arguments_or_more(room: str) -> None:
    assert {name for name, node in _functions(room) if _counted(node, options=True) > MOST} == set()


def test_no_function_takes_nine_arguments_or_more_besides_its_options() -> None:
    assert {name for name, node in _functions(".") if _counted(node, options=False) > MOST} == set()
