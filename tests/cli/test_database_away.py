"""Commands while PostgreSQL is away: one line, and an exit code that says "try again"."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shell import run
from tollkey.db import postgres

PASSWORD = "not-to-be-shown"


@pytest.fixture
def nobody() -> Iterator[str]:
    """A database on a port where nobody answers: it is taken, and nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"postgresql://me:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}/shop"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_WAIT_SECONDS", 0.4)


@pytest.mark.parametrize("words", [("keys", "list"), ("accounts", "list"), ("doctor",), ("keyring", "show")])
def test_a_command_says_in_one_line_that_the_database_is_away(
    tmp_path: Path, nobody: str, words: tuple[str, ...]
) -> None:
    answer = run(tmp_path, *words, "--database", nobody)
    assert answer.exit_code == 3
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("tollkey: PostgreSQL cannot be reached: ")
    assert "refused" in line
    assert PASSWORD not in line


@pytest.mark.parametrize("words", [("keys", "list"), ("serve", "--port", "0", "--json")])
def test_nothing_else_is_printed_by_the_driver(tmp_path: Path, nobody: str, words: tuple[str, ...]) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "tollkey", *words, "--data", str(tmp_path), "--database", nobody]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1), done.stderr


@pytest.mark.parametrize("address", [f"postgresql://me:{PASSWORD}@[::1/x", f"postgresql://me:{PASSWORD}%zz@h/x"])
def test_an_invalid_url_of_a_database_is_not_repeated(tmp_path: Path, address: str) -> None:
    answer = run(tmp_path, "keys", "list", "--database", address)
    assert answer.exit_code == 1
    (line,) = answer.stderr.splitlines()
    assert "is not valid" in line
    assert PASSWORD not in line
