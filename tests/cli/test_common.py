"""What all commands print."""

from __future__ import annotations

from tollkey.cli.common import table


def test_what_a_caller_has_sent_sends_no_commands_to_the_terminal() -> None:
    title, row = table(("KEY", "LAST USE"), [("mk_1", "GET /\x1b[2J\n\x9b1m\u202e\ud800")])
    assert title == "KEY   LAST USE"
    assert row == "mk_1  GET /?[2J??1m??"
