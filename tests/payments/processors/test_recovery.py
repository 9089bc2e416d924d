"""What is done about an attempt whose outcome is not known: a table of states, features and times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.payments.processors.steps import NOW, attempt
from tollkey.payments.processors import recovery
from tollkey.payments.processors.network import Features

DAY = 86_400
ASKS = Features(frozenset({"authorize", "capture"}), repeatable=frozenset({"capture"}))
SILENT = replace(ASKS, inquiry=False)
STUCK = replace(SILENT, reversal=False, repeatable=frozenset())


@pytest.mark.parametrize(
    ("changes", "features", "later", "step"),
    [
        ({"state": "prepared"}, ASKS, 0, "send"),
        ({"state": "prepared"}, ASKS, 200, "withdrawn"),
        ({"state": "prepared", "operation": "refund"}, ASKS, 200, "send"),
        ({"state": "sent"}, ASKS, 60, "unknown"),
        ({"state": "inquiring"}, ASKS, 60, "unknown"),
        ({}, ASKS, 0, "inquire"),
        ({"inquiries": 4}, ASKS, 0, "reverse"),
        ({"answer": {"not_found": True}}, ASKS, 0, "reverse"),
        ({}, SILENT, 0, "reverse"),
        ({}, STUCK, 0, "manual"),
        ({}, ASKS, 3 * DAY, "manual"),
        ({}, None, 0, None),
        ({"operation": "capture"}, ASKS, 0, "inquire"),
        ({"operation": "capture", "inquiries": 9}, ASKS, 0, "inquire"),
        ({"operation": "capture", "answer": {"not_found": True}}, ASKS, 0, "send"),
        ({"operation": "capture"}, SILENT, 0, "send"),
        ({"operation": "capture"}, STUCK, 0, "manual"),
        ({"state": "reversing"}, ASKS, 0, "reverse"),
        ({"state": "reversing"}, ASKS, 3 * DAY, "manual"),
        ({"state": "pending"}, ASKS, 10 * DAY, "inquire"),
        ({"state": "pending"}, SILENT, 0, None),
    ],
)
def test_what_is_unknown_is_asked_about_repeated_or_undone_and_never_sent_blindly(
    changes: dict[str, Any], features: Features | None, later: int, step: str | None
) -> None:
    assert recovery.next_step(attempt(**changes), features, NOW + later) == step


def test_the_pauses_grow_up_to_an_hour() -> None:
    pauses = [recovery.pause(attempt(inquiries=asked)) for asked in range(9)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (2, 3_600)
