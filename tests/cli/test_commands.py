"""Which commands there are, and what each of them loads."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from tollkey.cli.app import app
from tollkey.cli.commands import MODULES, build

#: What a server needs only when it is used: by notices, HTTP proxies, other commands. They take megabytes.
NOT_FOR_A_SERVER = (
    "babel",
    "cryptography.x509",
    "httpx",
    "reportlab",
    "babel",
    "reportlab",
    "rich",
    "starlette",
    "tollkey.cli.keys",
    "tollkey.keys.http",
)


@pytest.mark.parametrize("word", MODULES)
def test_a_command_that_is_built_alone_is_the_same_as_among_all(word: str) -> None:
    alone, among_all = get_command(build(word)), get_command(app)
    assert list(alone.commands) == [word]  # type: ignore[attr-defined]
    mine, theirs = alone.commands[word], among_all.commands[word]  # type: ignore[attr-defined]
    assert [one.opts for one in mine.params] == [one.opts for one in theirs.params]
    assert (mine.help, list(getattr(mine, "commands", ()))) == (theirs.help, list(getattr(theirs, "commands", ())))


@pytest.mark.parametrize("word", ["revoke", "--help", "--version", "", None])
def test_any_other_word_builds_all_commands(word: str | None) -> None:
    assert list(get_command(build(word)).commands) == list(MODULES)  # type: ignore[attr-defined]


def test_a_server_loads_nothing_that_only_other_commands_need() -> None:
    code = "import sys; from tollkey.cli.commands import build; build('serve'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    loaded = set(done.stdout.split())
    assert [name for name in NOT_FOR_A_SERVER if name in loaded] == []
