"""Every status is written through its object's transition table, which its docstring draws."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.api import Api, World
from tests.support.recipes import Maker
from tollkey.payments.charges.states import CHARGE, REFUND
from tollkey.payments.shared.states import InvalidTransition, States
from tollkey.wire import Json
from tollkey.wire.spec import object_facts

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "tollkey" / "payments"
FILES = sorted(PACKAGE.rglob("*.py"))
FIELDS = {"status", "payment_status"}
#: What is assigned without a table, and why.
EXEMPT = {
    ("charges/charges.py", "charge['status']"): "a view of versions in which a charge was 'paid'",
    (
        "issuing/authorizations.py",
        "authorization['status']",
    ): "a view of versions in which an authorization that expired was 'reversed'",
    ("intents/views.py", "intent['status']"): "a view of versions in which two states had other names",
    ("checkout/completion.py", "session['automatic_tax']['status']"): "of an object inside, which has no states",
    ("checkout/place.py", "automatic['status']"): "of an object inside, which has no states",
    ("subscriptions/quote_rules.py", "automatic.update"): "of an object inside, which has no states",
    ("charges/transfers.py", "transfer.update"): "a view of versions in which a transfer had a status",
    (
        "balance/transactions.py",
        "value['status']",
    ): "follows from the day on which it is available, whenever it is read",
    ("tax/registrations.py", "registration['status']"): "follows from its two dates, whenever it is read",
    ("subscriptions/subscription_schedules.py", "equal['status']"): "the filter of a list",
    ("subscriptions/subscriptions.py", "equal['status']"): "the filter of a list",
}
#: Where an object is created below the room that has its table; the state is written out there.
CREATED_BELOW = {("balance/moving.py", "charge"): CHARGE, ("balance/moving.py", "refund"): REFUND}
#: Objects that are made with a status and never change it, or whose status follows from dates.
WITHOUT_STATES = {
    "balance_transaction", "billing.meter_event_adjustment", "source_transaction", "tax.registration",
    "terminal.reader",
}  # fmt: skip


def _modules() -> Iterator[ModuleType]:
    for file in FILES:
        if "States(" in file.read_text(encoding="utf-8"):
            name = ".".join(file.relative_to(PACKAGE.parents[1]).with_suffix("").parts)
            yield importlib.import_module(name)


TABLES = [(module, table) for module in _modules() for table in vars(module).values() if isinstance(table, States)]
NAMES = [f"{table.object}.{table.field}" for _, table in TABLES]


def drawing(docstring: str, name: str) -> tuple[set[tuple[str, str]], set[str]]:
    """The transitions that a docstring draws for an object's field, and the states that it calls unused."""
    found = re.search(rf"^{re.escape(name)}:\n\n((?: {{4}}.*\n)+)", docstring + "\n", re.MULTILINE)
    assert found is not None, f"no drawing of {name}"
    drawn: set[tuple[str, str]] = set()
    unused: set[str] = set()
    before = ""
    for line in found[1].splitlines():
        if line.strip().startswith("unused:"):
            unused.update(line.partition(":")[2].replace(",", " ").split())
            continue
        arrow = re.fullmatch(r" {4}(\S*) *──.+──▶ (.+)", line)
        assert arrow is not None, f"{name}: not a line of a drawing: {line}"
        before = arrow[1] or before
        drawn.update((before, to.strip()) for to in arrow[2].split("│"))
    return drawn, unused


@pytest.mark.parametrize(("module", "table"), TABLES, ids=NAMES)
def test_the_drawing_has_exactly_the_transitions_of_the_table(module: ModuleType, table: States) -> None:
    drawn, unused = drawing(module.__doc__ or "", f"{table.object}.{table.field}")
    transitions = {(before, to) for before, row in table.table.items() for to in row}
    assert drawn == transitions | {("●", state) for state in table.initial}
    assert unused == set(table.table) - set(table.initial) - {to for _, to in transitions}


#: What the API does not show.
OURS = {"attempt.state"}
SHOWN = [table for _, table in TABLES if f"{table.object}.{table.field}" not in OURS]


@pytest.mark.parametrize("table", SHOWN, ids=[f"{table.object}.{table.field}" for table in SHOWN])
def test_the_table_has_every_state_of_the_specification(table: States) -> None:
    facts = object_facts()
    node = facts.row(facts.row(facts.roots[table.object])[1][table.field][0])
    if node[0] == "e":
        assert set(table.table) == set(node[1])
    else:
        assert node[0] == "s", "neither one of words nor text"


def test_every_object_has_one_table() -> None:
    assert sorted(NAMES) == sorted(set(NAMES))


def _written(tree: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """What a module writes a status to, and with which value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for part in ast.walk(target):
                    if (
                        isinstance(part, ast.Subscript)
                        and isinstance(part.slice, ast.Constant)
                        and part.slice.value in FIELDS
                    ):
                        yield ast.unparse(part), node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            names = {keyword.arg for keyword in node.keywords}
            for argument in node.args:
                if isinstance(argument, ast.Dict):
                    names |= {key.value for key in argument.keys if isinstance(key, ast.Constant)}
            if names & FIELDS:
                yield ast.unparse(node.func), None
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("fields.assign", "fields.take")):
            names = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
            if names & FIELDS:
                yield ast.unparse(node.func), None


def _starts(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "start"


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_no_module_writes_a_status_past_its_table(file: Path) -> None:
    name = str(file.relative_to(PACKAGE))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    past = [to for to, value in _written(tree) if (name, to) not in EXEMPT and not _starts(value)]
    assert past == []


def _kind_named(node: ast.expr, file: Path) -> str | None:
    """The kind of object that a text names, or a constant of the module or of its room's ``kinds``."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    for place in (file, *sorted(file.parent.glob("*.py"))):
        for assigned in ast.parse(place.read_text(encoding="utf-8")).body:
            if isinstance(assigned, ast.AnnAssign) and ast.unparse(assigned.target) == name:
                value = assigned.value
                if isinstance(value, ast.Call) and isinstance(value.args[0], ast.Constant):
                    return str(value.args[0].value)
    return None


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])
def test_every_new_object_begins_in_a_state_of_its_table(file: Path) -> None:
    past = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "blank" and node.args:
            given = [keyword.value for keyword in node.keywords if keyword.arg in FIELDS]
            kind = _kind_named(node.args[0], file)
            below = CREATED_BELOW.get((str(file.relative_to(PACKAGE)), str(kind)))
            past += [
                ast.unparse(value)
                for value in given
                if kind not in WITHOUT_STATES
                and not _starts(value)
                and not (below and isinstance(value, ast.Constant) and value.value in below.initial)
            ]
    assert past == []


def test_no_exemption_is_left_over() -> None:
    written = {
        (str(file.relative_to(PACKAGE)), to)
        for file in FILES
        for to, _ in _written(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert set(EXEMPT) - written == set()


def test_a_subscription_s_status_is_written_in_one_file() -> None:
    writers = [
        str(file.relative_to(PACKAGE))
        for file in FILES
        if re.search(r"\bSUBSCRIPTION\.(set|restore)\(", file.read_text(encoding="utf-8"))
    ]
    assert writers == ["subscriptions/states.py"]


DOOR = States("door", {"open": ("open", "shut"), "shut": ("open",), "bricked": ()}, initial=("shut",))


def test_a_transition_of_the_table_is_made() -> None:
    door: Json = {"status": DOOR.start("shut")}
    DOOR.set(door, "open")
    assert door == {"status": "open"}


def test_a_state_is_set_again_only_when_the_table_says_so() -> None:
    assert DOOR.allows("open", "open")
    assert not DOOR.allows("shut", "shut")


def test_any_other_transition_is_a_bug_and_changes_nothing() -> None:
    door: Json = {"status": "shut"}
    with pytest.raises(InvalidTransition, match=r"^door\.status cannot go from shut to bricked$"):
        DOOR.set(door, "bricked")
    assert door == {"status": "shut"}


def test_a_new_object_begins_in_an_initial_state() -> None:
    with pytest.raises(InvalidTransition, match=r"^door\.status cannot begin as bricked$"):
        DOOR.start("bricked")


def test_what_is_taken_back_has_a_known_state() -> None:
    door: Json = {"status": "open"}
    DOOR.restore(door, "shut")
    assert door == {"status": "shut"}
    with pytest.raises(InvalidTransition, match=r"^door\.status cannot be ajar$"):
        DOOR.restore(door, "ajar")


def test_a_table_without_a_row_for_a_state_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^door\.status: no row for ajar$"):
        States("door", {"open": ("ajar",)}, initial=("open",))


def _follows(table: States, before: str, now: str) -> bool:
    """Whether transitions of the table lead from one state to the other; one save may hold more than one."""
    reached, new = set(), set(table.table[before])
    while new - reached:
        reached |= new
        new = {to for state in reached for to in table.table[state]}
    return now in reached


def _every_event(api: Api) -> Iterator[Json]:
    last: dict[str, str] = {}
    while True:
        page = api.get("/v1/events", limit=100, **last)
        yield from page["data"]
        if not page["has_more"]:
            return
        last = {"starting_after": page["data"][-1]["id"]}


#: No source that is made here waits for a code.
REFUSED = {"POST /v1/sources/{}/verify"}


def test_what_the_recipes_do_is_in_the_tables(sqlite_world: World) -> None:
    maker = Maker(Api(sqlite_world))
    tables = {table.object: table for _, table in TABLES if table.field == "status"}
    for name, (resource, endpoint) in sorted(maker.endpoints.items()):
        if resource.object in tables and endpoint.method != "GET" and not endpoint.public:
            path, params = maker.plan(endpoint, resource)
            answer = getattr(maker.api, endpoint.method.lower())(path, **params)
            assert answer.status == (400 if name in REFUSED else 200), f"{name}: {answer}"
    maker.api.advance(86_400)
    last: dict[str, str] = {}
    taken: set[tuple[str, str, str]] = set()
    for event in reversed(list(_every_event(maker.api))):
        value = event["data"]["object"]
        table = tables.get(value.get("object"))
        if table is not None and value.get("id") is not None and "status" in value:  # only an account's cards have one
            before, now = last.get(value["id"]), value["status"]
            assert now in table.table, value
            last[value["id"]] = now
            if before is not None and before != now:
                taken.add((table.object, before, now))
    assert [step for step in taken if not _follows(tables[step[0]], step[1], step[2])] == []
    assert len({object for object, *_ in taken}) >= 12, sorted(taken)
