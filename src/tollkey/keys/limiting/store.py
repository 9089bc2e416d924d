"""The tables of counts and of accounts' plans, and their SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tollkey.db import Migration, Scope, Tx

MIGRATION = Migration(
    "key_limits",
    (
        """CREATE TABLE limit_counts (
            bucket TEXT NOT NULL,
            since {int} NOT NULL,
            taken {int} NOT NULL,
            level {int} NOT NULL,
            at {int} NOT NULL,
            until {int} NOT NULL,
            PRIMARY KEY (bucket, since)
        )""",
        "CREATE INDEX limit_counts_until ON limit_counts (until)",
        """CREATE TABLE account_plans (
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            plan TEXT NOT NULL,
            set_at {int} NOT NULL,
            PRIMARY KEY (account, livemode)
        )""",
    ),
)
CHANNEL = "account_plans"
_KEPT_SECONDS = 86400  # after a count has no effect any more
DELETED_AT_ONCE = 500


class Count(NamedTuple):
    """What is stored of one bucket.

    since: begin of the period, UTC epoch seconds; 0 for a token bucket. taken: by all processes together.
    level: what a token bucket holds, in millionths, as one process last saw it. at: when, UTC epoch microseconds.
    until: when the row has no effect any more, UTC epoch seconds.
    """

    bucket: str
    since: int
    taken: int
    level: int
    at: int
    until: int


def add(tx: Tx, counts: Sequence[Count]) -> dict[tuple[str, int], int]:
    """Add what was taken, ``Count.taken``, and return what all processes have taken now, by bucket and period.

    Raises StorageError.
    """
    ordered = sorted(counts)  # so that two processes do not wait for one another
    rows = tx.execute(
        "INSERT INTO limit_counts (bucket, since, taken, level, at, until) VALUES "
        + ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(ordered))
        + " ON CONFLICT (bucket, since) DO UPDATE SET taken = limit_counts.taken + excluded.taken,"
        " level = excluded.level, at = excluded.at, until = excluded.until RETURNING bucket, since, taken",
        [value for count in ordered for value in count],
    )
    return {(bucket, since): taken for bucket, since, taken in rows}


def stored(tx: Tx, buckets: Sequence[tuple[str, int]]) -> dict[str, Count]:
    """Return what is stored of buckets in these periods, by bucket. Raises StorageError."""
    rows = tx.execute(
        "SELECT bucket, since, taken, level, at, until FROM limit_counts WHERE "
        + " OR ".join(["(bucket = ? AND since = ?)"] * len(buckets)),
        [value for pair in buckets for value in pair],
    )
    return {row[0]: Count(*row) for row in rows}


def delete_over(tx: Tx, now: int) -> bool:
    """Delete counts that have had no effect for a day, up to 500. now: UTC epoch seconds.

    Returns whether there may be more. Raises StorageError.
    """
    deleted = tx.execute(
        "DELETE FROM limit_counts WHERE (bucket, since) IN"
        " (SELECT bucket, since FROM limit_counts WHERE until < ? ORDER BY until LIMIT ?) RETURNING 1",
        (now - _KEPT_SECONDS, DELETED_AT_ONCE),
    )
    return len(deleted) == DELETED_AT_ONCE


def plan_of(tx: Tx, scope: Scope) -> str | None:
    """Return the name of an account's plan, or None if none was set. Raises StorageError."""
    rows = tx.execute(
        "SELECT plan FROM account_plans WHERE account = ? AND livemode = ?", (scope.account, scope.livemode)
    )
    return rows[0][0] if rows else None


def set_plan(tx: Tx, scope: Scope, plan: str | None, now: int) -> None:
    """Store the plan of an account, or delete it for None, and announce it. now: UTC epoch seconds.

    Raises StorageError.
    """
    if plan is None:
        tx.execute("DELETE FROM account_plans WHERE account = ? AND livemode = ?", (scope.account, scope.livemode))
    else:
        tx.execute(
            "INSERT INTO account_plans (account, livemode, plan, set_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account, livemode) DO UPDATE SET plan = excluded.plan, set_at = excluded.set_at",
            (scope.account, scope.livemode, plan, now),
        )
    tx.notify(CHANNEL, "")


def plans_in_use(tx: Tx) -> list[str]:
    """Return the names of all plans that accounts have, in order. Raises StorageError."""
    return [row[0] for row in tx.execute("SELECT DISTINCT plan FROM account_plans ORDER BY plan")]
