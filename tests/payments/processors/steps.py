"""Steps that several tests of processors share."""

from __future__ import annotations

from typing import Any

from tollkey.db import Scope
from tollkey.payments.processors import cards
from tollkey.payments.processors.attempts import Attempt


def named(name: str) -> cards.TestCard:
    card = cards.by_payment_method(name) if name.startswith("pm_") else cards.by_token(name)
    assert card is not None, name
    return card


def numbered(number: str) -> cards.TestCard:
    card = cards.by_number(number)
    assert card is not None, number
    return card


NOW = 1_767_225_600


def attempt(**changes: Any) -> Attempt:
    """An attempt of unknown outcome, with these changes."""
    made: dict[str, Any] = {
        "seq": 1, "scope": Scope("acct_1", True), "reference": "R1", "operation": "authorize", "object": "pi_1",
        "about": "", "amount": 500, "currency": "usd", "provider": "p", "asked": {}, "state": "unknown", "answer": {},
        "why": "", "made_at": NOW, "sent_at": NOW, "changed_at": NOW, "next_at": NOW, "claimed_until": 0, "repeats": 0,
        "inquiries": 0, "applied": False, "settled": None,
        "back": 0,
    }  # fmt: skip
    return Attempt(**{**made, **changes})
