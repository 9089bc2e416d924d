"""The shape of the package: who may import whom, what a room shows, where time, chance and the environment come in."""

from __future__ import annotations

import ast
import functools
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "tollkey"
ROOMS = sorted(door.parent.name for door in PACKAGE.glob("*/__init__.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Reading the clock, chance or the environment is ambient; these are the names for it.
AMBIENT = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep"},
    "os": {"environ", "getenv", "urandom"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "random": {"random", "randint", "choice", "randrange", "getrandbits", "shuffle", "Random"},
    "secrets": {"token_bytes", "token_hex", "token_urlsafe", "randbits", "choice"},
    "uuid": {"uuid4", "uuid1"},
}
#: Where it may come in: the edge of the process, and the two places that make randomness into an argument.
EDGES = {
    "cli/*": "a process of its own, at the outermost edge",
    "core.py": "the composition root",
    "server.py": "the composition root",
    "settings.py": "the environment becomes settings",
    "db/ids.py": "chance becomes an argument (Ids)",
    "db/sqlite.py": "names of processes, how long a fork waits",
    "db/sqlite_edge.py": "the event loop's own deadlines",
    "db/listening.py": "heartbeats of a connection",
    "db/postgres.py": "names of connections, waits between attempts",
    "keys/lease_renewal.py": "when announcements were heard last",
    "keys/scanning/files.py": "the environment that git inherits",
    "keys/service.py": "the composition root of the keys used as a library",
    "wire/service.py": "names of requests",
}


def test_imports_point_one_way() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, env=_environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_s_door_says_what_it_shows(room: str) -> None:
    door = importlib.import_module(f"tollkey.{room}")
    shown = door.__all__
    assert [name for name in shown if not hasattr(door, name)] == []
    assert len(shown) == len(set(shown))
    assert [name for name in shown if name.startswith("_")] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_door_imports_nothing_that_it_does_not_show(room: str) -> None:
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    shown = set(importlib.import_module(f"tollkey.{room}").__all__)
    assert imported - shown - {"annotations"} == set()


def test_nobody_reaches_into_the_private_modules_of_another_room() -> None:
    wrong = []
    for file in MODULES:
        room = file.relative_to(PACKAGE).parts[0]
        if room in ("core.py", "server.py"):  # the composition root puts parts together that nobody else sees
            continue
        for node, *_ in _imports(ast.parse(file.read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("tollkey."):
                continue
            other, *rest = (node.module or "").split(".")[1:]
            names = [*rest, *(alias.name for alias in node.names)]
            if other != room and any(name.startswith("_") for name in names):
                wrong.append(
                    f"{file.relative_to(ROOT)}: from {node.module} import {', '.join(a.name for a in node.names)}"
                )
    assert wrong == []


@pytest.mark.parametrize("file", sorted((ROOT / "bench").glob("*.py")), ids=lambda file: file.stem)
def test_what_a_benchmark_imports_is_there(file: Path) -> None:
    missing = [
        f"{node.module}.{alias.name}"
        for node, *_ in _imports(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tollkey")
        for alias in node.names
        if not hasattr(__import__(str(node.module), fromlist=[alias.name]), alias.name)
    ]
    assert missing == []


def test_time_chance_and_the_environment_come_in_at_the_edge_only() -> None:
    wrong = []
    for file in MODULES:
        place = file.relative_to(PACKAGE)
        if any(place.match(edge) for edge in EDGES):
            continue
        tree = ast.parse(file.read_text())
        allowed = set(_defaults(tree))
        wrong += [f"{place}:{node.lineno} {ast.unparse(node)}" for node in _ambient(tree) if node not in allowed]
    assert wrong == []


def test_rooms_with_resources_have_not_even_a_default_for_time_or_chance() -> None:
    wrong = [
        f"{file.relative_to(PACKAGE)}:{node.lineno} {ast.unparse(node)}"
        for room in ("platform", "payments", "ledger")
        for file in sorted((PACKAGE / room).rglob("*.py"))
        for node in _ambient(ast.parse(file.read_text()))
    ]
    assert wrong == []


def test_every_exception_to_the_rule_is_still_needed() -> None:
    unused = [
        edge for edge in EDGES
        if not any(_ambient(ast.parse(file.read_text())) for file in MODULES if file.relative_to(PACKAGE).match(edge))
        and edge != "cli/*"
    ]  # fmt: skip
    assert unused == []


def test_no_module_of_resources_changes_anything_when_imported() -> None:
    """No import-time registries: at the top of a module stand definitions and values, never bare calls or loops."""
    wrong = []
    for room in ("platform", "payments", "wire", "keys", "ledger", "outbox", "db"):
        for file in sorted((PACKAGE / room).rglob("*.py")):
            for node in ast.parse(file.read_text()).body:
                bare_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
                if bare_call or isinstance(node, ast.For | ast.While | ast.With):
                    wrong.append(f"{file.relative_to(PACKAGE)}:{node.lineno}")
    assert wrong == []


def _ambient(tree: ast.AST) -> list[ast.Attribute]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in AMBIENT.get(node.value.id, ())
    ]


def _defaults(tree: ast.AST) -> Iterator[ast.expr]:
    """The default values of parameters: what a caller may replace is an argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None)


def _module_of(file: Path) -> str:
    parts = ("tollkey", *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _statements(node: ast.AST, within: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Each statement that runs (not those for type checkers alone), and whether it stands in a function.

    Expressions, of which a tree has most, are left out.
    """
    within = within or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        for inner in getattr(node, name, ()):
            if isinstance(inner, ast.If) and "TYPE_CHECKING" in ast.unparse(inner.test):
                continue
            if isinstance(inner, ast.stmt):
                yield inner, within
            yield from _statements(inner, within)


def _imports(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, list[str], bool]]:
    """Each import that runs, the dotted names it may mean, and whether it stands in a function."""
    for node, within in _statements(tree):
        if isinstance(node, ast.Import):
            yield node, [alias.name for alias in node.names], within
        elif isinstance(node, ast.ImportFrom):
            yield node, [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)], within


def _graph() -> dict[str, set[str]]:
    """Module -> the modules of this package that it imports; a door counts only where a name of its own is taken from
    it.
    """
    modules = {_module_of(file): ast.parse(file.read_text()) for file in MODULES}
    graph: dict[str, set[str]] = {}
    for name, tree in modules.items():
        graph[name] = set()
        for node, names, _ in _imports(tree):
            hit = {found for found in names if found in modules and found != name}
            if isinstance(node, ast.ImportFrom) and len(hit) > 1:
                hit.discard(node.module or "")
            graph[name] |= hit
    return graph


def test_no_circle_of_modules() -> None:
    graph = _graph()
    done: set[str] = set()
    while True:  # take away what imports nothing that is left; what stays is in a circle or imports one
        free = {name for name in graph.keys() - done if graph[name] <= done}
        if not free:
            break
        done |= free
    assert sorted(graph.keys() - done) == []


#: What is imported only when it is used, and why.
LATE = {
    "db/opening.py": "psycopg is loaded only where PostgreSQL is used",
    "dashboard/lazy.py": "the libraries of the Dashboard are imported at its first request",
}


def test_nothing_of_this_package_is_imported_within_a_function() -> None:
    found = {
        str(file.relative_to(PACKAGE))
        for file in MODULES
        for _, names, within in _imports(ast.parse(file.read_text()))
        if within and any(name.startswith("tollkey") for name in names)
    }
    assert found <= LATE.keys()


_MOST_NAMES = 12


def _for_type_checkers(tree: ast.Module) -> set[ast.AST]:
    """What is there for type checkers only: the types of other rooms' objects may be named by everybody."""
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {inner for block in blocks for inner in ast.walk(block)}


def test_the_doors_of_payments_are_small_and_nobody_goes_around_them() -> None:
    rooms = {door.parent.name: ast.parse(door.read_text()) for door in (PACKAGE / "payments").glob("*/__init__.py")}
    shown = {
        room: {element.value for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)
               and isinstance(node.value, ast.List) for element in node.value.elts if isinstance(element, ast.Constant)}
        for room, tree in rooms.items()
    }  # fmt: skip
    assert {room: len(names) for room, names in shown.items() if len(names) > _MOST_NAMES} == {}
    around = []
    for file in MODULES:
        parts = file.relative_to(PACKAGE).parts
        tree = ast.parse(file.read_text())
        typed = _for_type_checkers(tree)
        for node in ast.walk(tree):
            if (
                node in typed
                or not isinstance(node, ast.ImportFrom)
                or not (node.module or "").startswith("tollkey.payments.")
            ):
                continue
            room, *within = (node.module or "").split(".")[2:]
            if room not in rooms or parts[:2] == ("payments", room):
                continue
            wrong = within or [alias.name for alias in node.names if alias.name not in shown[room]]
            around += [f"{file.relative_to(PACKAGE)}: {node.module} {', '.join(wrong)}"] if wrong else []
    assert around == []


#: The rooms with a small door. What is not in it is imported from the module that defines it.
SMALL_DOORS = ["db", "keys", "ledger", "outbox", "wire"]


_FROM_ROOM = re.compile(r"^\s*from (tollkey\.(\w+)[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)


@functools.cache
def _imports_from_rooms() -> dict[str, list[tuple[str, str, str]]]:
    """Room -> (file, module, imported name) wherever something outside the room and its tests imports from it, also
    programs within a text.
    """
    found: dict[str, list[tuple[str, str, str]]] = {room: [] for room in ROOMS}
    for folder in (PACKAGE, ROOT / "tests", ROOT / "tools", ROOT / "bench", ROOT / "examples"):
        for file in sorted(folder.rglob("*.py")):
            own = file.relative_to(folder).parts[0]
            for module, room, names in _FROM_ROOM.findall(file.read_text(encoding="utf-8")):
                if room in found and room != own:
                    imported = re.findall(r"(\w+)(?: as \w+)?", names)
                    found[room] += [(str(file.relative_to(ROOT)), module, name) for name in imported]
    return found


@pytest.mark.parametrize("room", SMALL_DOORS)
def test_the_door_of_a_room_is_small_and_nobody_goes_around_it(room: str) -> None:
    shown = set(importlib.import_module(f"tollkey.{room}").__all__)
    assert len(shown) <= _MOST_NAMES
    found = _imports_from_rooms()[room]
    around = [each for each in found if each[1] != f"tollkey.{room}" and each[2] in shown]
    private = [each for each in found if "._" in f"{each[1]}.{each[2]}"]
    assert (around, private) == ([], [])


#: Lines of a file. A longer one has two subjects.
_LONGEST = 400


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    folders = (PACKAGE, ROOT / "tests", ROOT / "tools", ROOT / "bench", ROOT / "examples")
    lengths = {
        str(file.relative_to(ROOT)): file.read_bytes().count(b"\n")
        for folder in folders
        for file in folder.rglob("*.py")
    }
    assert {file: lines for file, lines in lengths.items() if lines > _LONGEST} == {}


def test_no_test_file_imports_another() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: {node.module}"
        for file in sorted((ROOT / "tests" / "payments").rglob("*.py"))
        for node, *_ in _imports(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_")
    ]
    assert wrong == []
