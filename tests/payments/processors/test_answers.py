"""What came of an attempt, in the terms of the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.processors.steps import attempt
from tollkey.payments.processors import answers
from tollkey.payments.processors.network import Approved, Declined, Pending


@pytest.mark.parametrize(
    ("state", "code", "error", "decline_code"),
    [
        ("declined", "insufficient_funds", "card_declined", "insufficient_funds"),
        ("declined", "generic_decline", "card_declined", "generic_decline"),
        ("declined", "expired_card", "expired_card", None),
        ("withdrawn", None, "processing_error", "processing_error"),
        ("reversed", None, "processing_error", "processing_error"),
    ],
)
def test_a_refusal_has_the_codes_of_the_api(state: str, code: str | None, error: str, decline_code: str | None) -> None:
    found = answers.decline_of(attempt(state=state, answer={"decline": code} if code else {}))
    assert (found.code, found.decline_code) == (error, decline_code)


def test_a_verdict_has_what_the_network_gave() -> None:
    approved = attempt(state="approved", answer={"code": "A1", "network_reference": "n1"})
    verdict = answers.verdict_of(approved)
    assert (verdict.status, verdict.authorization_code, verdict.network_reference) == ("succeeded", "A1", "n1")
    assert answers.verdict_of(attempt(state="reversed")).status == "failed"


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        (Approved("A1", {"rrn": "1"}), {"code": "A1", "data": {"rrn": "1"}, "network_reference": None}),
        (
            Declined("do_not_honor", "try_again_later", "05"),
            {"decline": "do_not_honor", "advice": "try_again_later", "network_code": "05"},
        ),
        (Pending(data={"file": "7"}), {"data": {"file": "7"}}),
    ],
)
def test_an_answer_is_stored_as_it_came(outcome: Any, kept: dict[str, Any]) -> None:
    assert answers.stored(outcome) == kept
