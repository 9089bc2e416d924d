"""What processors tell by themselves: late outcomes, lines of settlements, money that came back. Each is taken once.

A line of a settlement is compared in three ways: what was asked and approved, what the ledger says
(``balance/reconciliation.py`` posts it), and what the processor says. Differences are kept with a reason, and nothing
is corrected silently.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Literal

from tollkey.db import Migration, Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.payments.processors import answers, attempts, backends
from tollkey.payments.processors.answers import conclude
from tollkey.payments.processors.attempts import Attempt
from tollkey.payments.processors.network import Approved, Notice, Notices
from tollkey.payments.shared import events
from tollkey.wire import Call

log = logging.getLogger("tollkey")
MIGRATION = Migration(
    "processor_notices",
    (
        "CREATE TABLE processor_notices (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, id TEXT NOT NULL,"
        " kind TEXT NOT NULL, reference TEXT, at {int} NOT NULL, amount {int} NOT NULL, currency TEXT NOT NULL,"
        " fee {int} NOT NULL, code TEXT, expected {int} NOT NULL, difference TEXT NOT NULL, seen_at {int} NOT NULL)",
        "CREATE UNIQUE INDEX processor_notices_id ON processor_notices (account, livemode, id)",
        "CREATE INDEX processor_notices_reference ON processor_notices (account, livemode, reference)",
        "CREATE INDEX processor_notices_different ON processor_notices (account, livemode, seq) WHERE difference <> ''",
        "UPDATE processor_attempts SET settled = (SELECT sum(n.amount) FROM processor_notices n WHERE"
        " n.kind = 'settled' AND n.account = processor_attempts.account AND n.reference = processor_attempts.reference)"
        " WHERE settled IS NULL",
        "CREATE INDEX processor_notices_over ON processor_notices (seen_at) WHERE difference = ''",
    ),
)
#: Seconds after which money that was taken should have been settled.
SETTLED_SECONDS: Final = 7 * 86_400
#: Days after which what is told is only listed: less than notices are kept, so that nothing is done again.
OLDEST_DAYS: Final = 380
#: Pages of notices that are read of an account, before the server does something else.
MOST_PAGES: Final = 100
_EARLY_SECONDS = 86_400  # for which a line waits for the outcome of what it settles
_WHAT: Final = {
    "returned": "the money came back",
    "disputed": "the money was disputed",
    "dispute_won": "a dispute was won",
    "dispute_lost": "a dispute was lost",
}
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
    """Return whether it is about something whose outcome is not known yet, and may soon be."""
    if notice.kind == "result" or notice.reference is None:
        return False
    attempt = attempts.find(call.tx, notice.reference)
    if attempt is None or attempt.scope != call.scope:
        return False
    return not attempt.applied and call.now - attempt.made_at < _EARLY_SECONDS


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
    old = notice.at < call.now - OLDEST_DAYS * 86_400
    if old:
        difference = f"told after more than {OLDEST_DAYS} days: nothing was done"
    elif notice.kind == "result":
        difference = _result(call, notice, attempt)
    elif notice.kind == "settled":
        expected, difference = _settled(call, notice, attempt)
    else:
        difference = _money(call, notice, attempt)
    call.tx.execute(
        "INSERT INTO processor_notices (account, livemode, id, kind, reference, at, amount, currency, fee, code,"
        " expected, difference, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *scope, notice.id, notice.kind, notice.reference, notice.at, notice.amount, notice.currency, notice.fee,
            notice.code, expected, difference, call.now,
        ),
    )  # fmt: skip
    if notice.kind != "settled" or old:
        return
    if attempt is not None:
        attempts.mark_settled(call.tx, attempt, notice.amount)
    if notice.amount or notice.fee or expected:
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
    expected = attempt.moved + attempt.back - (attempt.settled or 0)
    if attempt.back and not attempt.settled and notice.amount in (attempt.moved, attempt.back):
        expected = notice.amount  # each is settled by a line of its own
    if notice.currency != attempt.currency:
        return 0, f"settled in {notice.currency}, asked in {attempt.currency}"
    if notice.amount == expected:
        return expected, ""
    if not attempt.ended:
        return expected, f"settled while it is {attempt.state} here"
    return expected, f"{notice.amount} was settled where {expected} was expected"


def _money(call: Call, notice: Notice, attempt: Attempt | None) -> str:
    """Let the objects show that money came back or was taken back; return why they do not, or nothing."""
    what = _WHAT[notice.kind]
    if attempt is None:
        return f"{what} ({notice.code or '-'}): nothing that was asked"
    if notice.currency != attempt.currency:
        return f"{what} in {notice.currency}, asked in {attempt.currency}"
    if attempt.state != "approved" or not attempt.applied:
        return f"{what} while it is {attempt.state} here"
    difference = f"{what} ({notice.code or '-'}): nothing here shows it"
    try:
        with call.tx.savepoint():
            call.announce(told := events.MoneyTold(notice, attempt, difference))
    except StorageError:
        raise
    except Exception as problem:
        call.forget()
        log.exception("%s: a notice of the processor was not applied: %s", call.account, ascii(notice.id))
        return f"{what}: its objects refuse it ({type(problem).__name__})"
    if not told.difference:
        attempts.mark_back(call.tx, attempt, notice.amount)
    return told.difference


def differences(tx: Tx, scope: Scope, limit: int = 100) -> list[Told]:
    """Return the notices of an account that do not agree with what is known, newest first."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_notices WHERE account = ? AND livemode = ? AND difference <> ''"
        " ORDER BY seq DESC LIMIT ?",
        (scope.account, int(scope.livemode), limit),
    )
    return [Told(*row) for row in rows]


def delete_old(tx: Tx, before: int, most: int = 500) -> bool:
    """Delete notices without a difference that were taken before a time. Returns whether there may be more.

    before: UTC epoch seconds. most: how many.
    """
    return bool(
        tx.execute(
            "DELETE FROM processor_notices WHERE seq IN (SELECT seq FROM processor_notices WHERE seen_at < ?"
            " AND difference = '' ORDER BY seen_at LIMIT ?) RETURNING 1",
            (before, most),
        )
    )


async def tidy(edge: Edge, now: int, days: int) -> None:
    """Delete attempts and notices that have been over for so many days, in pieces. now: UTC epoch seconds.

    Several nodes may do it at the same time. After each piece others write for as long as it took.
    """
    before, clock = now - days * 86_400, asyncio.get_running_loop().time

    def piece(tx: Tx) -> bool:
        told = delete_old(tx, before)
        return attempts.delete_old(tx, before) or told

    began = clock()
    while await edge.write(piece):
        await asyncio.sleep(clock() - began)
        began = clock()
