"""What processors tell by themselves: late outcomes, lines of settlements, money that came back. Each is taken once.

A line of a settlement is compared in three ways: what was asked and approved, what the ledger says
(``balance/reconciliation.py`` posts it), and what the processor says. Differences are kept with a reason, and nothing
is corrected silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tollkey.db import Migration, Scope, Tx
from tollkey.payments.processors import answers, attempts, backends
from tollkey.payments.processors.answers import conclude
from tollkey.payments.processors.attempts import Attempt
from tollkey.payments.processors.network import Approved, Notice, Notices
from tollkey.payments.shared import events
from tollkey.wire import Call

MIGRATION = Migration(
    "processor_notices",
    (
        "CREATE TABLE processor_notices (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, id TEXT NOT NULL,"
        " kind TEXT NOT NULL, reference TEXT, at {int} NOT NULL, amount {int} NOT NULL, currency TEXT NOT NULL,"
        " fee {int} NOT NULL, code TEXT, expected {int} NOT NULL, difference TEXT NOT NULL, seen_at {int} NOT NULL)",
        "CREATE UNIQUE INDEX processor_notices_id ON processor_notices (account, livemode, id)",
        "CREATE INDEX processor_notices_reference ON processor_notices (account, livemode, reference)",
        "CREATE INDEX processor_notices_different ON processor_notices (account, livemode, seq) WHERE difference <> ''",
    ),
)
#: Seconds after which money that was taken should have been settled.
SETTLED_SECONDS: Final = 7 * 86_400
_EARLY_SECONDS = 86_400  # for which a line waits for the outcome of what it settles
_OPEN = ("unknown", "pending", "manual")


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, as it was taken.

    expected: the amount that the attempt has moved and no other line has settled, signed, minor units. difference: what
    does not agree, for people; empty when all does. seen_at: UTC epoch seconds. The others: see ``Notice``.
    """

    seq: int
    id: str
    kind: str
    reference: str | None
    at: int
    amount: int
    currency: str
    fee: int
    code: str | None
    expected: int
    difference: str
    seen_at: int


_COLUMNS = "seq, id, kind, reference, at, amount, currency, fee, code, expected, difference, seen_at"


def take(call: Call, cursor: str, page: Notices) -> bool:
    """Take a page of notices of the account's processor, in one transaction with the cursor.

    cursor: that the page was asked for with. Returns False when another process has taken it, or when it is too early:
    it settles something whose outcome is still being found out.
    """
    for notice in page.items:
        if notice.kind == "result":
            _take(call, notice)
    if any(_too_early(call, notice) for notice in page.items):
        return False
    if not backends.move_cursor(call.tx, call.scope, cursor, page.cursor, call.now):
        return False
    for notice in page.items:
        _take(call, notice)
    return True


def _too_early(call: Call, notice: Notice) -> bool:
    """Return whether a line is about something whose outcome is not known yet, and may soon be."""
    if notice.kind != "settled" or notice.reference is None:
        return False
    attempt = attempts.find(call.tx, notice.reference)
    return attempt is not None and not attempt.applied and call.now - attempt.made_at < _EARLY_SECONDS


def _take(call: Call, notice: Notice) -> None:
    scope = (call.account, int(call.livemode))
    known = call.tx.execute(
        "SELECT 1 FROM processor_notices WHERE account = ? AND livemode = ? AND id = ?", (*scope, notice.id)
    )
    if known:
        return  # it was told before
    attempt = attempts.find(call.tx, notice.reference) if notice.reference else None
    if attempt is not None and attempt.scope != call.scope:
        attempt = None
    expected, difference = 0, ""
    if notice.kind == "result":
        difference = _result(call, notice, attempt)
    elif notice.kind == "settled":
        expected, difference = _settled(call, notice, attempt)
    else:
        difference = f"the money {'came back' if notice.kind == 'returned' else 'was disputed'} ({notice.code or '-'})"
    call.tx.execute(
        "INSERT INTO processor_notices (account, livemode, id, kind, reference, at, amount, currency, fee, code,"
        " expected, difference, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *scope, notice.id, notice.kind, notice.reference, notice.at, notice.amount, notice.currency, notice.fee,
            notice.code, expected, difference, call.now,
        ),
    )  # fmt: skip
    if notice.kind == "settled" and (notice.amount or notice.fee or expected):
        call.announce(events.Settled(notice, expected, attempt))


def decide(call: Call, attempt: Attempt, state: Literal["approved", "declined"]) -> None:
    """Record what a person has found out about an attempt, with its objects."""
    ended = attempts.move(call.tx, attempt, state, call.real, why="a person decided")
    if ended is not None:
        conclude(call, ended)


def _result(call: Call, notice: Notice, attempt: Attempt | None) -> str:
    """Store an outcome that was told, and return what does not agree with what is known."""
    if attempt is None or notice.outcome is None:
        return "an outcome of nothing that was asked"
    state = "approved" if isinstance(notice.outcome, Approved) else "declined"
    if attempt.state in _OPEN:
        ended = attempts.move(call.tx, attempt, state, call.now, answer=answers.stored(notice.outcome), why="told")
        if ended is not None:
            conclude(call, ended)
        return ""
    return "" if attempt.state == state else f"told as {state}, and here it is {attempt.state}"


def _settled(call: Call, notice: Notice, attempt: Attempt | None) -> tuple[int, str]:
    """Return the amount that a line should have, and what does not agree."""
    if attempt is None:
        return 0, "a line about nothing that was asked"
    expected = moved_by(attempt) - sum(one.amount for one in of_reference(call.tx, call.scope, attempt.reference))
    if notice.currency != attempt.currency:
        return 0, f"settled in {notice.currency}, asked in {attempt.currency}"
    if notice.amount == expected:
        return expected, ""
    if not attempt.ended:
        return expected, f"settled while it is {attempt.state} here"
    return expected, f"{notice.amount} was settled where {expected} was expected"


def moved_by(attempt: Attempt) -> int:
    """Return the amount that an attempt has moved, signed, minor units: 0 unless it is approved, and shown."""
    if attempt.state != "approved" or not attempt.applied:
        return 0
    if attempt.operation in ("refund", "payout"):
        return -attempt.amount
    takes = attempt.operation == "capture" or (attempt.operation == "authorize" and bool(attempt.asked["capture"]))
    return attempt.amount if takes else 0


def of_reference(tx: Tx, scope: Scope, reference: str) -> list[Told]:
    """Return the lines of settlements about an attempt."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_notices WHERE account = ? AND livemode = ? AND reference = ?"
        " AND kind = 'settled' ORDER BY seq",
        (scope.account, int(scope.livemode), reference),
    )
    return [Told(*row) for row in rows]


def differences(tx: Tx, scope: Scope, limit: int = 100) -> list[Told]:
    """Return the notices of an account that do not agree with what is known, newest first."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_notices WHERE account = ? AND livemode = ? AND difference <> ''"
        " ORDER BY seq DESC LIMIT ?",
        (scope.account, int(scope.livemode), limit),
    )
    return [Told(*row) for row in rows]


def unsettled(tx: Tx, scope: Scope, before: int, limit: int = 100) -> list[Attempt]:
    """Return approved attempts that moved money before a time, and that no line settled, oldest first.

    before: UTC epoch seconds.
    """
    settled = (
        "SELECT 1 FROM processor_notices AS n WHERE n.account = a.account AND n.livemode = a.livemode"
        " AND n.reference = a.reference AND n.kind = 'settled'"
    )
    rows: Sequence[Any] = tx.execute(
        "SELECT a.reference FROM processor_attempts AS a WHERE a.account = ? AND a.livemode = ? AND a.changed_at < ?"
        f" AND a.state = 'approved' AND a.operation <> 'void' AND NOT EXISTS ({settled}) ORDER BY a.seq LIMIT ?",
        (scope.account, int(scope.livemode), before, limit),
    )
    found = (attempts.find(tx, reference) for (reference,) in rows)
    return [one for one in found if one is not None and moved_by(one)]
