"""What an answer means, by what was asked and how often."""

from __future__ import annotations

import pytest

from tollkey.payments.processors.iso8583.answers import outcome
from tollkey.payments.processors.iso8583.dialect import dialect
from tollkey.payments.processors.network import Approved, Declined, Unknown

ISO87 = dialect()
SENT = {"t": "0100", "4": "000000001000", "37": "R1", "41": "T1", "49": "840"}


def _answer(code: str, **more: str) -> dict[str, str]:
    return {**SENT, "t": "0110", "39": code, **more}


def test_an_approval_has_its_code_for_what_follows() -> None:
    answer = {**_answer("00"), "38": "A1B2C3"}
    assert outcome(ISO87, SENT, answer, "authorize", 0) == Approved("A1B2C3", {"approval": "A1B2C3"})
    assert outcome(ISO87, SENT, _answer("00"), "capture", 0) == Approved()


@pytest.mark.parametrize("code", ["\x01\x02", "é1", "12\n4"])
def test_a_code_that_no_later_message_could_repeat_is_left_out(code: str) -> None:
    assert outcome(ISO87, SENT, {**_answer("00"), "38": code}, "authorize", 0) == Approved()


def test_a_decline_says_what_the_host_answered() -> None:
    assert outcome(ISO87, SENT, _answer("51"), "authorize", 0) == Declined(
        "insufficient_funds", "try_again_later", "51"
    )


@pytest.mark.parametrize("code", ["09", "10", "68"])
def test_what_the_host_itself_does_not_know_is_unknown(code: str) -> None:
    assert isinstance(outcome(ISO87, SENT, _answer(code), "authorize", 0), Unknown)


@pytest.mark.parametrize("field", ["4", "37", "41", "49"])
def test_the_approval_of_something_else_is_unknown(field: str) -> None:
    found = outcome(ISO87, SENT, {**_answer("00"), field: "1"}, "authorize", 0)
    assert found == Unknown(f"the host approved something else: field {field} of its 0110 differs")
    assert isinstance(outcome(ISO87, SENT, {**_answer("05"), field: "1"}, "authorize", 0), Declined)


@pytest.mark.parametrize(("kind", "answered"), [("n", "00001234"), ("ans", "1234"), ("n", "1234")])
def test_a_field_that_comes_back_at_its_whole_length_is_the_same(kind: str, answered: str) -> None:
    numeric = dialect({"fields": {"41": {"type": kind, "size": 8}}})
    sent = {**SENT, "41": "1234"}
    assert outcome(numeric, sent, {**_answer("00"), "41": answered}, "authorize", 0) == Approved()
    assert isinstance(outcome(numeric, sent, {**_answer("00"), "41": "00001235"}, "authorize", 0), Unknown)


def test_an_answer_without_a_code_is_unknown() -> None:
    assert outcome(ISO87, SENT, {**SENT, "t": "0110"}, "authorize", 0) == Unknown(
        "the host's 0110 says nothing (DE 39)"
    )


@pytest.mark.parametrize(
    ("operation", "repeats", "done"),
    [
        ("capture", 1, True),
        ("reverse", 1, True),
        ("capture", 0, False),
        ("authorize", 0, False),
        ("authorize", 1, False),
    ],
)
def test_a_duplicate_is_done_where_it_was_meant_as_one(operation: str, repeats: int, done: bool) -> None:
    assert isinstance(outcome(ISO87, SENT, _answer("94"), operation, repeats), Approved if done else Unknown)


@pytest.mark.parametrize(("repeats", "kind"), [(0, Unknown), (1, Unknown), (2, Approved)])
def test_not_found_is_believed_when_a_reversal_was_repeated(repeats: int, kind: type) -> None:
    assert isinstance(outcome(ISO87, SENT, _answer("25"), "reverse", repeats), kind)


def test_not_found_is_a_refusal_of_anything_else() -> None:
    assert isinstance(outcome(ISO87, SENT, _answer("25"), "void", 0), Declined)


def test_no_reason_to_decline_approves_a_verification_alone() -> None:
    assert outcome(ISO87, SENT, _answer("85"), "verify", 0) == Approved()
    assert isinstance(outcome(ISO87, SENT, _answer("85"), "authorize", 0), Declined)
