"""Two requests pass through no more functions, files and early returns than ARCHITECTURE.md says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.api import Api, World
from tools.walk import WALKS, early_returns

ROOT = Path(__file__).resolve().parents[2]


#: By how much the number of functions may differ from the text before somebody corrects it: splitting one is no fault.
ROUGHLY = 5


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_has_no_more_early_returns_and_files_than_architecture_md_says(name: str, sqlite_world: World) -> None:
    text = " ".join((ROOT / "ARCHITECTURE.md").read_text().split())
    told = re.search(r"(\d+) functions, (\d+) files, (\d+) early returns", text[text.index(f"**{name}") :])
    assert told is not None
    functions, files, returns = map(int, told.groups())
    found = WALKS[name](Api(sqlite_world))
    assert len(found.returns) <= returns, f"now {found.figures()}, told {told[0]}"
    assert len(found.files) <= files, f"now {found.figures()}, told {told[0]}"
    assert abs(len(found.functions) - functions) <= ROUGHLY, f"now {found.figures()}, told {told[0]}"


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("    return 1", []),
        ("    if a:\n        return 1\n    return 2", [3]),
        ("    for a in b:\n        return 1", [3]),
        ("    def inner():\n        return 1\n        return 2\n    return inner", []),
    ],
    ids=["the last statement", "before the last statement", "within the last statement", "of a nested function"],
)
def test_an_early_return_stands_before_the_last_statement_of_its_function(body: str, lines: list[int]) -> None:
    function = ast.parse(f"def outer():\n{body}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert early_returns(function) == lines
