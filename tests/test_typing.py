"""Types are checked where the money is: deliberate faults are named, and what is untyped becomes less."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tollkey.wire.spec import object_facts
from tools.make_types import OUT, Types

ROOT = Path(__file__).resolve().parent.parent
FAULTS = ROOT / "tests" / "typing" / "faults.py"
#: How often ``Json`` and ``dict[str, Any]`` stand in payments. It only falls: who types more of it lowers the number.
MOST_UNTYPED = 14
#: How often parameters are a dict or a mapping of anything in the rooms with resources. It only falls, too.
MOST_UNTYPED_PARAMETERS = 145
_UNTYPED_PARAMETERS = re.compile(r"params: (?:Params|Mapping\[str, Any\])")
_UNTYPED = re.compile(r"\bJson\b|dict\[str, Any\]")
_FAULT = re.compile(r"# fault: ([a-z-]+)$")


def test_mypy_names_each_of_the_deliberate_faults_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--no-pretty", "--cache-dir", str(ROOT / ".mypy_cache"), str(FAULTS)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = {
        (int(line), code)
        for line, code in re.findall(r"faults\.py:(\d+): error: .*\[([a-z-]+)\]$", answer.stdout, re.M)
    }
    lines = enumerate(FAULTS.read_text().splitlines(), start=1)
    meant = {(number, mark[1]) for number, line in lines if (mark := _FAULT.search(line))}
    assert found == meant


def test_the_types_of_the_api_s_objects_are_those_of_the_specification() -> None:
    assert OUT.read_text() == Types(object_facts()).write(), "run python tools/make_types.py"


def test_less_and_less_of_payments_is_untyped() -> None:
    counted: Counter[str] = Counter()
    for file in (ROOT / "src" / "tollkey" / "payments").rglob("*.py"):
        counted[file.parent.name] += len(_UNTYPED.findall(file.read_text()))
    print(f"untyped in payments: {counted.total()}", dict(counted.most_common()))
    assert counted.total() <= MOST_UNTYPED


def test_less_and_less_parameters_are_untyped() -> None:
    counted: Counter[str] = Counter()
    for room in ("payments", "platform"):
        for file in (ROOT / "src" / "tollkey" / room).rglob("*.py"):
            counted[file.parent.name] += len(_UNTYPED_PARAMETERS.findall(file.read_text()))
    print(f"untyped parameters: {counted.total()}", dict(counted.most_common()))
    assert counted.total() <= MOST_UNTYPED_PARAMETERS
