"""Request counts per hour, updated when logs are written, so that the overview need not scan the logs.

The tables are created with those of the logs (``request_logs.MIGRATION``), in the same database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tollkey.db import Scope, Tx

HOUR, DAY = 3600, 86400

_ADD = (
    "INSERT INTO request_counts (account, livemode, hour, status, error_code, requests) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (account, livemode, hour, status, error_code) DO UPDATE SET requests = request_counts.requests +"
    " excluded.requests"
)
_ADD_KEY = (
    "INSERT INTO request_key_counts (account, livemode, hour, key_id, kind, requests) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (account, livemode, hour, key_id, kind) DO UPDATE SET requests = request_key_counts.requests +"
    " excluded.requests"
)
_ADD_DAY = (
    "INSERT INTO request_key_days (account, livemode, day, key_id, requests) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (account, livemode, day, key_id) DO UPDATE SET requests = request_key_days.requests +"
    " excluded.requests"
)


def count(tx: Tx, rows: Iterable[tuple[Any, ...]]) -> None:
    """Count requests. rows: account, mode, UTC epoch seconds, status, error code, id of the key.

    Rows are updated in sorted order, which prevents deadlocks between nodes.
    """
    by_status: Counter[tuple[str, int, int, int, str]] = Counter()
    by_key: Counter[tuple[str, int, int, str, int]] = Counter()
    by_day: Counter[tuple[str, int, int, str]] = Counter()
    alike = Counter(rows)  # many requests of the same second and key are counted without a step of Python each
    for (account, livemode, at, status, code, key), number in alike.items():
        hour = at - at % HOUR
        by_status[account, livemode, hour, status, code or ""] += number
        if key is not None:
            by_key[account, livemode, hour, key, status // 100] += number
            by_day[account, livemode, at - at % DAY, key] += number
    if by_status:
        tx.execute_many(_ADD, [(*key, number) for key, number in sorted(by_status.items())])
    if by_key:
        tx.execute_many(_ADD_KEY, [(*key, number) for key, number in sorted(by_key.items())])
        tx.execute_many(_ADD_DAY, [(*key, number) for key, number in sorted(by_day.items())])


def counts(
    tx: Tx, scope: Scope, since: int, until: int, step: int, key_id: str | None = None
) -> Sequence[tuple[int, int, int]]:
    """Counts by time and status class: (start of the step in UTC epoch seconds, status // 100, count).

    since, until: UTC epoch seconds, rounded down to the hour. step: seconds, a multiple of an hour.
    Raises ValueError for another step.
    """
    if step % HOUR:
        raise ValueError("requests are counted by the hour")
    values: list[object] = [scope.account, int(scope.livemode), since - since % HOUR, until]
    table, kind, where = "request_counts", "status / 100", ""
    if key_id is not None:
        table, kind, where = "request_key_counts", "kind", " AND key_id = ?"
        values.append(key_id)
    rows = tx.execute(
        f"SELECT hour - hour % {int(step)} AS slot, {kind} AS kind_of, sum(requests) FROM {table}"
        f" WHERE account = ? AND livemode = ? AND hour >= ? AND hour < ?{where} GROUP BY slot, kind_of ORDER BY slot,"
        f" kind_of",
        values,
    )
    return [(int(slot), int(kind_of), int(number)) for slot, kind_of, number in rows]


def by_key(tx: Tx, scope: Scope, since: int, until: int) -> list[tuple[str, int]]:
    """Counts by key, highest first.

    since, until: UTC epoch seconds, rounded to hours or, for more than two days, to days.
    """
    table, at, step = (
        ("request_key_counts", "hour", HOUR) if until - since <= 2 * DAY else ("request_key_days", "day", DAY)
    )
    rows = tx.execute(
        f"SELECT key_id, sum(requests) AS number FROM {table} WHERE account = ? AND livemode = ? AND {at} >= ? AND"
        f" {at} < ?"
        " GROUP BY key_id ORDER BY number DESC LIMIT 20",
        (scope.account, int(scope.livemode), since - since % step, until),
    )
    return [(key, int(number)) for key, number in rows]


def by_error(tx: Tx, scope: Scope, since: int) -> list[tuple[int, str, int]]:
    """Counts of failed requests by status and error code ("" for none), highest first. since: UTC epoch seconds."""
    rows = tx.execute(
        "SELECT status, error_code, sum(requests) AS number FROM request_counts"
        " WHERE account = ? AND livemode = ? AND hour >= ? AND status >= 400"
        " GROUP BY status, error_code ORDER BY number DESC, status LIMIT 12",
        (scope.account, int(scope.livemode), since - since % HOUR),
    )
    return [(int(status), code, int(number)) for status, code, number in rows]


def delete_old_counts(tx: Tx, before: int) -> None:
    """Delete counts of hours before a time (UTC epoch seconds)."""
    for table in ("request_counts", "request_key_counts"):
        tx.execute(f"DELETE FROM {table} WHERE hour < ?", (before - HOUR,))
    tx.execute("DELETE FROM request_key_days WHERE day < ?", (before - DAY,))
