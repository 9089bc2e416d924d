"""What is asked of processors on a network: one row for each operation, and the states it goes through.

A row is stored before its first byte leaves. Who wants to act on one claims it with its state (``claim``), so that of
several processes and nodes one does. ``states.py`` draws the states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from tollkey.db import Ids, Migration, Scope, Tx
from tollkey.payments.processors.network import Operation
from tollkey.payments.processors.states import ATTEMPT

#: What is deleted after its time: what has ended and needs nothing more. Of an approved authorization a refund is made.
_OVER: Final = (
    "applied = 1 AND (state <> 'approved' OR operation <> 'authorize') AND (settled IS NOT NULL OR state <> 'approved')"
)
MIGRATION = Migration(
    "attempts",
    (
        "CREATE TABLE processor_attempts (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " reference TEXT NOT NULL, operation TEXT NOT NULL, object TEXT NOT NULL, about TEXT NOT NULL,"
        " amount {int} NOT NULL, currency TEXT NOT NULL, provider TEXT NOT NULL, asked TEXT NOT NULL,"
        " state TEXT NOT NULL, answer TEXT NOT NULL, why TEXT NOT NULL, made_at {int} NOT NULL, sent_at {int},"
        " changed_at {int} NOT NULL, next_at {int} NOT NULL, claimed_until {int} NOT NULL, repeats {int} NOT NULL,"
        " inquiries {int} NOT NULL, applied {bool} NOT NULL)",
        "CREATE UNIQUE INDEX processor_attempts_reference ON processor_attempts (reference)",
        "CREATE INDEX processor_attempts_scope ON processor_attempts (account, livemode, seq)",
        "CREATE INDEX processor_attempts_object ON processor_attempts (object)",
        "CREATE INDEX processor_attempts_due ON processor_attempts (next_at, seq) WHERE applied = 0",
        "ALTER TABLE processor_attempts ADD COLUMN settled {int}",
        "UPDATE processor_attempts SET settled = 0 WHERE operation = 'void' OR asked LIKE '%\"capture\":false%'",
        "CREATE INDEX processor_attempts_open ON processor_attempts (account, livemode, seq) WHERE applied = 0",
        "CREATE INDEX processor_attempts_unsettled ON processor_attempts (account, livemode, changed_at)"
        " WHERE settled IS NULL AND state = 'approved'",
        f"CREATE INDEX processor_attempts_over ON processor_attempts (changed_at) WHERE {_OVER}",
        "ALTER TABLE processor_attempts ADD COLUMN back {int} NOT NULL DEFAULT 0",
    ),
)
#: States in which nothing more is done by itself.
ENDED: Final = frozenset({"approved", "declined", "withdrawn", "reversed"})
#: States in which one process is doing something until ``claimed_until``.
CLAIMED: Final = ("sent", "inquiring", "reversing")
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Half of the numbers that are left to requests: each has one for itself and one for its reversal.
_TRACES: Final = 449_999


@dataclass(frozen=True, slots=True)
class Attempt:
    """One operation that is asked of a processor.

    reference: unique, as the processor gets it. object: the id of what it is about. about: the reference of the
    approved authorization that it changes, empty for none. asked: what else is needed to send and apply it. answer:
    what came of it. why: of an outcome that is not known, for people. made_at, sent_at, changed_at: UTC epoch seconds.
    next_at: when something is to be done next. claimed_until: when another process may take it over. repeats: how often
    it was sent again. inquiries: how often it was asked about. applied: whether its objects show what came of it.
    settled: the sum of the lines of settlements about it; 0 where none is expected, None before the first. back: what
    disputes and returns took of what it moved, signed: negative for a payment, positive for a payout.
    """

    seq: int
    scope: Scope
    reference: str
    operation: Operation
    object: str
    about: str
    amount: int
    currency: str
    provider: str
    asked: Mapping[str, Any]
    state: str
    answer: Mapping[str, Any]
    why: str
    made_at: int
    sent_at: int | None
    changed_at: int
    next_at: int
    claimed_until: int
    repeats: int
    inquiries: int
    applied: bool
    settled: int | None
    back: int

    @property
    def trace(self) -> int:
        """The number of its message; that of its reversal is one more."""
        return 2 * (self.seq % _TRACES) + 1

    @property
    def ended(self) -> bool:
        """Whether what became of it is known for good."""
        return self.state in ENDED

    @property
    def moves(self) -> bool:
        """Whether money moves when it is approved."""
        return self.operation in ("capture", "refund", "payout") or bool(self.asked.get("capture"))

    @property
    def moved(self) -> int:
        """The amount that it has moved, signed, minor units: 0 unless it is approved, and shown."""
        if self.state != "approved" or not self.applied or not self.moves:
            return 0
        return -self.amount if self.operation in ("refund", "payout") else self.amount

    @property
    def data(self) -> Mapping[str, str]:
        """``Approved.data`` of it."""
        found: Mapping[str, str] = self.answer.get("data") or MappingProxyType({})
        return found


_COLUMNS = (
    "seq, account, livemode, reference, operation, object, about, amount, currency, provider, asked, state, answer,"
    " why, made_at, sent_at, changed_at, next_at, claimed_until, repeats, inquiries, applied, settled, back"
)


def _read(row: Sequence[Any]) -> Attempt:
    seq, account, livemode, *rest = row
    asked, answer, applied = orjson.loads(rest[7]), orjson.loads(rest[9]), bool(rest[-3])
    scope = Scope(account, bool(livemode))
    values: list[Any] = [seq, scope, *rest[:7], asked, rest[8], answer, *rest[10:-3], applied, *rest[-2:]]
    return Attempt(*values)


def new_reference(ids: Ids) -> str:
    """Return a reference that nothing else has: 12 characters, 60 random bits."""
    number = ids.number(1 << 60)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 60, 5))


@dataclass(frozen=True, slots=True)
class Question:
    """What an attempt begins with; see ``Attempt``. amount: minor units."""

    operation: Operation
    object: str
    amount: int
    currency: str
    asked: Mapping[str, Any]
    about: str = ""


def add(tx: Tx, scope: Scope, reference: str, question: Question, provider: str, now: int) -> None:
    """Store what is to be asked of a provider's processor. now: UTC epoch seconds."""
    tx.execute(
        "INSERT INTO processor_attempts (account, livemode, reference, operation, object, about, amount, currency,"
        " provider, asked, state, answer, why, made_at, changed_at, next_at, claimed_until, repeats, inquiries,"
        " applied) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}', '', ?, ?, ?, 0, 0, 0, 0)",
        (
            scope.account, int(scope.livemode), reference, question.operation, question.object, question.about,
            question.amount, question.currency, provider, orjson.dumps(question.asked).decode(),
            ATTEMPT.start("prepared"), now, now, now,
        ),
    )  # fmt: skip


def find(tx: Tx, reference: str) -> Attempt | None:
    """Return an attempt, or None."""
    rows = tx.execute(f"SELECT {_COLUMNS} FROM processor_attempts WHERE reference = ?", (reference,))
    return _read(rows[0]) if rows else None


def of_object(tx: Tx, scope: Scope, object: str) -> list[Attempt]:
    """Return the attempts about an object, oldest first. object: its id."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_attempts WHERE object = ? AND account = ? AND livemode = ? ORDER BY seq",
        (object, scope.account, int(scope.livemode)),
    )
    return [_read(row) for row in rows]


def due(tx: Tx, now: int, limit: int = 100) -> list[Attempt]:
    """Return attempts for which something is to be done, of each account the oldest ones, in the order they were made.

    Those that another process has claimed are due once its time is over. now: UTC epoch seconds. limit: of each
    account, so that one whose processor is away holds up no other.
    """
    where = "applied = 0 AND next_at <= ? AND claimed_until <= ? AND state <> 'manual'"
    scopes = tx.execute(f"SELECT DISTINCT account, livemode FROM processor_attempts WHERE {where}", (now, now))
    found = [
        tx.execute(
            f"SELECT {_COLUMNS} FROM processor_attempts WHERE account = ? AND livemode = ? AND {where}"
            " ORDER BY seq LIMIT ?",
            (*scope, now, now, limit),
        )
        for scope in scopes
    ]
    return [_read(row) for rows in found for row in rows]


def list_of(
    tx: Tx, scope: Scope, *, open_only: bool = False, limit: int = 50, before: int | None = None
) -> list[Attempt]:
    """Return the attempts of an account, newest first.

    open_only: only those whose outcome is not known, or not shown by their objects. before: only with a lower ``seq``.
    """
    where, values = "account = ? AND livemode = ?", [scope.account, int(scope.livemode)]
    if open_only:
        where += " AND applied = 0"
    if before is not None:
        where, values = f"{where} AND seq < ?", [*values, before]
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_attempts WHERE {where} ORDER BY seq DESC LIMIT ?", (*values, limit)
    )
    return [_read(row) for row in rows]


def troubled(tx: Tx, before: int, scope: Scope) -> list[Attempt]:
    """Return attempts for a person to look at, oldest first: ``manual``, and those open since before a time.

    before: UTC epoch seconds.
    """
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_attempts WHERE account = ? AND livemode = ? AND applied = 0"
        " AND (state = 'manual' OR made_at < ?) ORDER BY seq LIMIT 100",
        (scope.account, int(scope.livemode), before),
    )
    return [_read(row) for row in rows]


def move(tx: Tx, attempt: Attempt, to: str, now: int, **changes: object) -> Attempt | None:
    """Change an attempt's state, and return it as it is then; None when another process was first.

    changes: further columns. now: UTC epoch seconds. Raises InvalidTransition for a step that the table lacks.
    """
    ATTEMPT.set({"state": attempt.state}, to)
    changes = {"claimed_until": 0, "next_at": now, "changed_at": now, **changes}
    values = [orjson.dumps(value).decode() if name == "answer" else value for name, value in changes.items()]
    rows = tx.execute(
        f"UPDATE processor_attempts SET state = ?, {', '.join(f'{name} = ?' for name in changes)}"
        f" WHERE reference = ? AND state = ? AND changed_at = ? AND claimed_until = ? AND repeats = ? AND inquiries = ?"
        f" AND applied = 0 RETURNING {_COLUMNS}",
        (
            to, *values, attempt.reference, attempt.state, attempt.changed_at, attempt.claimed_until, attempt.repeats,
            attempt.inquiries,
        ),
    )  # fmt: skip
    return _read(rows[0]) if rows else None


def mark_applied(tx: Tx, attempt: Attempt) -> None:
    """Record that the objects show what came of an attempt."""
    expected = "settled" if attempt.state == "approved" and attempt.moves else "coalesce(settled, 0)"
    tx.execute(
        f"UPDATE processor_attempts SET applied = 1, why = '', settled = {expected} WHERE reference = ?",
        (attempt.reference,),
    )


def mark_settled(tx: Tx, attempt: Attempt, amount: int) -> None:
    """Record a line of a settlement. amount: signed, minor units."""
    tx.execute(
        "UPDATE processor_attempts SET settled = coalesce(settled, 0) + ? WHERE reference = ?",
        (amount, attempt.reference),
    )


def mark_back(tx: Tx, attempt: Attempt, amount: int) -> None:
    """Record that money came back, or was taken back. amount: signed, minor units."""
    tx.execute("UPDATE processor_attempts SET back = back + ? WHERE reference = ?", (amount, attempt.reference))


def unsettled(tx: Tx, scope: Scope, before: int, limit: int = 100) -> list[Attempt]:
    """Return approved attempts that moved money before a time, and that no line settled, oldest first.

    before: UTC epoch seconds.
    """
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_attempts WHERE account = ? AND livemode = ? AND changed_at < ?"
        " AND settled IS NULL AND state = 'approved' ORDER BY changed_at LIMIT ?",
        (scope.account, int(scope.livemode), before, limit),
    )
    return [_read(row) for row in rows]


def delete_old(tx: Tx, before: int, most: int = 500) -> bool:
    """Delete attempts that ended before a time and that nothing needs any more. Returns whether there may be more.

    before: UTC epoch seconds. most: how many.
    """
    return bool(
        tx.execute(
            "DELETE FROM processor_attempts WHERE seq IN (SELECT seq FROM processor_attempts WHERE changed_at < ?"
            f" AND {_OVER} ORDER BY changed_at LIMIT ?) RETURNING 1",
            (before, most),
        )
    )


def put_off(tx: Tx, attempt: Attempt, until: int, why: str) -> None:
    """Record that the objects could not yet show what came of it. until: UTC epoch seconds. why: for people."""
    tx.execute(
        "UPDATE processor_attempts SET next_at = ?, why = ?, inquiries = inquiries + 1 WHERE reference = ?",
        (until, why, attempt.reference),
    )


def any_open(tx: Tx, references: Sequence[str]) -> bool:
    """Return whether the outcome of any of these attempts is still to come, or to be shown by its objects."""
    found = (find(tx, reference) for reference in references)
    return any(one is not None and not one.applied for one in found)
