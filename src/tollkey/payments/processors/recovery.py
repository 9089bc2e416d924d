"""What is to be done about an attempt: the rules, apart from who does it."""

from __future__ import annotations

from typing import Final, Literal

from tollkey.payments.processors.attempts import Attempt
from tollkey.payments.processors.network import Features, Operation

Step = Literal["send", "inquire", "reverse", "unknown", "manual", "withdrawn"]
#: Seconds until it is asked about or sent again: growing, the last one repeated.
PAUSES: Final = (2, 5, 15, 60, 300, 900, 3_600)
#: Seconds until the outcome of something that was taken is asked about first.
PENDING_SECONDS: Final = 60
#: How often an authorization of unknown outcome is asked about in vain before it is undone.
INQUIRIES: Final = 4
#: Seconds after which a person has to look.
MANUAL_SECONDS: Final = 3 * 86_400
#: Operations that a request waits for: what cannot be sent meanwhile is withdrawn, and the request says so. Others are
#: kept until they can be sent.
WITH_A_REQUEST: Final[frozenset[Operation]] = frozenset({"authorize", "capture", "void", "contest", "accept", "verify"})
#: Seconds after which such an operation, whose process ended before it was sent, is withdrawn.
FORGOTTEN_SECONDS: Final = 120


def pause(attempt: Attempt) -> int:
    """Return the seconds until an attempt is asked about or sent again."""
    return PAUSES[min(attempt.inquiries + attempt.repeats, len(PAUSES) - 1)]


def given_up(attempt: Attempt, now: int) -> bool:
    """Return whether a person has to look. now: UTC epoch seconds."""
    return now - attempt.made_at >= MANUAL_SECONDS


def next_step(attempt: Attempt, features: Features | None, now: int) -> Step | None:
    """Return what is to be done about an open attempt that is due; None for nothing.

    features: of the account's processor, None without one. now: UTC epoch seconds.
    """
    if attempt.state in ("sent", "inquiring"):
        return "unknown"  # its process has ended: it may have been sent
    if attempt.state == "prepared":
        late = now - attempt.made_at >= FORGOTTEN_SECONDS and attempt.operation in WITH_A_REQUEST
        return "withdrawn" if late else "send"
    if attempt.state == "reversing":
        return "manual" if given_up(attempt, now) else "reverse"
    return None if features is None else _unknown(attempt, features, now)


def _unknown(attempt: Attempt, features: Features, now: int) -> Step | None:
    if attempt.state == "pending":
        return "inquire" if features.inquiry else None
    if given_up(attempt, now):
        return "manual"
    undoes = attempt.operation == "authorize" and features.reversal
    asked_enough = attempt.inquiries >= INQUIRIES or bool(attempt.answer.get("not_found")) or not features.inquiry
    if undoes and asked_enough:
        return "reverse"
    repeats = (attempt.operation == "verify" or attempt.operation in features.repeatable) and (  # one moves no money
        bool(attempt.answer.get("not_found")) or not features.inquiry
    )
    if repeats:
        return "send"
    return "inquire" if features.inquiry else "manual"
