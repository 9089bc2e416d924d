"""What all commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.shell import run
from tollkey.cli.common import table

KEY = "sk_live_" + "a1B2" * 20


def test_what_a_caller_has_sent_sends_no_commands_to_the_terminal() -> None:
    title, row = table(("KEY", "LAST USE"), [("mk_1", "GET /\x1b[2J\n\x9b1m\u202e\ud800")])
    assert title == "KEY   LAST USE"
    assert row == "mk_1  GET /?[2J??1m??"


@pytest.mark.parametrize("key", [KEY, f"Retry{KEY}"])
@pytest.mark.parametrize(
    "words",
    ["keys create --show-secret --permission {}", "keys create --show-secret --ip {}", "keys list --account {}"],
)
def test_an_error_does_not_repeat_a_key_that_was_typed_in_a_wrong_place(tmp_path: Path, words: str, key: str) -> None:
    run(tmp_path, "accounts", "create", "--name", "Shop")
    done = run(tmp_path, *words.format(key).split(), "--json")
    assert done.exit_code != 0
    assert "a1B2" * 3 not in done.stdout + done.stderr
