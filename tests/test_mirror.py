"""The tests mirror the rooms of ``payments``: every module with rules has its test file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

#: The rooms of payments, and the tests that mirror them.
TESTS = Path(__file__).resolve().parent
PAYMENTS = TESTS.parent / "src" / "tollkey" / "payments"
#: What decides something: a module without any of it declares, and has no rules.
_DECISIONS = (ast.If, ast.IfExp, ast.For, ast.While, ast.Match, ast.Try, ast.Raise, ast.BoolOp, ast.Compare)
#: Modules with such statements that need no test file of their own, and why.
EXEMPT: dict[str, str] = {}


def _has_rules(source: str) -> bool:
    """Whether any function of a module decides something."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    return any(isinstance(inner, _DECISIONS) for function in functions for inner in ast.walk(function))


def _modules_of_payments() -> Iterator[Path]:
    """Every module of ``payments``, below its folder, without the doors."""
    return (file.relative_to(PAYMENTS) for file in sorted(PAYMENTS.rglob("*.py")) if file.name != "__init__.py")


def _test_file_of(module: Path) -> Path:
    """Where the rules of a module are stated, below ``tests``."""
    return Path("payments") / module.parent / f"test_{module.name.removeprefix('_')}"


def test_every_module_with_rules_has_its_test_file() -> None:
    lacking = [
        f"{module} has no tests/{_test_file_of(module)}"
        for module in _modules_of_payments()
        if str(module) not in EXEMPT
        and _has_rules((PAYMENTS / module).read_text(encoding="utf-8"))
        and not (TESTS / _test_file_of(module)).exists()
    ]
    assert lacking == []


def test_no_exemption_is_left_over() -> None:
    here = {str(module) for module in _modules_of_payments()}
    left = [
        module
        for module in EXEMPT
        if module not in here
        or not _has_rules((PAYMENTS / module).read_text(encoding="utf-8"))
        or (TESTS / _test_file_of(Path(module))).exists()
    ]
    assert left == []


#: Test files in the folders of rooms that state what several modules do together.
ACROSS = {
    "balance/test_money_moves.py": "the books stay sound whatever is moved",
    "processors/iso8583/test_payments.py": "payments of the API reach a host and come back",
    "processors/bank_files/test_payouts.py": "payouts of the API reach a bank and its statements come back",
    "processors/test_every_order.py": "whatever is lost, late or repeated, nothing is taken twice",
    "catalog/test_price_states.py": "a price is sold in every room by the same rules",
    "charges/test_books.py": "the books stay sound whatever is charged",
    "customers/test_deleted.py": "a deleted customer is refused by every room",
    "shared/test_spec_rules.py": "the rules of all rooms are decided",
}


def test_a_test_file_in_a_room_has_the_name_of_a_module() -> None:
    known = {str(_test_file_of(module).relative_to("payments")) for module in _modules_of_payments()}
    files = [file.relative_to(TESTS / "payments") for file in (TESTS / "payments").rglob("*/test_*.py")]
    assert sorted(str(file) for file in files if str(file) not in known | ACROSS.keys()) == []
