"""The tests of ``payments`` mirror its rooms: who looks for the rules of a module finds them in its test file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tollkey.payments
import tollkey.platform
from tests.support.recipes import TESTS, files, name_of, place_of, recipes
from tollkey.core import gather

ROOMS = Path(tollkey.payments.__file__).parent
#: What decides something: a module without any of it declares, and has no rules.
_DECISIONS = (ast.If, ast.IfExp, ast.For, ast.While, ast.Match, ast.Try, ast.Raise, ast.BoolOp, ast.Compare)
#: Modules with such statements that need no test file of their own, and why.
EXEMPT: dict[str, str] = {}


def has_rules(source: str) -> bool:
    """Whether any function of a module decides something."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    return any(isinstance(inner, _DECISIONS) for function in functions for inner in ast.walk(function))


def modules() -> Iterator[Path]:
    """Every module of ``payments``, below its folder, without the doors."""
    return (file.relative_to(ROOMS) for file in sorted(ROOMS.rglob("*.py")) if file.name != "__init__.py")


def file_for(module: Path) -> Path:
    """Where the rules of a module are stated, below ``tests``."""
    return Path("payments") / module.parent / f"test_{module.name.removeprefix('_')}"


def test_every_module_with_rules_has_its_test_file() -> None:
    lacking = [
        f"{module} has no tests/{file_for(module)}"
        for module in modules()
        if str(module) not in EXEMPT
        and has_rules((ROOMS / module).read_text(encoding="utf-8"))
        and not (TESTS / file_for(module)).exists()
    ]
    assert lacking == []


def test_no_exemption_is_left_over() -> None:
    here = {str(module) for module in modules()}
    left = [
        module
        for module in EXEMPT
        if module not in here
        or not has_rules((ROOMS / module).read_text(encoding="utf-8"))
        or (TESTS / file_for(Path(module))).exists()
    ]
    assert left == []


#: Test files in the folders of rooms that state what several modules do together.
ACROSS = {
    "balance/test_money_moves.py": "the books stay sound whatever is moved",
    "charges/test_books.py": "the books stay sound whatever is charged",
}


def test_a_test_file_in_a_room_has_the_name_of_a_module() -> None:
    known = {str(file_for(module).relative_to("payments")) for module in modules()}
    files = [file.relative_to(TESTS / "payments") for file in (TESTS / "payments").rglob("*/test_*.py")]
    assert sorted(str(file) for file in files if str(file) not in known | ACROSS.keys()) == []


def test_no_test_file_imports_another() -> None:
    wrong = [
        f"{file.relative_to(TESTS)}: {node.module}"
        for file in sorted((TESTS / "payments").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_")
    ]
    assert wrong == []


RESOURCES = gather(tollkey.platform, tollkey.payments)


def test_every_recipe_is_for_something_that_the_server_has() -> None:
    endpoints = {name_of(endpoint) for resource in RESOURCES for endpoint in resource.endpoints}
    pages = {f"{endpoint.method} {endpoint.path}" for resource in RESOURCES for endpoint in resource.endpoints}
    assert sorted((recipes("BODIES").keys() | recipes("PLANS").keys()) - endpoints) == []
    assert sorted(recipes("VISITS").keys() - pages) == []


def test_a_recipe_stands_in_the_folder_of_its_endpoint() -> None:
    places = {
        name_of(endpoint): place_of(resource, endpoint) for resource in RESOURCES for endpoint in resource.endpoints
    }
    elsewhere = [
        f"{name} belongs in {places[name]}, not in tests/{file.relative_to(TESTS)}"
        for file, tables in files().items()
        for name in (*tables.get("BODIES", {}), *tables.get("PLANS", {}))
        if places[name] != f"tests/{file.relative_to(TESTS)}"
    ]
    assert elsewhere == []


def test_a_missing_recipe_belongs_in_the_folder_of_its_resource() -> None:
    places = {resource.object: place_of(resource) for resource in RESOURCES}
    assert places["refund"] == "tests/payments/charges/recipes.py"
    assert places["webhook_endpoint"] == "tests/platform/recipes.py"
