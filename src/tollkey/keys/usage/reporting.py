"""Reports on counted requests, grouped by what the caller names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tollkey.db import Row, Tx
from tollkey.keys.header import beginning
from tollkey.keys.usage.store import DAY, HOUR, MINUTE

_STEPS: Mapping[str, int] = {"minute": MINUTE, "hour": HOUR, "day": DAY}
_COLUMNS: Mapping[str, str] = {
    "key": "key_id",
    "account": "account",
    "mode": "livemode",
    "route": "route",
    "outcome": "outcome",
    "permission": "permission",
    **dict.fromkeys(_STEPS, "since"),
}

#: What a report can be grouped by.
DIMENSIONS = tuple(_COLUMNS)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One row of a report. What the report is not grouped by is None.

    key: id of the key. account: its account. livemode: its mode. route: the declared route, or ``other``.
    outcome: ``accepted``, or why requests were refused (see ``Reason``).
    permission: the grants they needed, separated by commas; "" for none.
    at: start of the minute, hour or day, UTC epoch seconds. requests: how many. cost: the sum of their costs.
    """

    requests: int
    cost: int
    key: str | None = None
    account: str | None = None
    livemode: bool | None = None
    route: str | None = None
    outcome: str | None = None
    permission: str | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """What a report is about.

    by: dimensions, each one of ``DIMENSIONS`` and at most one of ``minute``, ``hour`` and ``day`` (UTC); none gives one
        row with the total.
    account, livemode, key, route, outcome: count only requests with this value.
    since, until: count from ``since`` to before ``until``, UTC epoch seconds. Both are rounded down to the start of the
        day for a report by day, of the hour for one by hour, of the minute for one by minute; other reports are counted
        in days where both are the start of a day, else in hours.
    limit, offset: at most so many rows, after so many. without_account: leave this account out.
    busiest: the rows with the most requests come first.
    Raises ValueError for an unknown or repeated dimension, several lengths of time, a time below 0, a limit below 1.
    """

    by: Sequence[str] = ("key", "day")
    account: str | None = None
    livemode: bool | None = None
    key: str | None = None
    route: str | None = None
    outcome: str | None = None
    since: int | None = None
    until: int | None = None
    limit: int | None = None
    offset: int = 0
    without_account: str | None = None
    busiest: bool = False
    step: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        for name in self.by:
            if name not in _COLUMNS:
                raise ValueError(f"a report cannot be grouped by {beginning(name, 40)!r}: use {', '.join(DIMENSIONS)}")
        if len(set(self.by)) != len(self.by):
            raise ValueError("a report is grouped by each dimension once")
        steps = [_STEPS[name] for name in self.by if name in _STEPS]
        if len(steps) > 1:
            raise ValueError("a report is grouped by one of minute, hour and day")
        if (self.limit is not None and self.limit < 1) or self.offset < 0:
            raise ValueError("limit must be at least 1, and offset not negative")
        if any(bound is not None and bound < 0 for bound in (self.since, self.until)):
            raise ValueError("since and until are UTC epoch seconds")
        whole_days = all(bound is None or bound % DAY == 0 for bound in (self.since, self.until))
        object.__setattr__(self, "step", steps[0] if steps else DAY if whole_days else HOUR)


def report(tx: Tx, query: UsageQuery) -> list[UsageRow]:
    """Return the rows of a report, ordered by time and then by the other dimensions as named. Raises StorageError."""
    where, values = _conditions(query)
    order = sorted(query.by, key=lambda name: name not in _STEPS)
    columns = [_COLUMNS[name] for name in query.by]
    sql = f"SELECT {''.join(f'{column}, ' for column in columns)}sum(requests), sum(cost) FROM key_request_counts"
    sql += f" WHERE {' AND '.join(where)}"
    if columns:
        first = ("sum(requests) DESC",) if query.busiest else ()
        sql += f" GROUP BY {', '.join(columns)} ORDER BY {', '.join((*first, *(_COLUMNS[name] for name in order)))}"
    if query.limit is not None or query.offset:
        sql += " LIMIT ? OFFSET ?"
        values += [2**62 if query.limit is None else query.limit, query.offset]
    return [_row(query, row) for row in tx.execute(sql, values) if row[-2] is not None]


def _conditions(query: UsageQuery) -> tuple[list[str], list[object]]:
    """Return the conditions of a query in SQL, and their values."""
    where: list[str] = ["step = ?"]
    parameters: list[object] = [query.step]
    livemode = None if query.livemode is None else int(query.livemode)
    equal = {
        "key_id": query.key,
        "account": query.account,
        "livemode": livemode,
        "route": query.route,
        "outcome": query.outcome,
    }
    for column, value in equal.items():
        if value is not None:
            where.append(f"{column} = ?")
            parameters.append(value)
    if query.without_account is not None:
        where.append("account <> ?")
        parameters.append(query.without_account)
    for bound, operator in ((query.since, ">="), (query.until, "<")):
        if bound is not None:
            where.append(f"since {operator} ?")
            parameters.append(bound - bound % query.step)
    return where, parameters


def _row(query: UsageQuery, row: Row) -> UsageRow:
    """Return one row of the database as a row of the report."""
    found = dict(zip(query.by, row, strict=False))
    mode = found.get("mode")
    return UsageRow(
        requests=int(row[-2]),
        cost=int(row[-1]),
        key=found.get("key"),
        account=found.get("account"),
        livemode=None if mode is None else bool(mode),
        route=found.get("route"),
        outcome=found.get("outcome"),
        permission=found.get("permission"),
        at=next((found[name] for name in _STEPS if name in found), None),
    )
