"""Work that has to happen later: a trial that ends, a refund that settles, an invoice that finalises.

A handler writes down *when* and *what* in its own transaction; the server's timer, or a test
clock that is advanced, does it when the time has come. What is due is kept in the database, so a
restart loses nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from tollkey.db import Migration, Scope, Tx

if TYPE_CHECKING:
    from tollkey.wire.call import Call

log = logging.getLogger("tollkey")

MIGRATION = Migration(
    "due",
    (
        "CREATE TABLE due (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL, clock TEXT NOT NULL, at {int} NOT NULL,"
        " kind TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (account, livemode, kind, id))",
        "CREATE INDEX due_at ON due (clock, at, seq)",
        "CREATE INDEX due_clock ON due (account, livemode, clock, at, seq)",
    ),
)


class Due(NamedTuple):
    """One piece of work.

    at: UTC epoch seconds, on its clock. kind: what to do. id: the object it is about.
    """

    scope: Scope
    at: int
    kind: str
    id: str


class Schedule:
    """What is due in one scope."""

    def __init__(self, tx: Tx, scope: Scope) -> None:
        self._tx, self._scope = tx, scope

    def add(self, at: int, kind: str, id: str, clock: str | None = None) -> None:
        """Do ``kind`` to ``id`` at that time; an earlier appointment of the same kind and id is replaced.

        clock: the test clock whose time counts; real time when None.
        """
        self.cancel(kind, id)
        self._tx.execute(
            "INSERT INTO due (account, livemode, clock, at, kind, id) VALUES (?, ?, ?, ?, ?, ?)",
            (self._scope.account, int(self._scope.livemode), clock or "", at, kind, id),
        )

    def once(self, at: int, kind: str, id: str) -> None:
        """Do ``kind`` to ``id`` at that real time, unless there is such an appointment already."""
        self._tx.execute(
            "INSERT INTO due (account, livemode, clock, at, kind, id) VALUES (?, ?, '', ?, ?, ?)"
            " ON CONFLICT (account, livemode, kind, id) DO NOTHING",
            (self._scope.account, int(self._scope.livemode), at, kind, id),
        )

    def cancel(self, kind: str, id: str) -> None:
        """Forget an appointment; nothing happens when there is none."""
        self._tx.execute(
            "DELETE FROM due WHERE account = ? AND livemode = ? AND kind = ? AND id = ?",
            (self._scope.account, int(self._scope.livemode), kind, id),
        )

    def next(self, clock: str, until: int) -> Due | None:
        """The earliest work of a test clock that is due by ``until`` (UTC epoch seconds), or None."""
        rows = self._tx.execute(
            "SELECT at, kind, id FROM due WHERE account = ? AND livemode = ? AND clock = ? AND at <= ? ORDER BY at, seq LIMIT 1",
            (self._scope.account, int(self._scope.livemode), clock, until),
        )
        return Due(self._scope, *rows[0]) if rows else None

    def forget_clock(self, clock: str) -> None:
        """Drop everything that waits for a test clock."""
        self._tx.execute(
            "DELETE FROM due WHERE account = ? AND livemode = ? AND clock = ?", (self._scope.account, int(self._scope.livemode), clock)
        )


def due_now(tx: Tx, now: int, limit: int = 100) -> list[Due]:
    """Work on real time that is due, oldest first, over all scopes: for the server's timer only."""
    rows = tx.execute("SELECT account, livemode, at, kind, id FROM due WHERE clock = '' AND at <= ? ORDER BY at, seq LIMIT ?", (now, limit))
    return [Due(Scope(account, bool(livemode)), at, kind, id) for account, livemode, at, kind, id in rows]


def do_due(call: Call, item: Due) -> None:
    """Do one piece of work; it is off the list whatever becomes of it. One that fails is logged and leaves nothing behind.

    call: in the work's scope, at the time that its clock shows.
    """
    call.schedule.cancel(item.kind, item.id)
    for resource in call.setup.tables.catalogue.resources:
        if item.kind in resource.on_due:
            if not resource.live_of(item.kind).admits(call):
                log.warning("scheduled work %s of %s is not done: live mode has no provider for it", item.kind, item.id)
                continue
            try:
                with call.tx.savepoint():
                    resource.on_due[item.kind](call, item.id)
            except Exception:
                log.exception("scheduled work %s of %s failed", item.kind, item.id)
