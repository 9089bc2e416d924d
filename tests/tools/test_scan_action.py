"""What action.yml runs: the inputs become options, and none of them is executed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "scan_action.sh"


def run(folder: Path, code: int = 0, **inputs: str) -> tuple[int, list[str], str]:
    """The exit code, the options that ``tollkey`` got, and the outputs of the action. code: how ``tollkey`` ends."""
    program, told = folder / "tollkey", folder / "told"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}\necho log\nexit {code}\n')
    program.chmod(0o755)
    outputs = folder / "outputs"
    outputs.write_text("")
    empty = dict.fromkeys(("PATHS", "COMMITS", "PREFIX", "SARIF"), "")
    settings = {"PATH": os.environ["PATH"], "TOLLKEY": str(program), "GITHUB_OUTPUT": str(outputs), **empty, **inputs}
    done = subprocess.run(["bash", SCRIPT], cwd=folder, env=settings, check=False, capture_output=True)
    return done.returncode, told.read_text().splitlines(), outputs.read_text()


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        ({"PATHS": "."}, ["scan", "--", "."]),
        ({"PATHS": "a\nb\n"}, ["scan", "--", "a", "b"]),
        (
            {"PATHS": "a b", "PREFIX": "acmesk acmerk"},
            ["scan", "--prefix", "acmesk", "--prefix", "acmerk", "--", "a", "b"],
        ),
        ({"PATHS": ".", "COMMITS": "all"}, ["scan", "--history"]),
        ({"PATHS": ".", "COMMITS": "origin/main..HEAD"}, ["scan", "--commits=origin/main..HEAD"]),
        ({"PATHS": "$(touch ran) `touch ran`"}, ["scan", "--", "$(touch", "ran)", "`touch", "ran`"]),
    ],
)  # fmt: skip
def test_inputs_become_options(tmp_path: Path, inputs: dict[str, str], options: list[str]) -> None:
    code, told, outputs = run(tmp_path, **inputs)
    assert (code, told, outputs) == (0, options, "found=false\n")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("code", "outputs"), [(0, "found=false\n"), (1, "found=true\n"), (2, "")])
def test_the_action_ends_as_the_scan_did(tmp_path: Path, code: int, outputs: str) -> None:
    assert run(tmp_path, code, PATHS=".") == (code, ["scan", "--", "."], outputs)


def test_findings_are_written_to_a_file(tmp_path: Path) -> None:
    assert run(tmp_path, PATHS=".", SARIF="found.sarif")[1] == ["scan", "--sarif", "--", "."]
    assert (tmp_path / "found.sarif").read_text() == "log\n"
