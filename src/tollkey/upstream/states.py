"""What people are shown of an upstream account: everything but its key, which is not unsealed for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tollkey.db import Scope, Tx


class State(NamedTuple):
    """An upstream account, without its key.

    api: scheme, host and port of its API. id: of the account there, None if its key may not read it. shown: the mask of
    its key.
    connected_at, keyed_at: when it was connected, and got its key. succeeded_at, refused_at: when it last took and last
    refused that key. hooked_at, heard_at: since when its events arrive here, and when the last one did. UTC epoch
    seconds. unknown: how many of its calls have an unknown outcome.
    """

    scope: Scope
    api: str
    id: str | None
    shown: str
    connected_at: int
    keyed_at: int
    succeeded_at: int | None
    refused_at: int | None
    hooked_at: int | None
    heard_at: int | None
    unknown: int

    @property
    def refused(self) -> bool:
        """Whether its key was refused when it was last used."""
        return self.refused_at is not None and self.refused_at >= (self.succeeded_at or 0)


_STATES = (
    "SELECT u.account, u.livemode, u.api, u.upstream_account, u.shown, u.connected_at, u.keyed_at, u.succeeded_at,"
    " u.refused_at, h.made_at, h.heard_at FROM upstreams u"
    " LEFT JOIN upstream_hooks h ON h.account = u.account AND h.livemode = u.livemode"
)


def every(tx: Tx) -> list[State]:
    """Return the states of all upstream accounts."""
    return [_state(tx, row) for row in tx.execute(f"{_STATES} ORDER BY u.account, u.livemode")]


def of(tx: Tx, scope: Scope) -> State | None:
    """Return the state of an account's upstream account, or None."""
    rows = tx.execute(f"{_STATES} WHERE u.account = ? AND u.livemode = ?", (scope.account, int(scope.livemode)))
    return _state(tx, rows[0]) if rows else None


def is_connected(tx: Tx, scope: Scope) -> bool:
    """Return whether an account has an upstream account."""
    where = "account = ? AND livemode = ?"
    return bool(tx.execute(f"SELECT 1 FROM upstreams WHERE {where}", (scope.account, int(scope.livemode))))


def unknown_calls(tx: Tx, scope: Scope) -> int:
    """Return how many calls of an account have an unknown outcome."""
    rows = tx.execute(
        "SELECT count(*) FROM upstream_calls WHERE account = ? AND livemode = ? AND state = 'unknown'",
        (scope.account, int(scope.livemode)),
    )
    return int(rows[0][0])


def _state(tx: Tx, row: Sequence[Any]) -> State:
    scope = Scope(row[0], bool(row[1]))
    return State._make((scope, *row[2:], unknown_calls(tx, scope)))
