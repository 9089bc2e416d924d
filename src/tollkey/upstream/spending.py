"""What keys with caps have moved, and the calls that wait for a person: tables and SQL.

An amount is reserved in the transaction that records the call, before its first byte leaves; it is released when the
upstream account definitely refused, and kept when the outcome is not known. A call that is repeated with its
idempotency key, and a payment that was counted when it was created, are counted once.
"""

from __future__ import annotations

from typing import NamedTuple

from tollkey.db import Migration, Scope, Tx
from tollkey.keys import Key
from tollkey.upstream.money import Movement

MIGRATION = Migration(
    "upstream_spending",
    (
        "CREATE TABLE upstream_spent (account TEXT NOT NULL, livemode {bool} NOT NULL, spender TEXT NOT NULL,"
        " kind TEXT NOT NULL, currency TEXT NOT NULL, day {int} NOT NULL, amount {int} NOT NULL,"
        " PRIMARY KEY (account, livemode, spender, kind, currency, day))",
        "CREATE TABLE upstream_reserved (account TEXT NOT NULL, livemode {bool} NOT NULL, spender TEXT NOT NULL,"
        " name TEXT NOT NULL, kind TEXT NOT NULL, currency TEXT NOT NULL, day {int} NOT NULL, amount {int} NOT NULL,"
        " PRIMARY KEY (account, livemode, spender, name))",
        "CREATE INDEX upstream_reserved_day ON upstream_reserved (day)",
        "CREATE TABLE upstream_approvals (account TEXT NOT NULL, livemode {bool} NOT NULL, id TEXT NOT NULL,"
        " key_id TEXT NOT NULL, name TEXT NOT NULL, mark {blob} NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,"
        " kind TEXT NOT NULL, amount {int} NOT NULL, currency TEXT NOT NULL, cap TEXT NOT NULL, state TEXT NOT NULL,"
        " at {int} NOT NULL, decided_by TEXT, decided_at {int}, PRIMARY KEY (account, livemode, id))",
        "CREATE UNIQUE INDEX upstream_approvals_name ON upstream_approvals (account, livemode, key_id, name)",
        "CREATE INDEX upstream_approvals_at ON upstream_approvals (account, livemode, state, at)",
    ),
)
DAY = 86400
_MOST_SUCCESSIONS = 1_000


def spender_of(tx: Tx, key: Key, group: str) -> str:
    """Return whose sums a key's calls count for: its group, or the first key that it is a successor of."""
    if group:
        return f"group:{group}"
    id, before = key.id, key.rolled_from
    for _ in range(_MOST_SUCCESSIONS):
        if before is None:
            break
        id = before
        rows = tx.execute("SELECT rolled_from FROM api_keys WHERE id = ?", (id,))
        before = rows[0][0] if rows else None
    return id


def counted(tx: Tx, scope: Scope, spender: str, name: str) -> int | None:
    """Return the amount that a call or a payment (``name_of``) is counted with already, None if it is not."""
    rows = tx.execute(
        "SELECT amount FROM upstream_reserved WHERE account = ? AND livemode = ? AND spender = ? AND name = ?",
        (scope.account, int(scope.livemode), spender, name),
    )
    return int(rows[0][0]) if rows else None


def name_of(moved: Movement) -> str:
    """Return the name that a payment is counted under: it may be given another currency."""
    return f"object:{moved.object}:{moved.currency}"


def reserve(tx: Tx, scope: Scope, spender: str, name: str, moved: Movement, now: int, most: int | None) -> int | None:
    """Add an amount to the sum of the day, and return None; return what was left of the sum where it is too much.

    name: of the call, unique for the spender. most: the largest sum, None for any. now: UTC epoch seconds.
    """
    day = now - now % DAY
    place = (scope.account, int(scope.livemode), spender, moved.kind, moved.currency, day)
    tx.execute(
        "INSERT INTO upstream_spent (account, livemode, spender, kind, currency, day, amount)"
        " VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
        place,
    )
    where = "account = ? AND livemode = ? AND spender = ? AND kind = ? AND currency = ? AND day = ?"
    limit, values = ("", ()) if most is None else (" AND amount + ? <= ?", (moved.amount, most))
    added = tx.execute(
        f"UPDATE upstream_spent SET amount = amount + ? WHERE {where}{limit} RETURNING amount",
        (moved.amount, *place, *values),
    )
    if not added:
        spent = tx.execute(f"SELECT amount FROM upstream_spent WHERE {where}", place)[0][0]
        return max(0, (most or 0) - int(spent))
    tx.execute(
        "INSERT INTO upstream_reserved (account, livemode, spender, name, kind, currency, day, amount)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (scope.account, int(scope.livemode), spender, name, moved.kind, moved.currency, day, moved.amount),
    )
    return None


def release(tx: Tx, scope: Scope, spender: str, name: str) -> None:
    """Take back what a call has reserved."""
    rows = tx.execute(
        "DELETE FROM upstream_reserved WHERE account = ? AND livemode = ? AND spender = ? AND name = ?"
        " RETURNING kind, currency, day, amount",
        (scope.account, int(scope.livemode), spender, name),
    )
    for kind, currency, day, amount in rows:
        tx.execute(
            "UPDATE upstream_spent SET amount = amount - ? WHERE account = ? AND livemode = ? AND spender = ?"
            " AND kind = ? AND currency = ? AND day = ?",
            (amount, scope.account, int(scope.livemode), spender, kind, currency, day),
        )


def count_object(tx: Tx, scope: Scope, spender: str, moved: Movement, name: str) -> None:
    """Remember how much of a payment was counted, when it was created or raised. name: of the call that did so."""
    tx.execute(
        "INSERT INTO upstream_reserved (account, livemode, spender, name, kind, currency, day, amount)"
        " SELECT account, livemode, spender, ?, kind, currency, day, CAST(? AS BIGINT) FROM upstream_reserved"
        " WHERE account = ? AND livemode = ? AND spender = ? AND name = ?"
        " ON CONFLICT (account, livemode, spender, name) DO UPDATE SET amount = excluded.amount, day = excluded.day"
        " WHERE excluded.amount > upstream_reserved.amount",
        (name_of(moved), moved.amount, scope.account, int(scope.livemode), spender, name),
    )


class Spent(NamedTuple):
    """A sum of a day. kind: ``charge`` or ``refund``. amount: in minor units."""

    spender: str
    kind: str
    currency: str
    amount: int


def spent(tx: Tx, scope: Scope, now: int) -> list[Spent]:
    """Return the sums of today. now: UTC epoch seconds."""
    rows = tx.execute(
        "SELECT spender, kind, currency, amount FROM upstream_spent WHERE account = ? AND livemode = ? AND day = ?"
        " ORDER BY spender, kind, currency",
        (scope.account, int(scope.livemode), now - now % DAY),
    )
    return [Spent(*row) for row in rows]


class Approval(NamedTuple):
    """A call above a cap. state: ``pending``, ``approved``, ``refused`` or ``used``. mark: a hash of the whole call.

    cap: the one that it exceeds. at, decided_at: UTC epoch seconds.
    """

    id: str
    key_id: str
    name: str
    mark: bytes
    method: str
    path: str
    kind: str
    amount: int
    currency: str
    cap: str
    state: str
    at: int
    decided_by: str | None = None
    decided_at: int | None = None


_APPROVAL = ", ".join(Approval._fields)


def approval_for(tx: Tx, scope: Scope, key_id: str, name: str) -> Approval | None:
    """Return the approval of a call. name: of the call."""
    rows = tx.execute(
        f"SELECT {_APPROVAL} FROM upstream_approvals WHERE account = ? AND livemode = ? AND key_id = ? AND name = ?",
        (scope.account, int(scope.livemode), key_id, name),
    )
    return Approval(*rows[0])._replace(mark=bytes(rows[0][3])) if rows else None


def ask(tx: Tx, scope: Scope, wanted: Approval) -> None:
    """Store a call that waits for a person."""
    tx.execute(
        f"INSERT INTO upstream_approvals (account, livemode, {_APPROVAL})"
        f" VALUES (?, ?, {', '.join('?' * len(wanted))})",
        (scope.account, int(scope.livemode), *wanted),
    )


def decide(tx: Tx, scope: Scope, id: str, state: str, by: str, now: int) -> bool:
    """Approve or refuse a call that waits. state: ``approved`` or ``refused``. by: the actor. now: UTC epoch seconds.

    Returns whether it was waiting.
    """
    return bool(
        tx.execute(
            "UPDATE upstream_approvals SET state = ?, decided_by = ?, decided_at = ?"
            " WHERE account = ? AND livemode = ? AND id = ? AND state = 'pending' RETURNING 1",
            (state, by, now, scope.account, int(scope.livemode), id),
        )
    )


def use(tx: Tx, scope: Scope, id: str) -> None:
    """Record that an approved call was passed on."""
    tx.execute(
        "UPDATE upstream_approvals SET state = 'used' WHERE account = ? AND livemode = ? AND id = ?"
        " AND state = 'approved'",
        (scope.account, int(scope.livemode), id),
    )


def approval(tx: Tx, scope: Scope, id: str) -> Approval | None:
    """Return a call above a cap, or None."""
    rows = tx.execute(
        f"SELECT {_APPROVAL} FROM upstream_approvals WHERE account = ? AND livemode = ? AND id = ?",
        (scope.account, int(scope.livemode), id),
    )
    return Approval(*rows[0])._replace(mark=bytes(rows[0][3])) if rows else None


def approvals(tx: Tx, scope: Scope, *, state: str | None = None, limit: int = 100) -> list[Approval]:
    """Return calls above a cap, newest first. state: only those in that state; None for all."""
    where, values = "account = ? AND livemode = ?", [scope.account, int(scope.livemode)]
    if state is not None:
        where, values = f"{where} AND state = ?", [*values, state]
    rows = tx.execute(
        f"SELECT {_APPROVAL} FROM upstream_approvals WHERE {where} ORDER BY at DESC, id LIMIT ?", (*values, limit)
    )
    return [Approval(*row)._replace(mark=bytes(row[3])) for row in rows]


def delete_old(tx: Tx, before: int) -> None:
    """Delete sums, reservations and approvals of days before a time (UTC epoch seconds)."""
    for table, column in (("upstream_spent", "day"), ("upstream_reserved", "day"), ("upstream_approvals", "at")):
        tx.execute(f"DELETE FROM {table} WHERE {column} < ?", (before,))
