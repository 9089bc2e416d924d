"""The table of counted requests and its SQL: one row for each key, route, outcome and minute, hour or day.

The three lengths are written in the same transaction, so that a roll-up is never behind or ahead of its rows, and two
nodes that write at once add to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tollkey.db import Migration, Tx

MINUTE, HOUR, DAY = 60, 3600, 86400

MIGRATION = Migration(
    "key_request_counts",
    (
        """CREATE TABLE key_request_counts (
            key_id TEXT NOT NULL,
            step {int} NOT NULL CHECK (step IN (60, 3600, 86400)),
            since {int} NOT NULL,
            route TEXT NOT NULL,
            outcome TEXT NOT NULL,
            permission TEXT NOT NULL,
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            requests {int} NOT NULL,
            cost {int} NOT NULL,
            PRIMARY KEY (key_id, step, since, route, outcome, permission)
        )""",
        "CREATE INDEX key_request_counts_of_account ON key_request_counts (account, livemode, step, since)",
        "CREATE INDEX key_request_counts_by_time ON key_request_counts (step, since)",
    ),
)

_ROW = "key_id, step, since, route, outcome, permission"
_ADD = (
    f"INSERT INTO key_request_counts ({_ROW}, account, livemode, requests, cost) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    f" ON CONFLICT ({_ROW}) DO UPDATE SET"
    " requests = key_request_counts.requests + excluded.requests, cost = key_request_counts.cost + excluded.cost"
)
DELETED_AT_ONCE = 200  # rows, about 1 ms


class Slot(NamedTuple):
    """The requests that are counted together.

    minute: its start, UTC epoch seconds. outcome: ``accepted`` or a ``Reason``. permission: what they needed: the names
    of grants, sorted and separated by commas; "" for none.
    """

    key_id: str
    account: str
    livemode: bool
    minute: int
    route: str
    outcome: str
    permission: str


def add(tx: Tx, counted: Iterable[tuple[Slot, int, int]]) -> None:
    """Add counts to the stored ones. counted: slot, number of requests, sum of their costs. Raises StorageError.

    Rows are written in sorted order, which prevents deadlocks between nodes.
    """
    sums: dict[tuple[str, int, int, str, str, str, str, int], list[int]] = {}
    for slot, requests, cost in counted:
        for step in (MINUTE, HOUR, DAY):
            since = slot.minute - slot.minute % step
            what = (slot.route, slot.outcome, slot.permission)
            row = (slot.key_id, step, since, *what, slot.account, int(slot.livemode))
            total = sums.setdefault(row, [0, 0])
            total[0] += requests
            total[1] += cost
    tx.execute_many(_ADD, [(*row, *total) for row, total in sorted(sums.items())])


def delete_minutes(tx: Tx, before: int) -> int:
    """Delete at most ``DELETED_AT_ONCE`` rows of minutes before a time (UTC epoch seconds), and return how many.

    The hours and days that they were added to stay. Raises StorageError.
    """
    bound: Sequence[int] = (MINUTE, before, DELETED_AT_ONCE)
    inner = f"SELECT {_ROW} FROM key_request_counts WHERE step = ? AND since < ? LIMIT ?"
    rows = tx.execute(f"DELETE FROM key_request_counts WHERE ({_ROW}) IN ({inner}) RETURNING 1", bound)
    return len(rows)
