"""What the requests of a key needed, read from the counted requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tollkey.db import Tx
from tollkey.keys import usage
from tollkey.keys.key import Key, Reason
from tollkey.keys.store import predecessors

_CONNECTED = "connected/"  # before a grant that was needed on a connected account
_PERMITTED = frozenset({usage.ACCEPTED, Reason.rate_limited.value, Reason.quota_exceeded.value})


class Need(NamedTuple):
    """Requests to one route that needed the same permissions.

    route: the declared route, or ``other``. permissions: the grants on the key's own account.
    connect_permissions: those on a connected account. requests: how many.
    """

    route: str
    permissions: frozenset[str]
    connect_permissions: frozenset[str]
    requests: int


class Observation(NamedTuple):
    """What the requests of a key needed.

    since: start of the first hour or day with requests, UTC epoch seconds; None without requests.
    requests: how many. needs: of requests that its permissions allowed. lacked: of requests that they refused.
    """

    since: int | None
    requests: int
    needs: tuple[Need, ...]
    lacked: tuple[Need, ...]


def joined(permissions: Iterable[str], connected: bool = False) -> str:
    """Return grants as they are counted: sorted, separated by commas.

    connected: whether they were needed on a connected account.
    """
    prefix = _CONNECTED if connected else ""
    return ",".join(sorted(f"{prefix}{name}" for name in permissions))


def observe(tx: Tx, key: Key, since: int | None = None) -> Observation:
    """Return what the requests of a key and of the keys that it replaced needed, as of the last flush.

    since: UTC epoch seconds, rounded down to the hour; None for all that is stored. Raises StorageError.
    """
    rows = [row for one in (key.id, *predecessors(tx, key)) for row in _rows(tx, one, since)]
    permitted = [row for row in rows if row.outcome in _PERMITTED]
    lacked = [row for row in rows if row.outcome == Reason.forbidden]
    first = min((row.at for row in rows if row.at is not None), default=None)
    return Observation(first, sum(row.requests for row in rows), _needs(permitted), _needs(lacked))


def _rows(tx: Tx, key_id: str, since: int | None) -> list[usage.UsageRow]:
    time = "hour" if (since or 0) % usage.DAY else "day"
    query = usage.UsageQuery((time, "route", "outcome", "permission"), key=key_id, since=since)
    return usage.report(tx, query)


def _needs(rows: Iterable[usage.UsageRow]) -> tuple[Need, ...]:
    """Return the needs of rows, the most frequent first."""
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        what = (row.route or usage.OTHER, row.permission or "")
        sums[what] = sums.get(what, 0) + row.requests
    most = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return tuple(_need(route, permission, requests) for (route, permission), requests in most)


def _need(route: str, permission: str, requests: int) -> Need:
    names = [name for name in permission.split(",") if name]
    connected = {name.removeprefix(_CONNECTED) for name in names if name.startswith(_CONNECTED)}
    own = {name for name in names if not name.startswith(_CONNECTED)}
    return Need(route, frozenset(own), frozenset(connected), requests)
