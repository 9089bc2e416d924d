"""Scheduled jobs: a trial that ends, a refund that settles, an invoice that is finalized.

A handler schedules a job in its own transaction. The server's timer, or a test clock that is advanced,
runs it when it is due. Jobs are stored in the database, so that a restart loses none.

    waiting ──claimed: the row is deleted, in the transaction of the job──▶ done
       ▲            └──the job raises──▶ waiting again, ``RETRIES[attempts]`` later ──the last retry raises──▶ failed
       └──run again by a person────────────────────────────────────────────────────────────────────────────────┘

When several nodes find the same job, one of them deletes the row and runs it; the others wait for that transaction
and find nothing. When a node dies meanwhile, the database rolls back both the claim and the job.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tollkey.db import Migration, Row, Scope, Tx
from tollkey.db.engine import Conflict, LockTimeout, OutcomeUnknown, Unreachable
from tollkey.db.held import Values, Write, arrays, inserting
from tollkey.keys.header import without_typed_secrets
from tollkey.wire.kinds import Job

if TYPE_CHECKING:
    from tollkey.wire.call import Call

log = logging.getLogger("tollkey")

MIGRATION = Migration(
    "due",
    (
        "CREATE TABLE due (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, clock TEXT NOT NULL,"
        " at {int} NOT NULL,"
        " kind TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (account, livemode, kind, id))",
        "CREATE INDEX due_at ON due (clock, at, seq)",
        "CREATE INDEX due_clock ON due (account, livemode, clock, at, seq)",
        "ALTER TABLE due ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting'",
        "ALTER TABLE due ADD COLUMN attempts {int} NOT NULL DEFAULT 0",
        "ALTER TABLE due ADD COLUMN tried {int} NOT NULL DEFAULT 0",
        "ALTER TABLE due ADD COLUMN error TEXT NOT NULL DEFAULT ''",
        "DROP INDEX due_at",
        "CREATE INDEX due_waiting ON due (clock, at, seq) WHERE state = 'waiting'",
        "CREATE INDEX due_troubled ON due (account, livemode, seq) WHERE attempts > 0",
    ),
)

#: Seconds from an attempt that raised to the next one; after the last of them the job has failed.
RETRIES = (60, 300, 1_800, 7_200, 28_800)
_ERROR_CHARACTERS = 500
_DUE = "due"  # the table; ``Tx.cached`` holds the jobs that ``Schedule.once`` has scheduled
#: A key or a signing secret; a client secret; 40 characters and more in one piece, as tokens are; a card's or an
#: account's number.
_SECRET = re.compile(
    r"\b(?:[a-z]{2,12}_(?:test|live)|whsec)_\w{8,}|\w+_secret_\w+|[\w-]{40,}|(?<![\w.])\d(?:[ -]?\d){11,}+(?!\w|\.\d)"
)
#: Storage errors: the job is run again soon, and the attempt is not counted.
_NOT_ITS_FAULT = (Conflict, LockTimeout, Unreachable, OutcomeUnknown)


class ScheduledJob(NamedTuple):
    """A job that waits for its time.

    at: UTC epoch seconds on its clock. kind: the name of its ``Job``. id: the object it is about. seq: its row.
    clock: the id of the test clock whose time counts; empty for real time. attempts: how often it has raised.
    """

    scope: Scope
    at: int
    kind: str
    id: str
    seq: int
    clock: str = ""
    attempts: int = 0


class FailingJob(NamedTuple):
    """A job that has raised, as the Dashboard and ``tollkey doctor`` show it.

    state: ``waiting`` for a retry at ``job.at``, or ``failed``. tried: UTC epoch seconds, on its clock, of the last
    attempt. error: the exception's type and message, without secrets.
    """

    job: ScheduledJob
    state: str
    tried: int
    error: str


# What is written for a job that is scheduled or cancelled more than once: see ``held.Merge``.


def _added_too(held: Write, values: Values, row: Values) -> tuple[Write, Values]:
    return _ADD, row


def _once_too(held: Write, values: Values, row: Values) -> tuple[Write, Values]:
    return (_ADD, row) if held is _CANCEL else (held, values)


def _cancelled_too(held: Write, values: Values, row: Values) -> tuple[Write, Values]:
    return _CANCEL, row


_KEY = ("account", "livemode", "kind", "id")
_ADD = inserting(
    _DUE,
    (*_KEY, "clock", "at"),
    "tittti",
    "ON CONFLICT (account, livemode, kind, id) DO UPDATE SET"
    " seq = excluded.seq, clock = excluded.clock, at = excluded.at, state = 'waiting', attempts = 0, error = ''",
    keys=len(_KEY),
    merge=_added_too,
    moves=True,
)
_ONCE = inserting(
    _DUE,
    (*_KEY, "clock", "at"),
    "tittti",
    "ON CONFLICT (account, livemode, kind, id) DO UPDATE SET"
    " seq = excluded.seq, clock = '', at = excluded.at, state = 'waiting', attempts = 0, error = ''"
    " WHERE due.state = 'failed'",
    keys=len(_KEY),
    merge=_once_too,
)
_CANCEL = Write(
    _DUE,
    "titt",
    "DELETE FROM due WHERE account = ? AND livemode = ? AND kind = ? AND id = ?",
    f"DELETE FROM due USING {arrays(_KEY, 'titt')}"
    " WHERE due.account = v.account AND due.livemode = v.livemode AND due.kind = v.kind AND due.id = v.id",
    len(_KEY),
    _cancelled_too,
)


class Schedule:
    """The scheduled jobs of one scope (account and mode)."""

    def __init__(self, tx: Tx, scope: Scope) -> None:
        self._tx, self._scope = tx, scope

    def add(self, at: int, kind: Job, id: str, clock: str | None = None) -> None:
        """Schedule a job; one of the same kind and id is replaced.

        at: UTC epoch seconds. id: the object it is about. clock: the test clock whose time counts; None for real time.
        """
        self._tx.hold(_ADD, (*self._key(kind, id), clock or "", at))

    def once(self, at: int, kind: Job, id: str) -> None:
        """Schedule a job in real time unless one of the same kind and id is waiting; one that failed is started anew.

        at: UTC epoch seconds. id: the object it is about.
        """
        waiting = self._tx.cached.setdefault(_DUE, {})  # scheduled in this transaction: every charge asks for the same
        if (self._scope, kind, id) in waiting:
            return
        waiting[self._scope, kind, id] = True
        self._tx.hold(_ONCE, (*self._key(kind, id), "", at))

    def cancel(self, kind: Job, id: str) -> None:
        """Remove a job; nothing happens when there is none."""
        self._tx.cached.pop(_DUE, None)
        self._tx.hold(_CANCEL, self._key(kind, id))

    def _key(self, kind: Job, id: str) -> tuple[str, int, Job, str]:
        return self._scope.account, int(self._scope.livemode), kind, id

    def next(self, clock: str, until: int) -> ScheduledJob | None:
        """Return the earliest job of a test clock that is due by ``until`` (UTC epoch seconds), or None."""
        rows = self._tx.execute(
            "SELECT at, kind, id, seq, attempts FROM due WHERE account = ? AND livemode = ? AND clock = ? AND at <= ?"
            " AND state = 'waiting' ORDER BY at, seq LIMIT 1",
            (self._scope.account, int(self._scope.livemode), clock, until),
        )
        if not rows:
            return None
        at, kind, id, seq, made = rows[0]
        return ScheduledJob(self._scope, at, kind, id, seq, clock, made)

    def forget_clock(self, clock: str) -> None:
        """Delete the jobs of a test clock."""
        self._tx.cached.pop(_DUE, None)
        self._tx.execute(
            "DELETE FROM due WHERE account = ? AND livemode = ? AND clock = ?",
            (self._scope.account, int(self._scope.livemode), clock),
        )


def due_jobs(tx: Tx, now: int, limit: int = 100) -> list[ScheduledJob]:
    """Return the jobs in real time that are due by ``now`` (UTC epoch seconds), oldest first, in all scopes."""
    rows = tx.execute(
        "SELECT account, livemode, at, kind, id, seq, attempts FROM due WHERE clock = '' AND at <= ? AND state ="
        " 'waiting'"
        " ORDER BY at, seq LIMIT ?",
        (now, limit),
    )
    return [
        ScheduledJob(Scope(account, bool(livemode)), at, kind, id, seq, "", made)
        for account, livemode, at, kind, id, seq, made in rows
    ]


def run_job(call: Call, item: ScheduledJob) -> bool:
    """Claim a job and run it in the call's transaction. When it raises, it is rolled back and scheduled again.

    Whether it is due is not checked, since a person may run a failing job early.
    call: in the job's scope, at the time of the job's clock.
    Returns False when the job is gone: run by another node, cancelled or rescheduled meanwhile.
    Raises StorageError when the database fails; the caller's transaction must then be rolled back.
    """
    if not claim(call.tx, item):
        return False
    error = _attempt(call, item)
    if error is not None:
        _put_back(call.tx, item, call.now, error)
    return True


def claim(tx: Tx, item: ScheduledJob) -> bool:
    """Delete a job's row and return whether it was there: of several transactions, one gets True.

    The others wait for it, and one of them gets True if it is rolled back.
    """
    tx.cached.pop(_DUE, None)
    gone = "DELETE FROM due WHERE seq = ? AND at = ? AND clock = ? AND attempts = ? RETURNING seq"
    return bool(tx.execute(gone, (item.seq, item.at, item.clock, item.attempts)))


def count_lost_attempt(tx: Tx, item: ScheduledJob, now: int, error: Exception) -> None:
    """Count a failed attempt whose whole transaction was lost, so that the job does not block others.

    Call it in a new transaction. now: UTC epoch seconds on the job's clock. error: what the transaction raised.
    """
    if claim(tx, item):
        _put_back(tx, item, now, error)


def _attempt(call: Call, item: ScheduledJob) -> Exception | None:
    """Run the job within a savepoint; return the exception it raised, or None.

    After a failure the call forgets what it has loaded, as the job may have changed it.
    """
    raised: Exception | None = None
    try:
        with call.tx.savepoint():
            try:
                _job_function(call, item.kind)(call, item.id)
            except _NOT_ITS_FAULT:
                raise
            except Exception as error:
                raised = error
                raise
    except Exception as error:
        if error is not raised:  # the savepoint itself was lost, and the transaction with it
            raise
        call.forget()
        log.error(
            "job %s of %s failed: %s",
            item.kind,
            item.id,
            without_secrets("".join(traceback.format_exception(error))),
        )
    return raised


def _job_function(call: Call, kind: str) -> Callable[[Call, str], None]:
    """Return the function that runs jobs of that kind.

    Raises LookupError when no resource declares it, or when live mode has no provider for it.
    """
    resource = call.setup.tables.catalogue.by_job.get(kind)
    if resource is None:  # scheduled by another version of the server
        raise LookupError(f"this version of the server has no job called {kind}")
    if not resource.live_of(kind).admits(call):
        raise LookupError(f"live mode has no provider for {kind}")
    return resource.on_due[Job(kind)]


def _put_back(tx: Tx, item: ScheduledJob, now: int, error: Exception) -> None:
    made = item.attempts + 1
    state, at = ("waiting", now + RETRIES[made - 1]) if made <= len(RETRIES) else ("failed", now)
    tx.execute(
        "INSERT INTO due (account, livemode, clock, at, kind, id, state, attempts, tried, error) VALUES (?, ?, ?, ?,"
        " ?, ?, ?, ?, ?, ?)",
        (
            item.scope.account,
            int(item.scope.livemode),
            item.clock,
            at,
            item.kind,
            item.id,
            state,
            made,
            now,
            error_summary(error),
        ),
    )


def error_summary(error: Exception) -> str:
    """Return an exception's type and message on one line, shortened and without secrets, as it is stored and shown."""
    return without_secrets(" ".join(f"{type(error).__name__}: {error}".split()))[:_ERROR_CHARACTERS]


def without_secrets(text: str) -> str:
    """Return a text with API keys of every brand, client secrets, page tokens, passwords in addresses of databases, and
    card and account numbers masked.
    """
    return without_typed_secrets(_SECRET.sub(lambda found: f"{found.group()[:4]}...{found.group()[-4:]}", text))


# -- failing jobs


_COLUMNS = "account, livemode, at, kind, id, seq, clock, attempts, state, tried, error"


def failing_jobs(tx: Tx, scope: Scope | None = None, limit: int = 100) -> list[FailingJob]:
    """Return jobs that have raised and are still stored, the latest attempt first.

    scope: None for all scopes, as ``tollkey doctor`` asks.
    """
    where, params = (
        ("", []) if scope is None else (" AND account = ? AND livemode = ?", [scope.account, int(scope.livemode)])
    )
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM due WHERE attempts > 0{where} ORDER BY tried DESC, seq DESC LIMIT ?", [*params, limit]
    )
    return [_failing_job(row) for row in rows]


def _failing_job(row: Row) -> FailingJob:
    account, livemode, at, kind, id, seq, clock, made, state, tried, error = row
    return FailingJob(ScheduledJob(Scope(account, bool(livemode)), at, kind, id, seq, clock, made), state, tried, error)


def find_failing_job(tx: Tx, scope: Scope, kind: str, id: str) -> FailingJob | None:
    """Return the job of that kind and object if it has raised and is still stored, else None."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM due WHERE account = ? AND livemode = ? AND kind = ? AND id = ? AND attempts > 0",
        (scope.account, int(scope.livemode), kind, id),
    )
    return _failing_job(rows[0]) if rows else None


def accounts_with_failing_jobs(tx: Tx, livemode: bool) -> list[str]:
    """Return the accounts with failing jobs in that mode."""
    rows = tx.execute(
        "SELECT DISTINCT account FROM due WHERE attempts > 0 AND livemode = ? ORDER BY account", (int(livemode),)
    )
    return [account for (account,) in rows]
